"""The sample mail is plentiful, the same each time, and as varied as promised."""

import email
import email.policy
from datetime import UTC, datetime, timedelta

import pytest

from soinbox_web.rehearsal.sample_mail import INVOICES, SampleMessage, mailbox_of
from tests.cast import ANNA, TEAM, Colleague

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def mail() -> list[SampleMessage]:
    return mailbox_of(ANNA, NOW)


def test_three_hundred_at_least(mail: list[SampleMessage]) -> None:
    assert len(mail) >= 300


def test_deterministic(mail: list[SampleMessage]) -> None:
    again = mailbox_of(ANNA, NOW)
    assert [(one.folder, one.flags, one.date) for one in again] == [
        (one.folder, one.flags, one.date) for one in mail
    ]
    assert [one.raw for one in again if b"boundary" not in one.raw] == [
        one.raw for one in mail if b"boundary" not in one.raw
    ]


def test_varied(mail: list[SampleMessage]) -> None:
    everything = b"".join(one.raw for one in mail)
    for part in (b"application/pdf", b"image/png", b"text/calendar", b"text/html", b"iso-2022-jp", b"koi8-r"):
        assert part in everything
    assert {one.folder for one in mail} >= {"INBOX", "Sent", "Drafts", "Junk", INVOICES}
    flags = [one.flags for one in mail if one.folder == "INBOX"]
    assert any(not one for one in flags)
    assert any("\\Flagged" in one for one in flags)
    assert any("\\Answered" in one for one in flags)
    assert any(b"\r\nDate: " not in one.raw.partition(b"\r\n\r\n")[0] for one in mail)


def test_recent_and_nothing_from_the_future(mail: list[SampleMessage]) -> None:
    dates = [one.date for one in mail]
    assert dates == sorted(dates)
    assert NOW - timedelta(hours=12) < dates[-1] <= NOW


@pytest.mark.parametrize("colleague", TEAM)
def test_message_ids_are_unique(colleague: Colleague) -> None:
    heads = [email.message_from_bytes(one.raw) for one in mailbox_of(colleague, NOW)]
    identities = [head["Message-ID"] for head in heads if head["Message-ID"]]
    assert len(identities) == len(set(identities))
