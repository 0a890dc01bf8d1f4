"""Folders of a server: which there are, what each holds, opening one, its UIDs and flags."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby
from typing import NamedTuple

from imap_tools import AND

from soinbox_web.mail.imap.client import EACH, refuse_breaks
from soinbox_web.mail.imap.commands import (
    Answer,
    CommandRefused,
    Tagged,
    Tally,
    begin,
    check_ours,
    heard,
    quoted,
    run,
    stream,
    translated,
)
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.imap.envelope_fields import flags as flags_between
from soinbox_web.mail.imap.folder_answers import read_list, status_of, with_roles_by_name
from soinbox_web.mail.imap.tokens import tokens
from soinbox_web.model import uid_set
from soinbox_web.model.sync_plan import FolderStatus, ServerFolder
from soinbox_web.problems import Problem, ProtocolError

_STATUS = "MESSAGES UIDNEXT UIDVALIDITY UNSEEN"
MOST_FOLDERS = 10_000
LONGEST_NAME = 1_000  # bytes of a folder's name; what is longer no server keeps on a disk
_AROUND = 1_000  # bytes of a LIST or STATUS besides the name
_LARGEST = 2**63 - 1  # number that IMAP has (a MODSEQ), and SQLite
_CHANGES = 40_000_000  # bytes of what QRESYNC tells: the flags of 250,000 messages; more is asked for again


class Listed(NamedTuple):
    """The folders of a server, and how many more it has named than one keeps."""

    folders: list[ServerFolder]
    left_out: int


def list_folders(connection: ImapConnection) -> Listed:
    """Every folder with its role, and with its status where LIST-STATUS (RFC 5819) is offered.

    Of more than `MOST_FOLDERS` those that come first, and INBOX; none whose name is too long.
    """
    wanted = [f"STATUS ({_status_items(connection)})"] if "LIST-STATUS" in connection.capabilities else []
    if wanted and "SPECIAL-USE" in connection.capabilities:
        wanted.append("SPECIAL-USE")
    try:
        extra = [f"RETURN ({' '.join(wanted)})"] if wanted else []
        answers, left_out = _listed(connection, *extra)
    except CommandRefused:
        if not wanted:
            raise
        answers, left_out = _listed(connection)
    found = read_list(answers, connection.utf8)
    if not any(folder.role == "inbox" for folder in found):
        found.insert(0, ServerFolder("INBOX", "INBOX", "", "inbox", True))
    return Listed(with_roles_by_name(found), left_out)


def _listed(connection: ImapConnection, *extra: str) -> tuple[list[Answer], int]:
    """The answers to LIST that are kept, and how many folders are left out."""
    kept: list[Answer] = []
    too_long = Tally()
    left_out = 0
    room = {b"LIST ": MOST_FOLDERS, b"STATU": MOST_FOLDERS}
    for answer in stream(connection, "LIST", '""', '"*"', *extra, passed=too_long):
        size, kind = sum(map(len, answer)), answer[0][:5].upper()
        inbox = answer[-1][-7:].upper().strip(b' "') == b"INBOX"
        if size > LONGEST_NAME + _AROUND or (room.get(kind, 0) <= 0 and not inbox):
            with translated(connection):
                connection.client.forget(size)
            left_out += kind == b"LIST "
            continue
        kept.append(answer)
        room[kind] = room.get(kind, 0) - 1
    return kept, left_out + too_long.count


def status(connection: ImapConnection, wire: str) -> FolderStatus:
    """STATUS of one folder that is not open. Raises CommandRefused when it cannot be had."""
    items = f"({_status_items(connection)})"
    for answer in run(connection, "STATUS", quoted(wire), items).answers:
        if answer[0][:7].upper() == b"STATUS ":
            return status_of(tokens(answer)[2])
    raise _broken("no answer to STATUS")


def compress(connection: ImapConnection) -> bool:
    """DEFLATE on the line from here on (RFC 4978); False where the server does not offer it or refuses."""
    if "COMPRESS=DEFLATE" not in connection.capabilities:
        return False
    try:
        run(connection, "COMPRESS", "DEFLATE")
    except CommandRefused:
        return False
    connection.client.wire.compress()
    return True


def enable_qresync(connection: ImapConnection) -> bool:
    """Ask for QRESYNC (RFC 7162), before any folder is opened; True when the server will."""
    return "QRESYNC" in connection.capabilities and _enabled(connection, "QRESYNC")


def accept_utf8(connection: ImapConnection) -> None:
    """Ask for UTF-8 in names and headers (RFC 6855) where it is offered, before any folder is opened."""
    if {"UTF8=ACCEPT", "UTF8=ONLY"} & set(connection.capabilities):
        connection.utf8 = _enabled(connection, "UTF8=ACCEPT")


def _enabled(connection: ImapConnection, extension: str) -> bool:
    if "ENABLE" not in connection.capabilities:
        return False
    try:
        answers = run(connection, "ENABLE", extension).answers
    except CommandRefused:
        return False
    return any(
        words[:1] == [b"ENABLED"] and extension.encode() in words
        for words in (answer[0].upper().split() for answer in answers)
    )


@dataclass
class Opened:
    """A folder opened for reading; `resynchronised` when QRESYNC told all that has changed since."""

    status: FolderStatus
    resynchronised: bool = False
    told: list[bytes] = field(default_factory=list)

    def vanished(self) -> Iterator[tuple[int, int]]:
        """First and last of UIDs that are gone."""
        for text in self.told:
            if found := _VANISHED.fullmatch(text):
                try:
                    yield from uid_set.ranges(found[1].decode())
                except ValueError as error:
                    raise _broken(str(error)) from error

    def flags(self) -> Iterator[tuple[int, frozenset[str]]]:
        """UIDs and flags that have changed."""
        return filter(None, (_flags_of([text]) for text in self.told))


def examine(connection: ImapConnection, wire: str, since: tuple[int, int] | None = None) -> Opened:
    """Open a folder read-only; `since` is (UIDVALIDITY, HIGHESTMODSEQ) where QRESYNC is enabled.

    Raises CommandRefused when it is not there or cannot be opened.
    """
    parameters = []
    since = since if since and all(since) else None
    if since:
        parameters = [f"(QRESYNC ({since[0]} {since[1]}))"]
    elif "CONDSTORE" in connection.capabilities or "QRESYNC" in connection.capabilities:
        parameters = ["(CONDSTORE)"]
    connection.client.is_readonly = True
    opened = _opened(connection, "EXAMINE", wire, *parameters)
    if not opened.status.uidnext:
        opened.status = replace(opened.status, uidnext=_next_uid(connection, opened.status.total))
    opened.resynchronised &= since is not None and since[0] == opened.status.uidvalidity
    return opened


def _next_uid(connection: ImapConnection, total: int) -> int:
    """One more than the last UID of the folder that is open.

    For servers that do not tell UIDNEXT (RFC 3501 section 6.3.1 allows it, Courier does so).
    """
    return max((uid for uid, _ in flags(connection, "*", by_number=True)), default=0) + 1 if total else 1


def select(connection: ImapConnection, wire: str) -> FolderStatus:
    """Open a folder to change it, for an action that somebody asked for."""
    connection.client.is_readonly = False
    return _opened(connection, "SELECT", wire).status


def stands_still(connection: ImapConnection, since: int) -> bool:
    """Nothing has happened in the folder that is open since this HIGHESTMODSEQ (RFC 7162 section 3.2.6).

    One round trip, whatever the folder holds; QRESYNC has to be enabled. The FETCH tells what this connection
    was told before, the NOOP behind it what nobody has told it yet. To open a folder of 100,000 messages
    again took fifty times as long (measured). Raises SoinboxError when the connection breaks.
    """
    client, quiet = connection.client, True
    with translated(connection):
        asked = ("UID", "FETCH", "1:*", "(FLAGS)", f"(CHANGEDSINCE {since} VANISHED)")
        waiting = {begin(client, *asked), begin(client, "NOOP")}
        for answer in heard(client, "FETCH"):
            if isinstance(answer, Tagged):
                check_ours(answer, waiting)
                waiting.remove(answer.tag)
                quiet = quiet and answer.ok
            else:
                quiet = False
                client.go_on()  # however much has changed, nothing of it is kept
            if not waiting:
                return quiet
    raise AssertionError("a server is heard until its command has ended")


def uids(connection: ImapConnection, first: int = 1) -> list[int]:
    """The UIDs from `first` on in the folder that is open, ascending."""
    wanted = "ALL" if first <= 1 else f"UID {first}:*"
    compact = ["RETURN (ALL)"] if "ESEARCH" in connection.capabilities else []
    found = uids_found(stream(connection, "UID", "SEARCH", *compact, wanted))
    return found[bisect_left(found, first) :]


def uids_since(connection: ImapConnection, day: date) -> list[int]:
    """The UIDs of what arrived on this day or later (RFC 9051: SINCE, INTERNALDATE without its zone)."""
    return uids_found(stream(connection, "UID", "SEARCH", str(AND(date_gte=day))))


def text_search(connection: ImapConnection, words: Sequence[str]) -> list[int]:
    """The UIDs in the folder that is open whose header or text has every word, ascending.

    Words beyond ASCII go as literals, one a command (RFC 9051 section 6.4.4); where UTF-8 is accepted they
    are quoted like others, and no charset may be named. Raises CommandRefused, also for a server that knows
    no UTF-8 (BADCHARSET).
    """
    refuse_breaks(*words)
    plain = [word for word in words if word.isascii() or connection.utf8]
    keys = [part for word in plain for part in ("TEXT", quoted(word.encode().decode("latin-1")))]
    with connection.client.unhurried():
        found = set(uids_found(stream(connection, "UID", "SEARCH", *keys))) if keys else None
        for word in words:
            if word not in plain:
                connection.client.literal = word.encode()  # type: ignore[assignment]
                answers = stream(connection, "UID", "SEARCH", "CHARSET", "UTF-8", "TEXT")
                each = set(uids_found(answers))
                found = each if found is None else found & each
    return sorted(found or ())


def uids_found(answers: Iterable[Answer]) -> list[int]:
    """The UIDs in all the answers to one UID SEARCH, ascending. Raises ProtocolError for too many."""
    found: list[int] = []
    for answer in answers:
        head = answer[0][:8].upper()
        text = b""
        if head.startswith(b"ESEARCH"):
            told = re.search(rb"\bALL ([\d:,]+)", answer[0], re.IGNORECASE)
            text = told[1] if told else b""
        elif head.startswith(b"SEARCH"):
            text = re.sub(rb",,+", b",", answer[0][len(b"SEARCH") :].strip().replace(b" ", b","))
        if text:
            try:
                found.extend(uid_set.read(text.decode("latin-1"), uid_set.MOST - len(found)))
            except ValueError as error:
                raise _broken(str(error)) from error
    return [uid for uid, _ in groupby(sorted(found))]


def flags(
    connection: ImapConnection, asked: str = "1:*", *, changed_since: int = 0, by_number: bool = False
) -> Iterator[tuple[int, frozenset[str]]]:
    """(UID, flags) in the folder that is open; `asked` is a set of UIDs, or of numbers when `by_number`."""
    words = ["FETCH", asked, "(UID FLAGS)" if by_number else "(FLAGS)"]
    if changed_since:
        words.append(f"(CHANGEDSINCE {changed_since})")
    left = uid_set.MOST
    unread = Tally()  # of a message whose flags break our caps, they stay here as they are
    for answer in stream(connection, *([] if by_number else ["UID"]), *words, passed=unread):
        found = _flags_of(answer)
        if found is not None and left:
            left -= 1
            connection.client.go_on()
            yield found


# Reading the answers.

_FLAGS_ANSWER = re.compile(
    rb"\d+ FETCH \((?:(?:UID (?P<uid>\d{1,10})|FLAGS \((?P<flags>[^()]*)\)|MODSEQ \(\d+\)) ?)++\)",
    re.IGNORECASE,
)


def _flags_of(answer: Answer) -> tuple[int, frozenset[str]] | None:
    found = _FLAGS_ANSWER.fullmatch(answer[0]) if len(answer) == 1 else None
    if found is None or found["uid"] is None or found["flags"] is None:
        return None
    uid = int(found["uid"])
    if not 0 < uid <= uid_set.HIGHEST:
        return None
    return uid, flags_between(found["flags"])


_CODE = re.compile(rb"OK \[(UIDVALIDITY|UIDNEXT|HIGHESTMODSEQ) (\d{1,20})\]", re.IGNORECASE)
_EXISTS = re.compile(rb"(\d{1,10}) EXISTS", re.IGNORECASE)
_VANISHED = re.compile(rb"VANISHED(?: \(EARLIER\))? ([\d:,]+)", re.IGNORECASE)


def _opened(connection: ImapConnection, verb: str, wire: str, *parameters: str) -> Opened:
    """The folder that a command opens; of changes that are too many to keep, none is told."""
    connection.opened = ""  # a folder that cannot be opened leaves none open
    numbers = {"UIDVALIDITY": 0, "UIDNEXT": 0, "HIGHESTMODSEQ": 0}
    total, told, room, left = 0, [], _CHANGES, uid_set.MOST
    too_long = Tally()
    for text, *_ in stream(connection, verb, quoted(wire), *parameters, passed=too_long):
        if code := _CODE.match(text):
            number = int(code[2])
            numbers[code[1].decode().upper()] = number if number <= _LARGEST else 0
        elif exists := _EXISTS.fullmatch(text):
            total = int(exists[1])
        elif _VANISHED.fullmatch(text) or _FLAGS_ANSWER.fullmatch(text):
            room -= len(text) + EACH * (1 + text.count(b","))
            if room >= 0:
                told.append(text)
            elif left:
                told.clear()
                left -= 1
                connection.client.go_on()
    connection.client.state, connection.opened = "SELECTED", wire
    status = FolderStatus(numbers["UIDVALIDITY"], numbers["UIDNEXT"], total, numbers["HIGHESTMODSEQ"])
    return Opened(status, room >= 0 and not too_long.count, told)


def _status_items(connection: ImapConnection) -> str:
    return f"{_STATUS} HIGHESTMODSEQ" if "CONDSTORE" in connection.capabilities else _STATUS


def _broken(evidence: str) -> ProtocolError:
    return ProtocolError(Problem("protocol_broken", "imap", evidence=evidence, facts={"protocol": "IMAP"}))
