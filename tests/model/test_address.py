"""Reading typed and pasted addresses, and noticing slips in big domains."""

import pytest

from soinbox_web.model.address import Address, read_address, suggestion
from soinbox_web.problems import InputError


@pytest.mark.parametrize(
    ("typed", "full"),
    [
        ("jan@example.nl", "jan@example.nl"),
        ("  jan@example.nl \r\n", "jan@example.nl"),
        ("Jan.Jansen@EXAMPLE.NL", "Jan.Jansen@example.nl"),
        ("mailto:jan@example.nl", "jan@example.nl"),
        ("MAILTO:jan%2Bcrm@example.nl?subject=Hi", "jan+crm@example.nl"),
        ("Jan Jansen <jan@example.nl>", "jan@example.nl"),
        ('"Jansen, Jan" < jan@example.nl >', "jan@example.nl"),
        ("\u200bjan@exam\u200bple.nl\ufeff", "jan@example.nl"),
        ("\u00a0jan@example.nl\u202f", "jan@example.nl"),
        ("jan@example.nl.", "jan@example.nl"),
        ("jan@b\u00fccher.example", "jan@xn--bcher-kva.example"),
        ("jan@bu\u0308cher.example", "jan@xn--bcher-kva.example"),
        ("jan@fa\u00df.de", "jan@xn--fa-hia.de"),
        ("jan@xn--bcher-kva.example", "jan@xn--bcher-kva.example"),
        ("jan@b\u00fccher\u3002example", "jan@xn--bcher-kva.example"),
        ("o'brien+tag_1@sub.example.co.uk", "o'brien+tag_1@sub.example.co.uk"),
        ("anna@office.test", "anna@office.test"),
        ("anna@mail.internal", "anna@mail.internal"),
    ],
)
def test_is_read(typed: str, full: str) -> None:
    assert read_address(typed).full == full


def test_the_domain_is_shown_as_people_write_it() -> None:
    assert read_address("jan@fa\u00df.de").domain_unicode == "fa\u00df.de"
    assert str(Address("jan", "example.nl")) == "jan@example.nl"


@pytest.mark.parametrize(
    "typed",
    [
        "", "   ", "jan", "jan@", "@example.nl", "jan@@example.nl", "jan@a@b.nl", "jan@example",
        "jan@localhost", "jan@1.2.3.4", "jan@[1.2.3.4]", "jan@example..nl", "jan@-example.nl",
        "jan@exa mple.nl", "jan jansen@example.nl", "jan\r\nRCPT TO:<x@y.nl>@example.nl",
        "jan@example.nl\r\nBcc: x@y.nl", "jan\0@example.nl", "jan@example.nl\0",
        ".jan@example.nl", "jan.@example.nl", "j..an@example.nl", "x" * 65 + "@example.nl",
        "x" * 500 + "@example.nl",
        "jan@" + "x" * 64 + ".nl", "jan@" + "abcdefgh." * 28 + "nl", "jan@exa_mple.nl", "x" * 5000,
        "jan@https://example.nl",
        "jan@example.nl:993", "<>", "jan@xn--a.nl",
    ],
)  # fmt: skip
def test_is_refused(typed: str) -> None:
    with pytest.raises(InputError) as caught:
        read_address(typed)
    problem = caught.value.problem
    assert (problem.code, problem.side, problem.field) == ("address_invalid", "detection", "address")


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmial.com", "gmail.com"), ("gmail.con", "gmail.com"), ("gmai.com", "gmail.com"),
        ("gnail.com", "gmail.com"),
        ("hotmial.com", "hotmail.com"), ("hotmali.nl", "hotmail.nl"), ("outlok.com", "outlook.com"),
        ("iclod.com", "icloud.com"), ("yaho.com", "yahoo.com"),
        ("gmx.ne", "gmx.net"), ("zigo.nl", "ziggo.nl"),
    ],
)  # fmt: skip
def test_a_slip_is_noticed(domain: str, meant: str) -> None:
    assert suggestion(domain) == meant


@pytest.mark.parametrize(
    "domain",
    ["gmail.com", "GMAIL.com", "mail.com", "email.com", "ymail.com", "example.nl", "abc.com", "gmx.at",
     "yahoo.de",     "acme.com", "superoffice.com", "hotmail.be", "hotmail.nl", "x.nl"],
)  # fmt: skip
def test_a_real_domain_is_left_alone(domain: str) -> None:
    assert suggestion(domain) is None
