"""Envelopes: both ways of reading agree, hostile answers end in a reason, real ones agree with imap-tools."""

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.mail.imap import folders
from soinbox_web.mail.imap.client import ImapClient
from soinbox_web.mail.imap.commands import NotNow, run
from soinbox_web.mail.imap.connection import ImapConnection, MailBox
from soinbox_web.mail.imap.envelope import ITEMS, Unreadable, read_carefully, read_envelope
from soinbox_web.mail.imap.envelope_batches import Asked, Envelopes
from soinbox_web.mail.imap.folder_names import decode, encode, role_by_name
from soinbox_web.mail.imap.structure import marks, marks_of
from soinbox_web.mail.imap.tokens import tokens
from soinbox_web.mail.net.network import Network
from soinbox_web.mail.net.wire import Wire
from soinbox_web.mail.stages import Stages
from soinbox_web.model.message import Correspondent, Envelope
from soinbox_web.model.server import Login
from soinbox_web.problems import SoinboxError
from soinbox_web.settings import Settings
from tests.mail.test_imap import Opened, opened
from tests.servers.mailbox import RealMailbox

__all__ = ["opened"]

PERSON = b'(("Eva Smit" NIL "eva" "hotel.example"))'
STRUCTURE = b'("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 7 1 NIL NIL NIL NIL)'


def at(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp())  # type: ignore[arg-type,misc]


def answer(
    *,
    date: bytes = b'"Mon, 23 Nov 2026 09:30:00 +0100"',
    subject: bytes = b'"Offerte"',
    to: bytes = b"NIL",
    structure: bytes = STRUCTURE,
) -> bytes:
    people = b" ".join([PERSON, PERSON, PERSON, to, b"NIL", b"NIL"])
    return (
        b'3 FETCH (UID 17 FLAGS (\\Seen) INTERNALDATE "23-Nov-2026 08:30:05 +0000" RFC822.SIZE 812 MODSEQ (9)'
        b' ENVELOPE (%b %b %b NIL "<1@x.example>") BODYSTRUCTURE %b BODY[HEADER.FIELDS (REFERENCES)] '
    ) % (date, subject, people, structure)


def read(text: bytes, references: bytes = b"\r\n") -> Envelope:
    given = [text, references, b")"]
    quick, careful = read_envelope(given), read_carefully(given)
    assert isinstance(quick, Envelope)
    assert quick == careful
    return quick


def test_an_ordinary_message() -> None:
    found = read(answer(), b"References: <a@x.example>\r\n <b@x.example>\r\n\r\n")
    assert found == Envelope(
        uid=17, flags=frozenset({"\\Seen"}),
        internal_date=at(2026, 11, 23, 8, 30, 5), size=812,
        date=at(2026, 11, 23, 8, 30), subject="Offerte",
        sender=(Correspondent("Eva Smit", "eva@hotel.example"),),
        reply_to=(Correspondent("Eva Smit", "eva@hotel.example"),), to=(), cc=(), bcc=(),
        message_id="<1@x.example>", in_reply_to="", references=("<a@x.example>", "<b@x.example>"),
        has_attachments=False, has_invitation=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"NIL", ""),
        (b'""', ""),
        (b'"a \\"b\\" \\\\ c"', 'a "b" \\ c'),
        (b'"=?utf-8?q?caf=C3=A9?= =?utf-8?q?_nu?="', "café nu"),
        (b'"=?nonsense?b?!!!?="', ""),
        (b'"\xc3\xa9t\xc3\xa9"', "été"),
        (b'"\xe9t\xe9"', "été"),
        (b'"evil\xe2\x80\xae gpj.exe"', "evil gpj.exe"),
        (b'"x UID 99 FLAGS (\\\\Deleted) ENVELOPE ("', "x UID 99 FLAGS (\\Deleted) ENVELOPE ("),
    ],
)
def test_subjects(raw: bytes, shown: str) -> None:
    found = read(answer(subject=raw))
    assert (found.subject, found.uid) == (shown, 17)


def test_literals_inside_the_envelope() -> None:
    whole = answer(subject=b"SUBJECT")
    head, tail = whole.split(b"SUBJECT")
    given = [head, b'a "literal"\r\n subject', tail, b"\r\n", b")"]
    found = read_envelope(given)
    assert isinstance(found, Envelope)
    assert found.subject == 'a "literal" subject'
    assert isinstance(read_carefully(given), Envelope)


def test_groups_and_missing_parts_of_addresses() -> None:
    people = b'((NIL NIL "Team" NIL)("B" NIL "b" "x.example")(NIL NIL NIL NIL)(NIL NIL "c" "MISSING_DOMAIN"))'
    assert read(answer(to=people)).to == (Correspondent("B", "b@x.example"), Correspondent("", "c"))


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        (b'"Mon, 23 Nov 2026 09:30:00 +0100 (CET)"', datetime(2026, 11, 23, 8, 30, tzinfo=UTC)),
        (b'"23 Nov 2026 09:30:00 -0230"', datetime(2026, 11, 23, 12, 0, tzinfo=UTC)),
        (b'"23 Nov 26 09:30 GMT"', datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
        (b'"Mon, 31 Feb 2026 09:30:00 +0100"', None),
        (b'"morgen"', None),
        (b"NIL", None),
    ],
)
def test_dates(raw: bytes, moment: datetime | None) -> None:
    assert read(answer(date=raw)).date == (moment and moment.timestamp())


PDF = b'("application" "pdf" ("name" "a.pdf") NIL NIL "base64" 900 NIL %b NIL NIL)'
CALENDAR = b'("text" "calendar" ("method" "REQUEST") NIL NIL "7bit" 90 3 NIL NIL NIL NIL)'
INLINE = (
    b'("image" "png" ("name" "l.png") "<logo>" NIL "base64" 90 NIL ("inline" ("filename" "l.png")) NIL NIL)'
)
SIGNATURE = b'("application" "pgp-signature" NIL NIL NIL "7bit" 90 NIL NIL NIL NIL)'
NAMED_TEXT = (
    b'("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 7 1 NIL ("attachment" ("filename" "x")) NIL NIL)'
)
LURE = b'("text" "plain" ("x" "(\\"attachment\\" (") NIL NIL "7bit" 7 1 NIL NIL NIL NIL)'
NESTED = (
    b'("message" "rfc822" NIL NIL NIL "7bit" 99 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ' + STRUCTURE
    + b" 4 NIL NIL NIL NIL)"
)  # fmt: skip


def mixed(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b' "mixed" ("boundary" "b") NIL NIL NIL)'


@pytest.mark.parametrize(
    ("structure", "expected"),
    [
        (STRUCTURE, (False, False)),
        (mixed(STRUCTURE, PDF % b'("attachment" ("filename" "a.pdf"))'), (True, False)),
        (mixed(STRUCTURE, PDF % b"NIL"), (True, False)),
        (mixed(STRUCTURE, CALENDAR), (False, True)),
        (mixed(STRUCTURE, INLINE), (False, False)),
        (mixed(STRUCTURE, SIGNATURE), (False, False)),
        (mixed(STRUCTURE, NESTED), (True, False)),
        (mixed(mixed(STRUCTURE, CALENDAR), NAMED_TEXT), (True, True)),
        (LURE, (False, False)),
    ],
)
def test_paperclip_and_calendar_marks(structure: bytes, expected: tuple[bool, bool]) -> None:
    assert marks(structure) == expected
    assert marks_of(tokens([structure])[0]) == expected
    found = read(answer(structure=structure))
    assert (found.has_attachments, found.has_invitation) == expected


@pytest.mark.parametrize(
    "given",
    [
        [b"3 EXISTS"],
        [b"3 FETCH (UID 17 FLAGS (\\Seen))"],
        [b"3 FETCH (FLAGS (\\Seen))"],
        [b"3 FETCH (UID 99999999999 ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL))"],
        [b"3 FETCH (UID 0 ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL))"],
        [b"OK FETCH"],
        [b""],
    ],
)
def test_other_answers_are_passed_over(given: list[bytes]) -> None:
    assert read_envelope(given) is None


@pytest.mark.parametrize(
    "text",
    [
        b'3 FETCH (UID 17 ENVELOPE ("x',
        b"3 FETCH (UID 17 ENVELOPE " + b"(" * 5000,
        b"3 FETCH (UID 17 ENVELOPE (" + b"(NIL NIL NIL NIL)" * 100_000,
        b"3 FETCH (UID 17 ENVELOPE NIL BODYSTRUCTURE NIL)",
    ],
)
def test_what_cannot_be_read_is_set_aside_quickly(text: bytes) -> None:
    begin = time.process_time()
    found = read_envelope([text])
    assert isinstance(found, Unreadable) and found.uid == 17
    assert time.process_time() - begin < 1.0


def test_names_of_folders() -> None:
    assert decode(b"Entw&APw-rfe &- meer") == "Entwürfe & meer"
    assert decode(b"&ZeVnLIqe-") == "日本語"
    for broken in (b"&Broken", b"&A-", b"&////-", b"a&AOk", b"\xff\xfe", b"&2AA-x"):
        assert decode(broken)
    for name in ("Entwürfe & meer/日本", "plain", "ünï", "&"):
        assert decode(encode(name).encode()) == name
    assert role_by_name("INBOX.Verzonden items", ".") == "sent"
    assert role_by_name("Projecten/Archief", "/") == ""


def numbered(uid: int) -> bytes:
    return b"* " + answer().replace(b"UID 17", b"UID %d" % uid) + b"{2}\r\n\r\n)\r\n"


@pytest.fixture
def line() -> Iterator[tuple[ImapConnection, socket.socket]]:
    """A connection with a folder open, and the server's end of it."""
    near, far = socket.socketpair()
    login = Login("localhost", 993, "ssl", "anna@noordlicht.example")
    client = ImapClient(Wire(near, SystemClock()), command_seconds=5)
    client.state = "SELECTED"
    with near, far:
        yield ImapConnection(login, MailBox(client), Stages("imap", login, None, clock=SystemClock())), far


def test_two_batches_may_be_answered_in_any_order(line: tuple[ImapConnection, socket.socket]) -> None:
    connection, server = line
    envelopes = Envelopes(connection)
    envelopes.ask(Asked([1, 2]))
    envelopes.ask(Asked([3, 4]))
    first, second = (command.split()[0] for command in server.recv(4096).splitlines())
    server.sendall(numbered(3) + numbered(1) + numbered(99) + numbered(4) + numbered(4))
    server.sendall(second + b" OK done\r\n" + numbered(2) + first + b" OK done\r\n")
    came = []
    for asked in ([1, 2], [3, 4]):
        taken = envelopes.take()
        assert taken.asked.uids == asked and taken.ended
        came += [one.uid for one in taken.found]
    assert sorted(came) == [1, 2, 3, 4]


def test_a_refused_batch_does_not_cost_the_next(line: tuple[ImapConnection, socket.socket]) -> None:
    connection, server = line
    envelopes = Envelopes(connection)
    envelopes.ask(Asked([1, 2]))
    envelopes.ask(Asked([3]))
    first, second = (command.split()[0] for command in server.recv(4096).splitlines())
    server.sendall(numbered(1) + first + b" NO cannot\r\n" + numbered(3) + second + b" OK done\r\n")
    refused = envelopes.take()
    assert (refused.asked.uids, refused.refused) == ([1, 2], True)
    assert [one.uid for one in envelopes.take().found] == [3]


def test_the_end_of_a_command_that_nobody_began(line: tuple[ImapConnection, socket.socket]) -> None:
    connection, server = line
    envelopes = Envelopes(connection)
    envelopes.ask(Asked([1]))
    server.sendall(numbered(1) + b"s99 OK done\r\n")
    with pytest.raises(SoinboxError):
        envelopes.take()


@pytest.mark.real
def test_the_odd_messages_agree_with_imap_tools(mailbox: RealMailbox, settings: Settings) -> None:
    for path in sorted((Path(__file__).parent.parent / "corpus").glob("*.eml")):
        mailbox.deliver(path.read_bytes())
    mailbox.deliver_text("Gewoon", sender='"Smit, Eva" <eva@hotel.example>', flags=["\\Flagged"])
    with ImapConnection.connect(mailbox.imap_login, Network(settings, SystemClock())) as connection:
        connection.sign_in(mailbox.password)
        total = folders.examine(connection, "INBOX").status.total
        asked = folders.uids(connection)
        envelopes = Envelopes(connection)
        envelopes.ask(Asked(asked))
        ours = {found.uid: found for found in envelopes.take().found}
        assert len(ours) == total == len(asked)
        for given in run(connection, "UID", "FETCH", "1:*", ITEMS).answers:
            assert read_envelope(given) == read_carefully(given)
        theirs = {int(message.uid or 0): message for message in connection.mailbox.fetch(headers_only=True)}
    for uid, found in ours.items():
        assert isinstance(found, Envelope)
        message = theirs[uid]
        assert found.size == message.size_rfc822
        assert found.flags == set(message.flags) - {"\\Recent"}
        if found.sender and message.from_ and "@" in message.from_:
            assert found.sender[0].address == message.from_
    assert next(e for e in ours.values() if isinstance(e, Envelope) and e.subject == "Gewoon").sender == (
        Correspondent("Smit, Eva", "eva@hotel.example"),
    )


def test_a_refusal_that_passes_leaves_the_connection_usable(opened: Opened) -> None:
    connection = opened(answers={"FETCH": b"NO [UNAVAILABLE] later"})
    connection.open_inbox()
    envelopes = Envelopes(connection)
    for uid in (1, 2):
        envelopes.ask(Asked([uid]))
    with pytest.raises(NotNow):
        envelopes.take()
    run(connection, "NOOP")
