"""Address fields as people write them."""

import pytest

from soinbox_web.mail.mime.addresses import addresses


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("anna@x.example", [("", "anna@x.example")]),
        ("Anna de Vries <anna@x.example>", [("Anna de Vries", "anna@x.example")]),
        (
            '"Vries, Anna de" <anna@x.example>, bram@x.example',
            [("Vries, Anna de", "anna@x.example"), ("", "bram@x.example")],
        ),
        ("=?utf-8?q?Zo=C3=AB?= <zoe@x.example>", [("Zoë", "zoe@x.example")]),
        ("=?utf-8?q?a=2C_b=40c?= <d@x.example>", [("a, b@c", "d@x.example")]),
        ("anna@x.example (Anna)", [("Anna", "anna@x.example")]),
        (
            "Team: a@x.example, b@x.example;, c@x.example",
            [("", "a@x.example"), ("", "b@x.example"), ("", "c@x.example")],
        ),
        ("undisclosed-recipients:;", []),
        ("Anna anna@x.example", [("Anna", "anna@x.example")]),
        ("a@x.example; b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
        ('"anna@x.example" <anna@x.example>', [("", "anna@x.example")]),
        ('"ceo@bank.example" <evil@x.example>', [("ceo@bank.example", "evil@x.example")]),
        ("<anna@x.example", [("", "anna@x.example")]),
        ("jdoe@test . example", [("", "jdoe@test.example")]),
        ("", []),
        (",,;;<>", []),
    ],
)
def test_field(field, expected):
    assert [(person.name, person.address) for person in addresses(field)] == expected


@pytest.mark.parametrize(
    "text", ["(" * 60_000, '"' * 60_000, "<" * 60_000, "a@" * 30_000, "\\" * 60_000, "a:" * 30_000]
)
def test_hostile_fields_end_quickly(text):
    assert len(addresses(text)) <= 1_000
