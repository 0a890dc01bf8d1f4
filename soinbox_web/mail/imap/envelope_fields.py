"""The fields of an ENVELOPE as the list wants them: texts, people, moments, identifiers.

Everything here is called for each message of a mailbox, so what comes again (people, days, zones, flags) is
remembered, and the usual shape of a field is told apart before anything is decoded.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date as calendar_day
from functools import lru_cache
from itertools import islice
from typing import TypeVar

from soinbox_web.mail.imap.tokens import unescape
from soinbox_web.mail.mime import caps, headers
from soinbox_web.model.message import Correspondent

INSIDE = rb'[^"\\\r\n]*+(?:\\.[^"\\\r\n]*+)*+'
STRING = rb'(?:NIL|"' + INSIDE + rb'")'

RECENT = frozenset({"\\Recent"})  # tells of sessions, not of messages (gone in RFC 9051)
_MOST_PEOPLE = 500  # of one field
_MOST_REFERENCES = 50
_MOST_FLAGS, _LONGEST_FLAGS = 100, 10_000
_LONGEST_ID = 990
_REMEMBERED = 300  # bytes; what is longer seldom comes again, and a server could fill the memory with it
_NO_HOST = frozenset({"", "MISSING_DOMAIN", "SYNTAX_ERROR", ".MISSING-HOST-NAME.", ".SYNTAX-ERROR."})


Read = TypeVar("Read")


def _remembering(most: int) -> Callable[[Callable[[bytes], Read]], Callable[[bytes], Read]]:
    def wrap(read: Callable[[bytes], Read]) -> Callable[[bytes], Read]:
        known = lru_cache(maxsize=most)(read)

        def remembering(raw: bytes) -> Read:
            return known(raw) if len(raw) <= _REMEMBERED else read(raw)

        return remembering

    return wrap


def inside(text: bytes) -> bytes:
    """What a quoted string says; b"" for NIL."""
    return b"" if text in (b"NIL", b"nil") else unescape(text[1:-1])


@_remembering(1024)
def flags(text: bytes) -> frozenset[str]:
    """The flags between the brackets."""
    return frozenset(text[:_LONGEST_FLAGS].decode("latin-1").split()[:_MOST_FLAGS]) - RECENT


def quoted_text(raw: bytes) -> str:
    """The text of a quoted string or NIL."""
    return text(unescape(raw[1:-1]) if raw[:1] == b'"' else b"")


def text(raw: bytes) -> str:
    """Decoded (RFC 2047), on one line, without control characters."""
    plain = raw.decode("latin-1")
    if plain.isascii() and plain.isprintable() and not ("=?" in plain or "  " in plain):
        return plain[: caps.DECODED_TEXT].strip()
    return headers.decode_words(raw)


# People: name, route, mailbox, host (a host of NIL begins or ends a group, RFC 9051 section 7.5.2).

_PERSON = re.compile(rb"\((" + STRING + rb") " + STRING + rb" (" + STRING + rb") (" + STRING + rb")\)")


@_remembering(16_384)  # the same people write and are written to again and again
def people(raw: bytes) -> tuple[Correspondent, ...]:
    """The people of an address list as it came, or NIL."""
    if len(raw) < 4:
        return ()
    return _named(
        person(*map(inside, found.groups()))
        for found in _PERSON.finditer(raw)
        if found[3] not in (b"NIL", b"nil")
    )


def people_of(listed: Sequence[object]) -> tuple[Correspondent, ...]:
    """The people of an address list that was parsed."""
    return _named(
        person(*(part if isinstance(part, bytes) else b"" for part in (one[0], one[2], one[3])))
        for one in listed
        if isinstance(one, list) and len(one) == 4 and one[3] is not None
    )


def _named(found: Iterable[Correspondent]) -> tuple[Correspondent, ...]:
    """Those of whom anything is known, the first hundreds of them."""
    return tuple(islice((one for one in found if any(one)), _MOST_PEOPLE))


def person(name: bytes, mailbox: bytes, host: bytes) -> Correspondent:
    """One person; hosts that stand for a missing one, or for one that cannot be read, are left out."""
    short = len(name) + len(mailbox) + len(host) <= _REMEMBERED
    return (_person if short else _person.__wrapped__)(name, mailbox, host)


@lru_cache(maxsize=16_384)
def _person(name: bytes, mailbox: bytes, host: bytes) -> Correspondent:
    local, domain = text(mailbox), text(host)
    if domain in _NO_HOST or local == "MISSING_MAILBOX":
        domain, local = "", "" if local == "MISSING_MAILBOX" else local
    address = f"{local}@{domain}" if domain else local
    shown = headers.unquoted(text(name))
    return Correspondent("" if shown == address else shown, address[:320])


# Moments, in seconds since 1970.

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: place for place, name in enumerate(_MONTH_NAMES, 1)}
_DAY = re.compile(rb" ?(\d{1,2})[ -]([A-Za-z]{3})[ -](\d{4})")
_EPOCH = calendar_day(1970, 1, 1).toordinal()
MOMENT = rb"(?: ?\d|\d\d)[ -][A-Za-z]{3}[ -]\d{4} \d\d:\d\d:\d\d [+-]\d{4}"
_MOMENT = re.compile(rb"(?:[A-Za-z]{3}, ?)?(" + MOMENT + rb")(?: \([^()]*\))?")


@lru_cache(maxsize=8192)
def _day(raw: bytes) -> int | None:
    found = _DAY.fullmatch(raw)
    try:
        if found is None:
            return None
        day = calendar_day(int(found[3]), _MONTHS[found[2].decode().lower()], int(found[1]))
        return (day.toordinal() - _EPOCH) * 86_400
    except (ValueError, KeyError):
        return None


@lru_cache(maxsize=1024)
def _zone(raw: bytes) -> int:
    offset = int(raw[1:3]) * 3600 + int(raw[3:5]) * 60
    return -offset if raw[:1] == b"-" else offset


def seconds(moment: bytes) -> int | None:
    """The moment that MOMENT matched; None when there is no such day or hour."""
    day = _day(moment[:-15])
    hour, minute, second = int(moment[-14:-12]), int(moment[-11:-9]), int(moment[-8:-6])
    if day is None or hour > 23 or minute > 59:
        return None
    return day + hour * 3600 + minute * 60 + (second if second < 60 else 59) - _zone(moment[-5:])


def internal_date(raw: bytes) -> int | None:
    """The moment of an INTERNALDATE; None when it is none."""
    found = _MOMENT.fullmatch(raw)
    return seconds(found[1]) if found else None


def date(raw: bytes) -> int | None:
    """The moment of a Date field; None when it cannot be read."""
    found = _MOMENT.fullmatch(raw)
    if found is not None:
        usual = seconds(found[1])
        if usual is not None:
            return usual
    read = headers.date(raw.decode("latin-1"))
    return int(read.timestamp()) if read else None


# Identifiers.


def message_id(raw: bytes) -> str:
    """A Message-ID with its brackets, or whatever stands there."""
    named = raw.decode("latin-1")
    if (
        named[:1] == "<"
        and named[-1:] == ">"
        and " " not in named
        and len(named) <= _LONGEST_ID
        and named.isascii()
        and named.isprintable()
    ):
        return named
    found = headers.message_ids(raw[:4000].decode("utf-8", "replace"))
    return found[0] if found else text(raw[:_LONGEST_ID])


_REFERENCE = re.compile(rb"<[\x21-\x3b\x3d\x3f-\x7e]{1,990}>")


def references(raw: bytes) -> tuple[str, ...]:
    """The Message-IDs of a References field, header name and all."""
    if len(raw) < 16:  # `References: <a>` is longer than the bare line end of a missing field
        return ()
    found = tuple(dict.fromkeys(one.decode("ascii") for one in _REFERENCE.findall(raw[:65_536])))
    return found if len(found) <= _MOST_REFERENCES else (found[0], *found[1 - _MOST_REFERENCES :])
