"""Subjects, quotes and recipients of answers."""

import dataclasses

import pytest

from soinbox_web.mail.mime.parse import parse
from soinbox_web.model.message import Correspondent
from soinbox_web.model.reply import (
    forward_subject,
    quote,
    references,
    reply_all_recipients,
    reply_recipients,
    reply_subject,
)

_EMPTY = parse(b"")
_ME = ("me@x.example", "Me.Too@x.example")


def _people(*addresses):
    return tuple(Correspondent("", address) for address in addresses)


def _addresses(people):
    return [person.address for person in people]


@pytest.mark.parametrize(
    ("subject", "reply", "forward"),
    [
        ("Offerte", "Re: Offerte", "Fwd: Offerte"),
        ("Re: Offerte", "Re: Offerte", "Fwd: Offerte"),
        ("RE: Antw: AW: Sv: Offerte", "Re: Offerte", "Fwd: Offerte"),
        ("Re[2]: Offerte", "Re: Offerte", "Fwd: Offerte"),
        ("FW: Offerte", "Re: FW: Offerte", "Fwd: Offerte"),
        ("Rekening: 12", "Re: Rekening: 12", "Fwd: Rekening: 12"),
        ("", "Re:", "Fwd:"),
    ],
)
def test_subjects(subject, reply, forward):
    assert reply_subject(subject) == reply
    assert forward_subject(subject) == forward


def test_quote_goes_one_deeper():
    assert quote("een\n\n> twee\n", "Anna schreef:") == "Anna schreef:\n> een\n>\n>> twee"


def test_reply_to_goes_before_from():
    message = dataclasses.replace(_EMPTY, sender=_people("a@x.example"), reply_to=_people("r@x.example"))
    assert _addresses(reply_recipients(message, _ME)) == ["r@x.example"]


def test_reply_all_leaves_out_own_addresses_and_doubles():
    message = dataclasses.replace(
        _EMPTY,
        sender=_people("a@x.example"),
        to=_people("ME@x.example", "b@x.example", "A@x.example"),
        cc=_people("b@x.example", "c@x.example", "me.too@x.example"),
    )
    to, cc = reply_all_recipients(message, _ME)
    assert _addresses(to) == ["a@x.example"]
    assert _addresses(cc) == ["b@x.example", "c@x.example"]


def test_a_list_that_sets_reply_to_keeps_the_writer():
    message = dataclasses.replace(
        _EMPTY,
        sender=_people("a@x.example"),
        reply_to=_people("list@x.example"),
        to=_people("list@x.example"),
    )
    to, cc = reply_all_recipients(message, _ME)
    assert (_addresses(to), _addresses(cc)) == (["list@x.example"], ["a@x.example"])


def test_an_own_message_is_answered_to_whom_it_went():
    message = dataclasses.replace(
        _EMPTY, sender=_people("me@x.example"), to=_people("b@x.example"), cc=_people("c@x.example")
    )
    assert _addresses(reply_recipients(message, _ME)) == ["b@x.example"]
    to, cc = reply_all_recipients(message, _ME)
    assert (_addresses(to), _addresses(cc)) == (["b@x.example"], ["c@x.example"])


def test_references_go_on_and_stay_short():
    message = dataclasses.replace(_EMPTY, message_id="<9@x>", references=("<1@x>", "<2@x>"))
    assert references(message) == ("<1@x>", "<2@x>", "<9@x>")
    long = dataclasses.replace(_EMPTY, message_id="<z@x>", references=tuple(f"<{i}@x>" for i in range(500)))
    assert references(long)[0] == "<0@x>"
    assert references(long)[-1] == "<z@x>"
    assert len(references(long)) == 30
