"""The order of a card's addresses, who may change it, and the first-address rule."""

import pytest

from soinbox_web.model.person import Person, may_edit, moved, split_name
from soinbox_web.model.sender import may_send


@pytest.mark.parametrize(
    ("which", "step", "expected"),
    [
        (3, "first", (3, 1, 2)),
        (1, "first", (1, 2, 3)),
        (3, "up", (1, 3, 2)),
        (1, "up", (1, 2, 3)),
        (1, "down", (2, 1, 3)),
        (3, "down", (1, 2, 3)),
    ],
)
def test_moves_an_address(which, step, expected):
    assert moved((1, 2, 3), which, step) == expected


def test_only_the_user_and_administrators_edit_a_users_card():
    own, contact = Person(1, "Anna", "", "", "", "", user_id=7), Person(2, "Eva", "", "", "", "")
    assert may_edit(own, 7, False)
    assert may_edit(own, 8, True)
    assert not may_edit(own, 8, False)
    assert may_edit(contact, 8, False)


@pytest.mark.parametrize(
    ("rule", "address", "allowed"),
    [
        ("first", "Anna@example.org", True),
        ("first", "sales@example.org", False),
        ("own", "sales@example.org", True),
        ("own", "other@example.org", False),
    ],
)
def test_the_first_address_rule(rule, address, allowed):
    assert may_send(rule, address, ["anna@example.org", "sales@example.org"]) is allowed


def test_nobody_sends_without_an_address_on_the_card():
    assert not may_send("first", "anna@example.org", [])
    assert not may_send("first", "", [])


@pytest.mark.parametrize(
    ("name", "parts"),
    [("Anna de Vries", ("Anna", "de Vries")), ("Cher", ("Cher", "")), ("  ", ("", ""))],
)
def test_splits_a_name(name, parts):
    assert split_name(name) == parts
