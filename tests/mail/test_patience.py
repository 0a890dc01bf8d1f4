"""Who brings what was asked for, slowly, is waited for; who says other things, or nothing, is not."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.mail.imap import bodies, folders, mailbox_changes
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.imap.envelope_batches import Asked, Envelopes, fetch_newest
from soinbox_web.mail.net.network import Network
from soinbox_web.mail.net.opening import Timeouts
from soinbox_web.model.server import Login
from soinbox_web.problems import NetworkError
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.settings import Settings
from tests.trust.hostile import Hostile, fetched

PROMPT, ALTOGETHER, PAUSE = 0.5, 2.5, 0.3
Open = Callable[..., AbstractContextManager[ImapConnection]]


@pytest.fixture
def opened(settings: Settings, ca: Authority) -> Open:
    """INBOX of a server that answers one command piece by piece, a pause before each."""

    @contextmanager
    def connected(
        stage: bytes, *pieces: bytes, pause: float = PAUSE, offers: bytes = b""
    ) -> Iterator[ImapConnection]:
        def slowly() -> Iterator[bytes]:
            for piece in (*pieces, b"<tag> OK done\r\n"):
                time.sleep(pause)
                yield piece

        honest = {"CAPABILITY": offers} if offers else {}
        with Hostile(ca.issue("localhost").server_context(), stage, slowly, **honest) as server:
            login = Login("localhost", server.port, "ssl", "anna@noordlicht.example")
            network, timeouts = Network(settings, SystemClock()), Timeouts(prompt=PROMPT, command=ALTOGETHER)
            connection = ImapConnection.connect(login, network, timeouts=timeouts)
            try:
                connection.sign_in("lampje")
                if stage != b"EXAMINE":
                    folders.examine(connection, "INBOX")
                yield connection
            finally:
                connection.close()

    return connected


def test_messages_one_by_one(opened: Open) -> None:
    with opened(b"FETCH", *map(fetched, range(1, 6))) as connection:
        envelopes = Envelopes(connection)
        envelopes.ask(Asked(range(1, 6)))
        assert [one.uid for one in envelopes.take().found] == [1, 2, 3, 4, 5]
    with opened(b"FETCH", *map(fetched, range(1, 6))) as connection:
        assert len(fetch_newest(connection, 5, 5)) == 5


def test_flags_one_by_one(opened: Open) -> None:
    with opened(b"FETCH", *(b"* 1 FETCH (UID %d FLAGS ())\r\n" % uid for uid in range(1, 6))) as connection:
        assert [uid for uid, _ in folders.flags(connection)] == [1, 2, 3, 4, 5]


def test_a_large_message_piece_by_piece(opened: Open) -> None:
    piece = b"x" * 600_000
    head = b"* 1 FETCH (UID 1 BODY[] {2400000}\r\n"
    with opened(b"FETCH", head + piece, *[piece] * 3, b")\r\n") as connection:
        assert list(bodies.fetch_bodies(connection, [1])) == [(1, piece * 4)]


def test_a_message_has_the_time_that_a_slow_line_takes(opened: Open) -> None:
    """20 kB a second; less than half a megabyte has to come within the usual time."""
    piece = b"x" * 600_000
    head = b"* 1 FETCH (UID 1 BODY[] {6000000}\r\n"
    with opened(b"FETCH", head + piece, *[piece] * 9, b")\r\n") as connection:
        began = time.monotonic()
        assert list(bodies.fetch_bodies(connection, [1])) == [(1, piece * 10)]
        assert time.monotonic() - began > ALTOGETHER


WORK = pytest.mark.parametrize(
    ("stage", "act"),
    [
        (b"SEARCH", lambda connection: folders.text_search(connection, ["hallo"])),
        (b"SEARCH", lambda connection: mailbox_changes.find_message_id(connection, "<1@klant.example>")),
        (b"STORE", lambda connection: mailbox_changes.store_flags(connection, [1], add=["\\Seen"])),
        (b"COPY", lambda connection: mailbox_changes.copy(connection, [1], "Archive")),
        (b"MOVE", lambda connection: mailbox_changes.move(connection, [1], "Archive")),
        (b"EXPUNGE", lambda connection: mailbox_changes.expunge(connection, [1])),
    ],
    ids=["words", "Message-ID", "STORE", "COPY", "MOVE", "EXPUNGE"],
)
OFFERED = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR MOVE UIDPLUS\r\n"


@WORK
def test_who_works_and_says_so_is_waited_for(
    opened: Open, stage: bytes, act: Callable[[ImapConnection], object]
) -> None:
    with opened(stage, *[b"* OK Hang in there\r\n"] * 3, offers=OFFERED) as connection:
        act(connection)


@WORK
def test_who_works_in_silence_is_not_waited_for(
    opened: Open, stage: bytes, act: Callable[[ImapConnection], object]
) -> None:
    with opened(stage, pause=2 * PROMPT, offers=OFFERED) as connection:
        _ends_in_time(connection, act)


def test_an_append_in_silence_is_not_waited_for(opened: Open) -> None:
    with opened(b"APPEND", b"+ go on\r\n", pause=0.8 * PROMPT) as connection:
        mailbox_changes.append(connection, "Sent", b"Hallo\r\n", ())
    with opened(b"APPEND", b"+ go on\r\n", b"", b"", pause=0.8 * PROMPT) as connection:
        _ends_in_time(
            connection, lambda connection: mailbox_changes.append(connection, "Sent", b"Hallo\r\n", ())
        )


def test_work_does_not_take_for_ever(opened: Open) -> None:
    with opened(b"COPY", *[b"* OK Hang in there\r\n"] * 20) as connection:
        began = time.monotonic()
        with pytest.raises(NetworkError):
            mailbox_changes.copy(connection, [1], "Archive")
        assert ALTOGETHER <= time.monotonic() - began < ALTOGETHER + PAUSE


@pytest.mark.parametrize(
    ("stage", "said", "act"),
    [
        (b"FETCH", fetched(7), lambda connection: fetch_newest(connection, 0, 0)),
        (b"FETCH", fetched(1), lambda connection: list(bodies.fetch_bodies(connection, [1]))),
        (b"FETCH", b"* OK Still here\r\n", lambda connection: list(folders.flags(connection))),
        (b"SEARCH", b"* OK Still here\r\n", folders.uids),
        (b"EXAMINE", b"* OK Still here\r\n", lambda connection: folders.examine(connection, "INBOX")),
        (b"LIST", b'* LIST () "/" INBOX\r\n', folders.list_folders),
    ],
    ids=["too many", "not asked for", "flags", "UIDs", "opening", "folders"],
)
def test_what_is_of_no_use_is_not_waited_for(
    opened: Open, stage: bytes, said: bytes, act: Callable[[ImapConnection], object]
) -> None:
    with opened(stage, *[said] * 20) as connection:
        _ends_in_time(connection, act)


def test_not_even_what_is_of_use_takes_for_ever(opened: Open) -> None:
    with opened(b"FETCH", *(b"* 1 FETCH (UID %d FLAGS ())\r\n" % uid for uid in range(1, 99))) as connection:
        began = time.monotonic()
        with pytest.raises(NetworkError):
            list(folders.flags(connection))
        assert ALTOGETHER <= time.monotonic() - began < ALTOGETHER + PAUSE


def _ends_in_time(connection: ImapConnection, act: Callable[[ImapConnection], object]) -> None:
    began = time.monotonic()
    with pytest.raises(NetworkError) as caught:
        act(connection)
    assert caught.value.problem.code == "timeout"
    assert PROMPT <= time.monotonic() - began < 2 * PROMPT
