"""Messages whose headers make a server say more than any client expects; Dovecot answers with all of it."""

import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.model.account import Account
from soinbox_web.runtime import Runtime
from soinbox_web.services import sync
from soinbox_web.store import folders, messages, skipped_messages
from tests.real.accounts import add_account
from tests.servers.mailbox import RealMailbox

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


def letter(number: int, cc: bytes = b"", *, cc_first: bool = False) -> bytes:
    fields = [
        b"From: Eva Smit <eva@hotel.example>\r\n",
        b"To: anna@noordlicht.example\r\n",
        b"Subject: Bericht %d\r\n" % number,
        b"Date: Mon, 23 Nov 2026 09:30:00 +0100\r\n",
        b"Message-ID: <%d@hotel.example>\r\n" % number,
    ]
    if cc:
        fields.insert(0 if cc_first else len(fields), b"Cc: " + cc + b"\r\n")
    return b"".join(fields) + b"\r\nHallo\r\n"


def folded(signs: bytes) -> bytes:
    """A long field in lines that a mail server takes."""
    return b"\r\n ".join(signs[start : start + 900] for start in range(0, len(signs), 900))


def subjects(runtime: Runtime, account: Account) -> list[str]:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        inbox = folders.by_name(connection, "INBOX")
        assert inbox is not None and skipped_messages.listing(connection, 10) == []
        return sorted(row["subject"] for row in messages.page(connection, inbox.id, limit=10_000))


@pytest.mark.parametrize("commas", [50_000, 100_000])
@pytest.mark.parametrize("place", [0, 30])
@pytest.mark.parametrize("later", [False, True])
def test_a_cc_of_fifty_thousand_commas(
    runtime: Runtime, mailbox: RealMailbox, commas: int, place: int, later: bool
) -> None:
    account = add_account(runtime, mailbox)
    if later:
        mailbox.deliver(letter(1000))
        sync.sync_once(runtime, account.id)
    for number in range(60):
        cc = folded(b"," * commas) if number == place else b""
        mailbox.deliver(letter(number, cc, cc_first=commas > 50_000))
    report = sync.sync_once(runtime, account.id)
    expected = [f"Bericht {number}" for number in [*range(60), *([1000] if later else [])]]
    assert subjects(runtime, account) == sorted(expected)
    assert report.messages == len(expected)
    with runtime.mailbox(account.id, account.generation).read() as connection:
        row = connection.execute("SELECT * FROM messages WHERE subject = ?", (f"Bericht {place}",)).fetchone()
    assert (row["sender_name"], row["date"]) == ("Eva Smit", "2026-11-23T08:30:00.000Z")


def test_seventy_at_once_whose_headers_are_just_below_the_cap(runtime: Runtime, mailbox: RealMailbox) -> None:
    account = add_account(runtime, mailbox)
    mailbox.deliver(letter(1000))
    sync.sync_once(runtime, account.id)
    for number in range(140):
        mailbox.deliver(letter(number, folded(b"," * 22_000)))
    sync.sync_once(runtime, account.id)
    assert len(subjects(runtime, account)) == 141
