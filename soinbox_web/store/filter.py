"""Which rows of a mailbox file a list shows: one WHERE clause for pages, searches and counts alike."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# A row id is a second, then these bits of its folder's id and of its UID (store/messages.py).
FOLDER_BITS, UID_BITS = 9, 20
SECOND = FOLDER_BITS + UID_BITS
LAST_SECOND = (1 << 34) - 1  # in the year 2514; what is later counts as that
BEYOND = (1 << 63) - 1  # no row has this id
_AMONG = "IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True, slots=True)
class Filter:
    """Empty parts restrict nothing. `since` (inclusive) and `until` (exclusive) bound the date of a message.

    `senders` are addresses in small letters: only those, or with `other_senders` all but those. `hidden`,
    `read` and `unread` are row ids that count as such whatever the file says.
    """

    only_unread: bool = False
    with_attachment: bool = False
    since: datetime | None = None
    until: datetime | None = None
    senders: Collection[str] | None = None
    other_senders: bool = False
    hidden: Collection[int] = field(default=())
    read: Collection[int] = field(default=())
    unread: Collection[int] = field(default=())

    def where(self) -> tuple[str, list[Any]]:
        """SQL over `messages m`, beginning with AND (or ""), and its values."""
        parts: list[str] = []
        values: list[Any] = []

        def add(sql: str, *value: Any) -> None:
            parts.append(f" AND {sql}")
            values.extend(value)

        if self.only_unread and self.unread:
            add(f"(m.seen = 0 OR m.id {_AMONG})", _ids(self.unread))
        elif self.only_unread:
            add("m.seen = 0")
        gone = {*self.hidden, *(self.read if self.only_unread else ())}
        if gone:
            add(f"m.id NOT {_AMONG}", _ids(gone))
        if self.with_attachment:
            add("m.has_attachments = 1")
        if self.since is not None:
            add("m.id >= ?", first_id(self.since))
        if self.until is not None:
            add("m.id < ?", first_id(self.until))
        if self.senders is not None:
            which = "NOT " if self.other_senders else ""
            add(f"lower(m.sender_address) {which}{_AMONG}", json.dumps(sorted(self.senders)))
        return "".join(parts), values


EVERYTHING = Filter()


def first_id(moment: datetime) -> int:
    """No row of this moment or later has a smaller id."""
    return min(max(int(moment.timestamp()), 0), LAST_SECOND) << SECOND


def row_id(second: int, folder_id: int, uid: int) -> int:
    """The id of a message's row; the next ones that are free when it is taken, `next_id`."""
    return second << SECOND | (folder_id & _FOLDERS) << UID_BITS | uid & _UIDS


def next_id(taken: int) -> int:
    """Another id of the same second and folder."""
    return taken & ~_UIDS | (taken + 1) & _UIDS


_FOLDERS, _UIDS = (1 << FOLDER_BITS) - 1, (1 << UID_BITS) - 1
IN_FOLDER = f"(search.rowid >> {UID_BITS} & {_FOLDERS}) = (? & {_FOLDERS})"  # sorts out most others unread


def _ids(ids: Collection[int]) -> str:
    return json.dumps(sorted(ids))
