"""Envelopes: read by one regular expression, and carefully where that does not match."""

import re
from dataclasses import dataclass
from typing import Literal

from soinbox_web.mail.imap import envelope_fields as fields
from soinbox_web.mail.imap import header_parts, structure
from soinbox_web.mail.imap.commands import Answer, Matched, Passed
from soinbox_web.mail.imap.envelope_fields import INSIDE, MOMENT, STRING
from soinbox_web.mail.imap.tokens import Token, pairs, tokens
from soinbox_web.model import uid_set
from soinbox_web.model.message import Envelope, Reason

Depth = Literal[0, 1, 2]  # whole; without the server's ENVELOPE; nothing but its name
ITEMS = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (REFERENCES)])"
_MOST_BYTES = 10**18  # of a message


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message of which what was asked cannot be had, and why."""

    uid: int
    reason: Reason
    depth: Depth = 0
    known: Envelope | None = None  # its name, as far as that could be had


def read(answer: Answer | Matched) -> tuple[Envelope | Unreadable | None, int]:
    """The envelope in an answer, and how many bytes it was read from."""
    if isinstance(answer, Matched):
        return _quick(answer), answer.size
    return read_envelope(answer), sum(map(len, answer))


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
        in_parts = any(name.startswith(_PART) for name in items)
        if "ENVELOPE" not in items and not in_parts:
            return None
        uid = int(items.get("UID") or 0)
        if not 0 < uid <= uid_set.HIGHEST:
            return None
        return _careful(uid, items)
    except (ValueError, TypeError, IndexError, AttributeError):
        late = _UID.search(answer[0]) or _UID.search(answer[-1])
        uid = uid or (int(late[1]) if late else 0)
        return Unreadable(uid, "unreadable") if uid else None


# The fast path. Every part matches in one way only (possessive): the cost grows with the length alone.

_PEOPLE = rb"(NIL|\((?:\(" + rb" ".join([STRING] * 4) + rb"\) ?)++\))"
_PLAIN = rb'[^()"]*+(?:"' + INSIDE + rb'"[^()"]*+)*+'
_NESTED = rb"\(" + _PLAIN + rb"\)"
for _ in range(7):
    _NESTED = rb"\(" + _PLAIN + rb"(?:" + _NESTED + _PLAIN + rb")*+\)"
_FAST = re.compile(
    rb"\d+ FETCH \((?: ?(?:UID (?P<uid>\d{1,10})|FLAGS \((?P<flags>[^()\"]*+)\)"
    rb"|INTERNALDATE \"(?P<internal>[^\"]{1,40})\""
    rb"|RFC822\.SIZE (?P<size>\d{1,18})|MODSEQ \(\d+\)|ENVELOPE \((?P<date>"
    + STRING + rb") (?P<subject>" + STRING + rb") " + b" ".join([_PEOPLE] * 6)
    + rb" (?P<reply>" + STRING + rb") (?P<id>" + STRING + rb")\)|BODYSTRUCTURE (?P<structure>" + _NESTED
    + rb")|BODY\[HEADER\.FIELDS \(\"?REFERENCES\"?\)\] (?P<references>\"" + INSIDE + rb"\")?))++ ?\)?",
    re.IGNORECASE,
)  # fmt: skip
_FIRST = _FAST.groupindex["subject"] + 1  # the six address fields follow the subject
_FETCH = re.compile(rb"\d+ FETCH ", re.IGNORECASE)
_UID = re.compile(rb"UID (\d{1,10})\b", re.IGNORECASE)
_PART = "BODY[HEADER.FIELDS (DATE)]"

# The items in the order we ask for them, the reference literal announced at the end of the line: no quoted
# string can hold a line end, so nothing in the structure can be taken for that announcement.
QUICK = re.compile(
    rb"\* \d+ FETCH \(UID (\d{1,10}) FLAGS \(([^()\"\r\n]*+)\) INTERNALDATE \"(" + MOMENT + rb")\""
    rb" RFC822\.SIZE (\d{1,18}) (?:MODSEQ \(\d+\) )?ENVELOPE \("
    rb"(?:\"(?:[A-Z][a-z]{2}, )?(" + MOMENT + rb")\"|(" + STRING + rb")) (" + STRING + rb") "
    + b" ".join([_PEOPLE] * 6) + rb" (" + STRING + rb") (" + STRING + rb")\)"
    rb" BODYSTRUCTURE (\([^\r\n]*\)) BODY\[HEADER\.FIELDS \(REFERENCES\)\] \{(?P<literal>\d{1,5})\}\r\n"
)  # fmt: skip


def _quick(answer: Matched) -> Envelope | None:
    """What `QUICK` matched, and the References field behind it."""
    uid, flags, internal, size, usual, unusual, subject, sender, _, *rest = answer.found.groups()
    reply_to, to, cc, bcc, reply, own, shape, _ = rest
    number = int(uid)
    if not 0 < number <= uid_set.HIGHEST:
        return None
    people, attached, calendar = fields.people, *structure.marks(shape)
    date = fields.seconds(usual) if usual else fields.date(fields.inside(unusual))
    first = people(sender)
    return Envelope(
        number,
        fields.flags(flags),
        fields.seconds(internal),
        int(size),
        date,
        fields.quoted_text(subject),
        first,
        first if reply_to == sender else people(reply_to),
        people(to),
        people(cc) if cc != b"NIL" else (),
        people(bcc) if bcc != b"NIL" else (),
        fields.message_id(fields.inside(own)),
        fields.message_id(fields.inside(reply)) if reply != b"NIL" else "",
        fields.references(answer.literal),
        attached,
        calendar,
    )


def _fast(found: re.Match[bytes]) -> Envelope | Unreadable | None:
    uid = int(found["uid"] or 0)
    if not 0 < uid <= uid_set.HIGHEST:
        return None
    sender, _, reply_to, to, cc, bcc = (fields.people(found[place]) for place in range(_FIRST, _FIRST + 6))
    attached, calendar = structure.marks(found["structure"] or b"")
    return Envelope(
        uid,
        fields.flags(found["flags"] or b""),
        fields.internal_date(found["internal"] or b""),
        int(found["size"] or 0),
        fields.date(fields.inside(found["date"])),
        fields.quoted_text(found["subject"]),
        sender,
        reply_to,
        to,
        cc,
        bcc,
        fields.message_id(fields.inside(found["id"])),
        fields.message_id(fields.inside(found["reply"])),
        fields.references(found["references"] or b""),
        attached,
        calendar,
    )


def _careful(uid: int, items: dict[str, Token]) -> Envelope:
    if "ENVELOPE" not in items:
        return _in_parts(uid, items)
    envelope: list[Token] = items["ENVELOPE"]
    envelope = [*envelope, *[None] * (10 - len(envelope))]
    listed = [people if isinstance(people, list) else [] for people in envelope[2:8]]
    sender, _, reply_to, to, cc, bcc = map(fields.people_of, listed)
    attached, calendar = structure.marks_of(items.get("BODYSTRUCTURE"))
    references = next((value for name, value in items.items() if name.startswith("BODY[")), None)
    flags, internal, size = _of_message(items)
    return Envelope(
        uid,
        flags,
        internal,
        size,
        fields.date(_bytes(envelope[0])),
        fields.text(_bytes(envelope[1])),
        sender,
        reply_to,
        to,
        cc,
        bcc,
        fields.message_id(_bytes(envelope[9])),
        fields.message_id(_bytes(envelope[8])),
        fields.references(_bytes(references)),
        attached,
        calendar,
    )


def _in_parts(uid: int, items: dict[str, Token]) -> Envelope:
    return header_parts.envelope(uid, items, *_of_message(items))


def _of_message(items: dict[str, Token]) -> tuple[frozenset[str], int | None, int]:
    """Flags, arrival and size. Raises ValueError."""
    given = (flag for flag in items.get("FLAGS") or () if isinstance(flag, str))
    size = int(items.get("RFC822.SIZE") or 0)
    if not 0 <= size < _MOST_BYTES:
        raise ValueError("a size that no message has")
    return frozenset(given) - fields.RECENT, fields.internal_date(_bytes(items.get("INTERNALDATE"))), size


def _bytes(token: Token) -> bytes:
    if isinstance(token, str):
        return token.encode("latin-1")
    return token if isinstance(token, bytes) else b""


# What was passed over: a sender may write `UID 7` too, but neither before the envelope nor behind it.

_FIRST_UID = re.compile(
    rb"\d+ FETCH \((?:(?:FLAGS \([^()\"]*\)|INTERNALDATE \"[^\"]{1,40}\"|RFC822\.SIZE \d{1,18}"
    rb"|MODSEQ \(\d+\)) )*UID (\d{1,10})\b",
    re.IGNORECASE,
)
_LAST_UID = re.compile(rb" UID (\d{1,10})(?: FLAGS \([^()\"]*\)| MODSEQ \(\d+\))*\)\Z", re.IGNORECASE)


def uid_of(passed: Passed) -> int:
    """Which message of the folder an answer is about that was passed over; 0 when that was not to be seen."""
    if _FETCH.match(passed.head) is None:
        return 0
    found = _FIRST_UID.match(passed.head) or _LAST_UID.search(passed.tail)
    return int(found[1]) if found and 0 < int(found[1]) <= uid_set.HIGHEST else 0
