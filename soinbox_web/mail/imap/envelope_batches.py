"""Envelopes in batches: a streamed FETCH; what breaks a cap is asked for in part, and stops no other."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

from soinbox_web.mail.imap import header_parts
from soinbox_web.mail.imap.client import ImapClient
from soinbox_web.mail.imap.commands import (
    CommandRefused,
    Passed,
    Tagged,
    begin,
    check_ours,
    heard,
    refusal,
    stream,
    translated,
)
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.imap.envelope import ITEMS, QUICK, Depth, Unreadable, read, uid_of
from soinbox_web.model import uid_set
from soinbox_web.model.message import Envelope

ITEMS_AT: dict[Depth, str] = {
    0: ITEMS,
    1: f"(UID FLAGS INTERNALDATE RFC822.SIZE {header_parts.FIELDS})",
    2: f"(UID {header_parts.FIELDS})",
}
DEEPEST: Depth = 2
LARGEST_FIELD = 1_000_000  # bytes
PORTION = 8_000_000  # bytes of answers whose envelopes are handed on together


class Asked(NamedTuple):
    """UIDs to be fetched, and how deep one has gone down to get anything of them."""

    uids: Sequence[int]
    depth: Depth = 0


@dataclass(slots=True)
class _Batch:
    asked: Asked
    waiting: set[int]
    lost: bool = False  # an answer was passed over that did not say which message it was about
    end: Tagged | None = None


@dataclass(slots=True)
class Taken:
    """What came since the last time; `ended`: what was asked for is all here, or `refused` by the server."""

    found: list[Envelope | Unreadable]
    asked: Asked
    ended: bool = False
    refused: bool = False


class Envelopes:
    """The envelopes of UIDs in the folder that is open, by batches, the next asked for before one is read.

    So the server works on a batch while the one before is stored. A server may answer two commands in any
    order (RFC 9051 section 5.5): each envelope goes to the batch that asked for it, at most once. UIDs that
    are gone by now do not come. Nothing is marked as read.
    """

    def __init__(self, connection: ImapConnection) -> None:
        self._connection = connection
        self._batches: dict[bytes, _Batch] = {}  # by tag, in the order they were asked for
        self._found: list[Envelope | Unreadable] = []
        self._kept = 0  # bytes of the answers they were read from

    def ask(self, asked: Asked) -> None:
        """Ask for a batch; raises SoinboxError when the connection breaks."""
        with translated(self._connection):
            words = ("UID", "FETCH", uid_set.write(asked.uids), ITEMS_AT[asked.depth])
            tag = begin(self._connection.client, *words)
        self._batches[tag] = _Batch(asked, set(asked.uids))

    def take(self) -> Taken:
        """What comes next, as much as one keeps at once; the oldest batch, and whether it has ended by that.

        Raises SoinboxError when the connection breaks, or when it is better to come back later.
        """
        tag, oldest = next(iter(self._batches.items()))
        if oldest.end is None:
            self._hear(oldest)
        taken = Taken(self.came(), oldest.asked)
        if oldest.end is not None:
            del self._batches[tag]
            taken.ended, taken.refused = True, not oldest.end.ok
            if taken.refused and not isinstance(error := refusal(oldest.end), CommandRefused):
                for batch in self._batches.values():  # so that the connection can go on
                    while batch.end is None:
                        self._hear(batch)
                raise error
            if oldest.lost:
                taken.found += [
                    Unreadable(uid, "too_large", oldest.asked.depth) for uid in sorted(oldest.waiting)
                ]
        return taken

    def came(self) -> list[Envelope | Unreadable]:
        """What has come and was not taken yet."""
        found, self._found, self._kept = self._found, [], 0
        return found

    def awaited(self) -> tuple[int, Depth]:
        """The UID that is to come next, 0 for none, and how it was asked for."""
        oldest = next(iter(self._batches.values()))
        return min(oldest.waiting, default=0), oldest.asked.depth

    def _hear(self, until: _Batch) -> None:
        client = self._connection.client
        with translated(self._connection), _small_literals(client):
            for answer in heard(client, "FETCH", QUICK):
                if isinstance(answer, Tagged):
                    check_ours(answer, self._batches)
                    self._batches[answer.tag].end = answer
                    if until.end is not None:
                        return
                elif isinstance(answer, Passed):
                    self._passed(answer)
                else:
                    found, size = read(answer)
                    self._kept += size if self._note(found) else 0
                    if self._kept > PORTION:
                        return

    def _note(self, found: Envelope | Unreadable | None) -> bool:
        """Keep what was asked for and has not come yet; False for everything else."""
        for batch in self._batches.values():
            if found is not None and found.uid in batch.waiting:
                batch.waiting.discard(found.uid)
                self._connection.client.go_on()
                depth = batch.asked.depth
                if isinstance(found, Unreadable):
                    found = replace(found, depth=depth)
                elif depth == DEEPEST:
                    found = Unreadable(found.uid, "unreadable", depth, found)
                self._found.append(found)
                return True
        return False

    def _passed(self, answer: Passed) -> None:
        uid = uid_of(answer)
        if not uid:
            for batch in self._batches.values():
                batch.lost = True
        else:
            self._note(Unreadable(uid, "too_large"))


def fetch_newest(connection: ImapConnection, total: int, count: int) -> list[Envelope]:
    """The envelopes of the last `count` of `total` messages, before their UIDs are known."""
    every = range(1, uid_set.HIGHEST + 1)
    return _fetched(connection, every, count, "FETCH", f"{max(1, total - count + 1)}:{total}")


def fetch_from(connection: ImapConnection, first: int, count: int) -> list[Envelope]:
    """The envelopes of the UIDs `first` and up to `count` further, in one command, whichever there are."""
    uids = range(first, min(first + count, uid_set.HIGHEST) + 1)
    return _fetched(connection, uids, len(uids), "UID", "FETCH", f"{first}:{uids[-1]}")


def _fetched(connection: ImapConnection, uids: range, most: int, *words: str) -> list[Envelope]:
    """What came of a FETCH of envelopes: each of these UIDs at most once, no more than `most`, nor than fits.

    What cannot be read is left to `Envelopes`.
    """
    client, kept = connection.client, 0
    found: dict[int, Envelope] = {}
    seen: set[int] = set()

    def is_new(uid: int) -> bool:
        new = uid in uids and uid not in seen and len(seen) < most
        if new:
            seen.add(uid)
            client.go_on()
        return new

    with _small_literals(client):
        for answer in stream(connection, *words, ITEMS, passed=lambda passed: is_new(uid_of(passed))):
            one, size = read(answer)
            if one is not None and is_new(one.uid) and kept < PORTION and isinstance(one, Envelope):
                found[one.uid] = one
                kept += size
    return list(found.values())


@contextmanager
def _small_literals(client: ImapClient) -> Iterator[None]:
    """A field of an envelope has no megabytes."""
    usual, client.literal_limit = client.literal_limit, LARGEST_FIELD
    try:
        yield
    finally:
        client.literal_limit = usual
