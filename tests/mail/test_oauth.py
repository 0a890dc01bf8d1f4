"""SASL: the bytes of each mechanism, and the challenge of a refused token."""

import base64
import json

import pytest

from soinbox_web.mail import sasl
from soinbox_web.mail.sasl import Challenge


def test_plain() -> None:
    assert base64.b64decode(sasl.plain("anna", "wacht·woord")) == "\0anna\0wacht·woord".encode()


def test_bearers() -> None:
    xoauth2 = base64.b64decode(sasl.bearer("XOAUTH2", "a@b.c", "tok", "imap.b.c", 993))
    assert xoauth2 == b"user=a@b.c\x01auth=Bearer tok\x01\x01"
    standard = base64.b64decode(sasl.bearer("OAUTHBEARER", "a,=@b.c", "tok", "imap.b.c", 993))
    assert standard == b"n,a=a=2C=3D@b.c,\x01host=imap.b.c\x01port=993\x01auth=Bearer tok\x01\x01"


def test_nothing_is_broken_into_lines() -> None:
    assert b"\n" not in sasl.bearer("XOAUTH2", "a@b.c", "t" * 4000, "h", 993)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ({"XOAUTH2", "OAUTHBEARER", "PLAIN"}, "OAUTHBEARER"),
        ({"XOAUTH2", "PLAIN"}, "XOAUTH2"),
        ({"PLAIN"}, None),
    ],
)
def test_the_standard_mechanism_first(offered: set[str], chosen: str | None) -> None:
    assert sasl.token_mechanism(offered) == chosen


def test_challenge() -> None:
    words = {"status": "401", "schemes": "Bearer", "scope": "https://mail.google.com/"}
    data = base64.b64encode(json.dumps(words).encode())
    assert sasl.challenge(data) == Challenge("401", "https://mail.google.com/", "Bearer")


@pytest.mark.parametrize(
    "data", [b"", b"!!", b"W10=", base64.b64encode(b"\xff"), base64.b64encode(b"[" * 5000)]
)
def test_a_challenge_that_is_none(data: bytes) -> None:
    assert sasl.challenge(data) == Challenge()
