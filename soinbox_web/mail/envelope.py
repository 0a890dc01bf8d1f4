"""Envelopes: a streamed FETCH, read by one regular expression, and carefully where that does not match."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from soinbox_web.mail import envelope_fields as fields
from soinbox_web.mail import structure
from soinbox_web.mail.answers import (
    Answer,
    CommandRefused,
    Matched,
    Tagged,
    begin,
    check_ours,
    heard,
    refusal,
    stream,
    translated,
)
from soinbox_web.mail.envelope_fields import INSIDE, MOMENT, STRING
from soinbox_web.mail.imap import ImapConnection
from soinbox_web.mail.imap_client import ImapClient
from soinbox_web.mail.tokens import Token, pairs, tokens
from soinbox_web.model import uid_set
from soinbox_web.model.message import Envelope

ITEMS = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (REFERENCES)])"
LARGEST_FIELD = 1_000_000  # bytes
_MOST_BYTES = 10**18  # of a message


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message whose envelope cannot be read, and why; it is set aside and stops nothing."""

    uid: int
    reason: str


@dataclass(slots=True)
class _Batch:
    asked: list[int]
    waiting: set[int]
    found: list[Envelope | Unreadable]
    end: Tagged | None = None


class Envelopes:
    """The envelopes of UIDs in the folder that is open, by batches, the next asked for before one is read.

    So the server works on a batch while the one before is stored. A server may answer two commands in any
    order (RFC 9051 section 5.5): each envelope goes to the batch that asked for it, at most once. UIDs that
    are gone by now do not come. Nothing is marked as read.
    """

    def __init__(self, connection: ImapConnection) -> None:
        self._connection = connection
        self._batches: dict[bytes, _Batch] = {}  # by tag, in the order they were asked for

    def ask(self, uids: Sequence[int]) -> None:
        """Ask for a batch; raises SoinboxError when the connection breaks."""
        with translated(self._connection):
            tag = begin(self._connection.client, "UID", "FETCH", uid_set.write(uids), ITEMS)
        self._batches[tag] = _Batch(list(uids), set(uids), [])

    def take(self) -> tuple[list[int], list[Envelope | Unreadable] | None]:
        """The oldest batch: its UIDs, and what came for them, None when the server refuses it.

        Raises SoinboxError when the connection breaks, or when it is better to come back later.
        """
        oldest = next(iter(self._batches.values()))
        if oldest.end is None:
            self._hear(oldest)
        assert oldest.end is not None
        del self._batches[oldest.end.tag]
        if not oldest.end.ok:
            error = refusal(oldest.end)
            if not isinstance(error, CommandRefused):
                for batch in self._batches.values():  # so that the connection can go on
                    if batch.end is None:
                        self._hear(batch)
                raise error
            return oldest.asked, None
        return oldest.asked, oldest.found

    def cut_off(self) -> tuple[list[Envelope | Unreadable], int]:
        """What had come of the oldest batch when the connection broke, and the UID that was to come next."""
        oldest = next(iter(self._batches.values()))
        return oldest.found, min(oldest.waiting, default=0)

    def _hear(self, until: _Batch) -> None:
        client = self._connection.client
        with translated(self._connection), _small_literals(client):
            for answer in heard(client, "FETCH", _QUICK):
                if isinstance(answer, Tagged):
                    check_ours(answer, self._batches)
                    self._batches[answer.tag].end = answer
                    if until.end is not None:
                        return
                    continue
                found = _quick(answer) if isinstance(answer, Matched) else read_envelope(answer)
                if found is None:
                    continue
                for batch in self._batches.values():
                    if found.uid in batch.waiting:
                        batch.waiting.discard(found.uid)
                        batch.found.append(found)
                        client.wire.go_on()
                        break


def fetch_newest(connection: ImapConnection, total: int, count: int) -> list[Envelope | Unreadable]:
    """The envelopes of the last `count` of `total` messages, before their UIDs are known."""
    every = range(1, uid_set.HIGHEST + 1)
    return _fetched(connection, every, count, "FETCH", f"{max(1, total - count + 1)}:{total}")


def fetch_from(connection: ImapConnection, first: int, count: int) -> list[Envelope | Unreadable]:
    """The envelopes of the UIDs `first` and up to `count` further, in one command, whichever there are."""
    uids = range(first, min(first + count, uid_set.HIGHEST) + 1)
    return _fetched(connection, uids, len(uids), "UID", "FETCH", f"{first}:{uids[-1]}")


def _fetched(connection: ImapConnection, uids: range, most: int, *words: str) -> list[Envelope | Unreadable]:
    """What came of a FETCH of envelopes: each of these UIDs at most once, and no more than `most`."""
    found: dict[int, Envelope | Unreadable] = {}
    with _small_literals(connection.client):
        for answer in stream(connection, *words, ITEMS):
            one = read_envelope(answer)
            if one is not None and one.uid in uids and one.uid not in found and len(found) < most:
                found[one.uid] = one
                connection.client.wire.go_on()
    return list(found.values())


@contextmanager
def _small_literals(client: ImapClient) -> Iterator[None]:
    """A field of an envelope has no megabytes."""
    usual, client.literal_limit = client.literal_limit, LARGEST_FIELD
    try:
        yield
    finally:
        client.literal_limit = usual


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

# The items in the order we ask for them, the reference literal announced at the end of the line: no quoted
# string can hold a line end, so nothing in the structure can be taken for that announcement.
_QUICK = re.compile(
    rb"\* \d+ FETCH \(UID (\d{1,10}) FLAGS \(([^()\"\r\n]*+)\) INTERNALDATE \"(" + MOMENT + rb")\""
    rb" RFC822\.SIZE (\d{1,18}) (?:MODSEQ \(\d+\) )?ENVELOPE \("
    rb"(?:\"(?:[A-Z][a-z]{2}, )?(" + MOMENT + rb")\"|(" + STRING + rb")) (" + STRING + rb") "
    + b" ".join([_PEOPLE] * 6) + rb" (" + STRING + rb") (" + STRING + rb")\)"
    rb" BODYSTRUCTURE (\([^\r\n]*\)) BODY\[HEADER\.FIELDS \(REFERENCES\)\] \{(?P<literal>\d{1,5})\}\r\n"
)  # fmt: skip


def _quick(answer: Matched) -> Envelope | None:
    """What `_QUICK` matched, and the References field behind it."""
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
    envelope: list[Token] = items["ENVELOPE"]
    envelope = [*envelope, *[None] * (10 - len(envelope))]
    listed = [people if isinstance(people, list) else [] for people in envelope[2:8]]
    sender, _, reply_to, to, cc, bcc = map(fields.people_of, listed)
    attached, calendar = structure.marks_of(items.get("BODYSTRUCTURE"))
    references = next((value for name, value in items.items() if name.startswith("BODY[")), None)
    given = (flag for flag in items.get("FLAGS") or () if isinstance(flag, str))
    size = int(items.get("RFC822.SIZE") or 0)
    if not 0 <= size < _MOST_BYTES:
        raise ValueError("a size that no message has")
    return Envelope(
        uid,
        frozenset(given) - fields.RECENT,
        fields.internal_date(_bytes(items.get("INTERNALDATE"))),
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


def _bytes(token: Token) -> bytes:
    if isinstance(token, str):
        return token.encode("latin-1")
    return token if isinstance(token, bytes) else b""
