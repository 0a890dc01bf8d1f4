"""Honest servers with much to say: nothing of it is taken for harm, and memory stays within bounds."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.mail.imap import folders
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.net.network import Network
from soinbox_web.model.server import Login
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime
from soinbox_web.services import sync
from soinbox_web.settings import Settings
from soinbox_web.store import folders as stored_folders
from soinbox_web.store import messages
from tests.real.accounts import add_user, connect_account
from tests.trust.hostile import HONEST, Hostile
from tests.trust.test_hostile import Memory

MILLION = 1_000_000
Open = Callable[..., "contextmanager[ImapConnection]"]


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def opened(settings: Settings, ca: Authority) -> Open:
    """A connection to a server that gives these answers."""

    @contextmanager
    def connected(**answers: bytes) -> Iterator[ImapConnection]:
        with Hostile(ca.issue("localhost").server_context(), **answers) as server:
            login = Login("localhost", server.port, "ssl", "anna@noordlicht.example")
            with ImapConnection.connect(login, Network(settings, SystemClock())) as connection:
                connection.sign_in("lampje")
                yield connection

    return connected  # type: ignore[return-value]


def changed(uids: range) -> bytes:
    """What QRESYNC tells at opening: these messages are read now."""
    return HONEST[b"EXAMINE"] + b"".join(
        b"* %d FETCH (UID %d FLAGS (\\Seen) MODSEQ (12))\r\n" % (uid, uid) for uid in uids
    )


@pytest.mark.parametrize("how", ["SEARCH", "ESEARCH", "one range"])
def test_a_folder_of_a_million_messages(opened: Open, how: str) -> None:
    uids = [b"%d" % uid for uid in range(2, 2 * MILLION + 2, 2)]
    said = b"* ESEARCH UID ALL " + (b",".join(uids) if how == "ESEARCH" else b"1:1000000")
    said = b"* SEARCH " + b" ".join(uids) if how == "SEARCH" else said
    with opened(SEARCH=said + b"\r\n") as connection, Memory() as memory:
        folders.examine(connection, "INBOX")
        assert len(folders.uids(connection)) == MILLION
    print(f"{memory.grown / 1e6:.0f} MB")
    assert memory.grown < 200_000_000


def test_a_hundred_thousand_flags_changed_elsewhere(opened: Open) -> None:
    with opened(EXAMINE=changed(range(1, 250_001))) as connection, Memory() as memory:
        found = folders.examine(connection, "INBOX", (1, 9))
        assert found.resynchronised
        assert sum(flags == {"\\Seen"} for _, flags in found.flags()) == 250_000
    print(f"{memory.grown / 1e6:.0f} MB")
    assert memory.grown < 100_000_000


def test_a_million_flags_changed_elsewhere_are_asked_for_again(opened: Open) -> None:
    with opened(EXAMINE=changed(range(1, MILLION + 1))) as connection, Memory() as memory:
        found = folders.examine(connection, "INBOX", (1, 9))
        assert not found.resynchronised and not found.told
        assert found.status.total == 3
    print(f"{memory.grown / 1e6:.0f} MB")
    assert memory.grown < 100_000_000


def test_every_second_message_vanished(opened: Open) -> None:
    gone = b",".join(b"%d" % uid for uid in range(1, 500_001, 2))
    said = HONEST[b"EXAMINE"] + b"* VANISHED (EARLIER) " + gone + b"\r\n"
    with opened(EXAMINE=said) as connection:
        found = folders.examine(connection, "INBOX", (1, 9))
        assert found.resynchronised
        assert sum(1 for _ in found.vanished()) == 250_000


@pytest.mark.parametrize("count", [100_000, MILLION])
def test_flags_that_changed_elsewhere_are_taken_in(runtime: Runtime, ca: Authority, count: int) -> None:
    with Hostile(ca.issue("localhost").server_context()) as server:
        login = Login("localhost", server.port, "ssl", "anna@noordlicht.example")
        made = connect_account(runtime, add_user(runtime), login, "lampje")
        sync.sync_once(runtime, made.id)
        flags = changed(range(1, count + 1)).replace(b"(\\Seen)", b"(\\Flagged)")
        server.honest |= {b"EXAMINE": flags.replace(b"MODSEQ 9", b"MODSEQ 12"), b"FETCH": flags}
        began = time.monotonic()
        with Memory() as memory:
            sync.sync_once(runtime, made.id)
        print(f"{memory.grown / 1e6:.0f} MB, {time.monotonic() - began:.1f} s")
        assert memory.grown < 100_000_000
    with runtime.mailbox(made.id, made.generation).read() as connection:
        inbox = stored_folders.by_name(connection, "INBOX")
        assert inbox is not None
        assert set(messages.uid_flags(connection, inbox.id).values()) == {frozenset({"\\Flagged"})}


def test_a_million_messages_that_are_told_and_not_given(runtime: Runtime, ca: Authority) -> None:
    with Hostile(ca.issue("localhost").server_context(), SEARCH=b"* ESEARCH UID ALL 1:1000000\r\n") as server:
        login = Login("localhost", server.port, "ssl", "anna@noordlicht.example")
        made = connect_account(runtime, add_user(runtime), login, "lampje")
        began = time.monotonic()
        with Memory() as memory:
            report = sync.sync_once(runtime, made.id)
        print(f"{memory.grown / 1e6:.0f} MB, {time.monotonic() - began:.1f} s")
        assert report.messages == 3
        assert memory.grown < 300_000_000
