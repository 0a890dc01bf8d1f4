"""Envelopes: one streamed FETCH, read by one regular expression, and carefully where that does not match."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from soinbox_web.mail import structure
from soinbox_web.mail.answers import Answer, stream
from soinbox_web.mail.imap import ImapConnection
from soinbox_web.mail.mime import caps, headers
from soinbox_web.mail.tokens import Token, pairs, tokens, unescape
from soinbox_web.model import uid_set
from soinbox_web.model.message import Correspondent, Envelope

ITEMS = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (REFERENCES)])"
RECENT = frozenset({"\\Recent"})  # tells of sessions, not of messages (gone in RFC 9051)
LARGEST_FIELD = 1_000_000  # bytes
_MOST_PEOPLE = 500  # of one field
_MOST_REFERENCES = 50
_LONGEST_ID = 990


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message whose envelope cannot be read, and why; it is set aside and stops nothing."""

    uid: int
    reason: str


def fetch_envelopes(connection: ImapConnection, asked: list[int]) -> Iterator[Envelope | Unreadable]:
    """The envelopes of these UIDs in the folder that is open, in the server's order, each at most once.

    UIDs that are gone by now do not appear. Nothing is marked as read. Raises SoinboxError.
    """
    waiting = set(asked)
    with _small_literals(connection):
        for answer in stream(connection, "UID", "FETCH", uid_set.write(asked), ITEMS):
            found = read_envelope(answer)
            if found is not None and found.uid in waiting:
                waiting.discard(found.uid)
                yield found


def fetch_newest(connection: ImapConnection, total: int, count: int) -> Iterator[Envelope | Unreadable]:
    """The envelopes of the last `count` of `total` messages, before their UIDs are known."""
    seen: set[int] = set()
    with _small_literals(connection):
        for answer in stream(connection, "FETCH", f"{max(1, total - count + 1)}:{total}", ITEMS):
            found = read_envelope(answer)
            if found is not None and found.uid not in seen and len(seen) < count:
                seen.add(found.uid)
                yield found


@contextmanager
def _small_literals(connection: ImapConnection) -> Iterator[None]:
    """A field of an envelope has no megabytes."""
    usual, connection.client.literal_limit = connection.client.literal_limit, LARGEST_FIELD
    try:
        yield
    finally:
        connection.client.literal_limit = usual


def read_envelope(answer: Answer) -> Envelope | Unreadable | None:
    """The envelope in a FETCH answer; None when the answer is about something else."""
    found = _FAST.fullmatch(answer[0] if len(answer) == 1 else _in_one_line(answer))
    if found is not None and found["date"] is not None:
        return _fast(found)
    return read_carefully(answer)


_LINE_BREAK = re.compile(rb"\r?\n|\r")
_SPECIAL = re.compile(rb'(["\\])')


def _in_one_line(answer: Answer) -> bytes:
    """The answer with its literals written as strings; a folded header field is unfolded by that."""
    line = bytearray()
    for place, segment in enumerate(answer):
        if place % 2 == 0:
            line += segment
            continue
        if b"\n" in segment or b"\r" in segment:
            segment = _LINE_BREAK.sub(b" ", segment)
        if b'"' in segment or b"\\" in segment:
            segment = _SPECIAL.sub(rb"\\\1", segment)
        line += b'"' + segment + b'"'
    return bytes(line)


def read_carefully(answer: Answer) -> Envelope | Unreadable | None:
    """The slow path, for literals and whatever else is unusual."""
    if _FETCH.match(answer[0]) is None:
        return None
    uid = 0
    try:
        items = pairs(tokens(answer)[2])
        if "ENVELOPE" not in items:
            return None
        uid = int(items.get("UID") or 0)
        if not 0 < uid <= uid_set.HIGHEST:
            return None
        return _careful(uid, items)
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        late = _UID.search(answer[0]) or _UID.search(answer[-1])
        uid = uid or (int(late[1]) if late else 0)
        return Unreadable(uid, f"{type(error).__name__}: {error}"[:200]) if uid else None


# The fast path. Every part matches in one way only (possessive): the cost grows with the length alone.

_INSIDE = rb'[^"\\\r\n]*+(?:\\.[^"\\\r\n]*+)*+'
_STRING = rb'(?:NIL|"' + _INSIDE + rb'")'
_PEOPLE = rb"(NIL|\((?:\(" + rb" ".join([_STRING] * 4) + rb"\) ?)++\))"
_PLAIN = rb'[^()"]*+(?:"' + _INSIDE + rb'"[^()"]*+)*+'
_NESTED = rb"\(" + _PLAIN + rb"\)"
for _ in range(7):
    _NESTED = rb"\(" + _PLAIN + rb"(?:" + _NESTED + _PLAIN + rb")*+\)"
_FAST = re.compile(
    rb"\d+ FETCH \((?: ?(?:UID (?P<uid>\d{1,10})|FLAGS \((?P<flags>[^()\"]*+)\)"
    rb"|INTERNALDATE \"(?P<internal>[^\"]{1,40})\""
    rb"|RFC822\.SIZE (?P<size>\d{1,18})|MODSEQ \(\d+\)|ENVELOPE \((?P<date>"
    + _STRING + rb") (?P<subject>" + _STRING + rb") " + b" ".join([_PEOPLE] * 6)
    + rb" (?P<reply>" + _STRING + rb") (?P<id>" + _STRING + rb")\)|BODYSTRUCTURE (?P<structure>" + _NESTED
    + rb")|BODY\[HEADER\.FIELDS \(\"?REFERENCES\"?\)\] (?P<references>\"" + _INSIDE + rb"\")?))++ ?\)?",
    re.IGNORECASE,
)  # fmt: skip
_FIRST = _FAST.groupindex["subject"] + 1  # the six address fields follow the subject
_FETCH = re.compile(rb"\d+ FETCH ", re.IGNORECASE)
_UID = re.compile(rb"UID (\d{1,10})\b", re.IGNORECASE)


def _fast(found: re.Match[bytes]) -> Envelope | Unreadable | None:
    uid = int(found["uid"] or 0)
    if not 0 < uid <= uid_set.HIGHEST:
        return None
    sender, _, reply_to, to, cc, bcc = (_people(found[place]) for place in range(_FIRST, _FIRST + 6))
    attached, calendar = structure.marks(found["structure"] or b"")
    return Envelope(
        uid,
        _flags(found["flags"] or b""),
        internal_date((found["internal"] or b"").decode("latin-1")),
        int(found["size"] or 0),
        _date(_inside(found["date"])),
        _text(_inside(found["subject"])),
        sender,
        reply_to,
        to,
        cc,
        bcc,
        _message_id(_inside(found["id"])),
        _message_id(_inside(found["reply"])),
        _references(found["references"] or b""),
        attached,
        calendar,
    )


def _careful(uid: int, items: dict[str, Token]) -> Envelope:
    envelope: list[Token] = items["ENVELOPE"]
    envelope = [*envelope, *[None] * (10 - len(envelope))]
    people = [_people_of(envelope[place]) for place in range(2, 8)]
    attached, calendar = structure.marks_of(items.get("BODYSTRUCTURE"))
    references = next((value for name, value in items.items() if name.startswith("BODY[")), None)
    return Envelope(
        uid,
        frozenset(flag for flag in items.get("FLAGS") or () if isinstance(flag, str)) - RECENT,
        internal_date(_bytes(items.get("INTERNALDATE")).decode("latin-1")),
        int(items.get("RFC822.SIZE") or 0),
        _date(_bytes(envelope[0])),
        _text(_bytes(envelope[1])),
        people[0],
        people[2],
        people[3],
        people[4],
        people[5],
        _message_id(_bytes(envelope[9])),
        _message_id(_bytes(envelope[8])),
        _references(_bytes(references)),
        attached,
        calendar,
    )


def _bytes(token: Token) -> bytes:
    if isinstance(token, str):
        return token.encode("latin-1")
    return token if isinstance(token, bytes) else b""


def _inside(text: bytes) -> bytes:
    return b"" if text in (b"NIL", b"nil") else unescape(text[1:-1])


@lru_cache(maxsize=1024)
def _flags(text: bytes) -> frozenset[str]:
    return frozenset(text.decode("latin-1").split()) - RECENT


_VISIBLE = re.compile(rb"[\x20-\x7e]*")


def _text(raw: bytes) -> str:
    if b"=?" in raw or b"  " in raw or not _VISIBLE.fullmatch(raw):
        return headers.decode_words(raw)
    return raw[: caps.DECODED_TEXT].decode("ascii").strip()


# People: name, route, mailbox, host (a host of NIL begins or ends a group, RFC 9051 section 7.5.2).

_PERSON = re.compile(rb"\((" + _STRING + rb") " + _STRING + rb" (" + _STRING + rb") (" + _STRING + rb")\)")


@lru_cache(maxsize=8192)
def _people(raw: bytes) -> tuple[Correspondent, ...]:
    if len(raw) < 4:
        return ()
    found = [
        _person(_inside(name), _inside(local), _inside(host))
        for name, local, host in _PERSON.findall(raw)
        if host not in (b"NIL", b"nil")
    ]
    return tuple(found[:_MOST_PEOPLE])


def _people_of(token: Token) -> tuple[Correspondent, ...]:
    listed = token if isinstance(token, list) else []
    return tuple(
        _person(_bytes(one[0]), _bytes(one[2]), _bytes(one[3]))
        for one in listed[:_MOST_PEOPLE]
        if isinstance(one, list) and len(one) == 4 and one[3] is not None
    )


@lru_cache(maxsize=16_384)  # the same people write and are written to again and again
def _person(name: bytes, mailbox: bytes, host: bytes) -> Correspondent:
    local, domain = _text(mailbox), _text(host)
    if domain in ("", "MISSING_DOMAIN", ".MISSING-HOST-NAME.") or local == "MISSING_MAILBOX":
        domain, local = "", "" if local == "MISSING_MAILBOX" else local
    address = f"{local}@{domain}" if domain else local
    shown = _text(name).strip("\"' ")
    return Correspondent("" if shown == address else shown, address[:320])


# Dates.

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: place for place, name in enumerate(_MONTH_NAMES, 1)}
_COMMON_DATE = re.compile(
    r"(?:[A-Za-z]{3}, ?)?(\d{1,2}) ([A-Za-z]{3}) (\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"
    r"(?: \([^()]*\))?"
)
_INTERNAL_DATE = re.compile(r" ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")


def internal_date(text: str) -> datetime | None:
    """The moment of an INTERNALDATE, in UTC; None when it is none."""
    return _moment(_INTERNAL_DATE.fullmatch(text))


def _date(raw: bytes) -> datetime | None:
    text = raw.decode("latin-1")
    return _moment(_COMMON_DATE.fullmatch(text)) or headers.date(text)


def _moment(found: re.Match[str] | None) -> datetime | None:
    if found is None:
        return None
    day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
    try:
        local = datetime(
            int(year),
            _MONTHS[month.lower()],
            int(day),
            int(hour),
            int(minute),
            min(int(second), 59),
            tzinfo=UTC,
        )
        if hours == "00" == minutes:
            return local
        offset = timedelta(minutes=int(hours) * 60 + int(minutes))
        return local - offset if sign == "+" else local + offset
    except (ValueError, KeyError, OverflowError):
        return None


# Identifiers.


def _message_id(raw: bytes) -> str:
    if (
        raw[:1] == b"<"
        and raw[-1:] == b">"
        and b" " not in raw
        and len(raw) <= _LONGEST_ID
        and _VISIBLE.fullmatch(raw)
    ):
        return raw.decode("ascii")
    found = headers.message_ids(raw[:4000].decode("utf-8", "replace"))
    return found[0] if found else _text(raw[:_LONGEST_ID])


_REFERENCE = re.compile(rb"<[\x21-\x3b\x3d\x3f-\x7e]{1,990}>")


def _references(raw: bytes) -> tuple[str, ...]:
    if len(raw) < 16:  # `References: <a>` is longer than the bare line end of a missing field
        return ()
    found = tuple(dict.fromkeys(one.decode("ascii") for one in _REFERENCE.findall(raw[:65_536])))
    return found if len(found) <= _MOST_REFERENCES else (found[0], *found[1 - _MOST_REFERENCES :])
