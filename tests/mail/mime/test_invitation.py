"""Invitations: read when they can be, None when not."""

from datetime import UTC, date, datetime

import pytest

from soinbox_web.mail.mime.invitation import invitation
from soinbox_web.mail.mime.parse import parse
from soinbox_web.model.message import Correspondent
from tests.mail.mime.corpora import own


def test_an_invitation_in_a_message():
    text = parse(own("invitation")).invitation
    found = invitation(text)
    assert (found.method, found.summary, found.location) == (
        "REQUEST",
        "Overleg over de offerte",
        "Zaal 2, Utrecht",
    )
    assert found.start == datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
    assert found.end == datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
    assert found.organizer == Correspondent("Anna de Vries", "anna@noordlicht.example")
    assert found.attendees == (Correspondent("Bram", "bram@noordlicht.example"),)


def test_a_whole_day():
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261224\r\nSUMMARY:Vrij\r\n"
        "END:VEVENT\r\nEND:VCALENDAR"
    )
    found = invitation(text)
    assert (found.start, found.whole_day, found.end) == (date(2026, 12, 24), True, None)


@pytest.mark.parametrize(
    "text",
    ["", "x", "BEGIN:VCALENDAR", "BEGIN:VCALENDAR\nEND:VCALENDAR", "BEGIN:VCALENDAR\n" * 3000, "\0" * 100,
     "A" * 300_000,
     "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:nonsense\nEND:VEVENT\nEND:VCALENDAR"],
)  # fmt: skip
def test_what_cannot_be_read_is_none(text):
    assert invitation(text) is None
