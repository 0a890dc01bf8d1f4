"""Messages of a mailbox file: envelopes in, pages out by keyset.

A row's id is ordered by date: seconds since 1970, then folder and UID. So the newest message of a folder, of
all folders or of a search is the one with the highest id, and a page needs no other index.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Literal

from soinbox_web.model.message import Correspondent, Envelope
from soinbox_web.store import skipped_messages, threads
from soinbox_web.store.filter import EVERYTHING, LAST_SECOND, Filter, next_id, row_id
from soinbox_web.store.moments import time_text

Sort = Literal["date", "sender", "subject"]
Cursor = tuple[str, int]  # the sort column's text ("" for date) and the row id of the last row seen

_FUTURE = 86_400  # seconds; a Date header further ahead of the arrival than this is not believed
_COLUMNS = (
    "id", "folder_id", "uid", "sort_at", "flags", "seen", "size", "date", "internal_date", "subject",
    "sender_name", "sender_address", "sort_sender", "sort_subject", "correspondents", "message_id",
    "in_reply_to", "reference_ids", "has_attachments", "has_invitation", "thread_id",
)  # fmt: skip
INSERT = f"INSERT INTO messages ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
_SORT_COLUMNS: dict[Sort, str] = {"date": "''", "sender": "sort_sender", "subject": "sort_subject"}


def page(
    connection: sqlite3.Connection,
    folder_id: int,
    *,
    after: Cursor | None = None,
    limit: int = 50,
    sort: Sort = "date",
    descending: bool = True,
    only: Filter = EVERYTHING,
) -> list[sqlite3.Row]:
    """The next rows after a cursor."""
    column, order, beyond = _SORT_COLUMNS[sort], *(("DESC", "<") if descending else ("ASC", ">"))
    wanted, values = only.where()
    if after is not None and sort == "date":
        wanted += f" AND m.id {beyond} ?"
        values.append(after[1])
    elif after is not None:
        wanted += f" AND ({column}, m.id) {beyond} (?, ?)"
        values.extend(after)
    ordering = f"m.id {order}" if sort == "date" else f"{column} {order}, m.id {order}"
    return connection.execute(
        f"SELECT * FROM messages m WHERE m.folder_id = ?{wanted} ORDER BY {ordering} LIMIT ?",  # noqa: S608
        (folder_id, *values, limit),
    ).fetchall()


def cursor_of(row: sqlite3.Row, sort: Sort = "date") -> Cursor:
    """Where the page that ends with this row goes on."""
    return ("" if sort == "date" else str(row[_SORT_COLUMNS[sort]]), int(row["id"]))


def count(
    connection: sqlite3.Connection, folder_id: int, only: Filter = EVERYTHING, *, most: int = -1
) -> int:
    """How many rows of a folder the filter has in all; counting ends at `most`."""
    wanted, values = only.where()
    sql = f"SELECT count(*) FROM (SELECT 1 FROM messages m WHERE m.folder_id = ?{wanted} LIMIT ?)"  # noqa: S608
    return int(connection.execute(sql, (folder_id, *values, most)).fetchone()[0])


def find(connection: sqlite3.Connection, folder: str, uidvalidity: int, uid: int) -> sqlite3.Row | None:
    """The row that a message key names, or None when the key is stale."""
    found: sqlite3.Row | None = connection.execute(
        "SELECT m.* FROM messages m JOIN folders f ON f.id = m.folder_id"
        " WHERE f.name = ? AND f.uidvalidity = ? AND m.uid = ?",
        (folder, uidvalidity, uid),
    ).fetchone()
    return found


def refind(connection: sqlite3.Connection, message_id: str, size: int, date: str | None) -> list[sqlite3.Row]:
    """Where a message went whose key is stale: the same Message-ID, size and date, newest first."""
    return connection.execute(
        "SELECT * FROM messages WHERE message_id = ? AND size = ? AND date IS ? ORDER BY id DESC",
        (message_id, size, date),
    ).fetchall()


def by_message_id(connection: sqlite3.Connection, message_id: str) -> list[sqlite3.Row]:
    """Every copy of a message, newest first."""
    return connection.execute(
        "SELECT * FROM messages WHERE message_id = ? ORDER BY id DESC", (message_id,)
    ).fetchall()


def correspondents(row: sqlite3.Row) -> dict[str, tuple[Correspondent, ...]]:
    """The people of a row by field: from, reply_to, to, cc, bcc."""
    stored = json.loads(row["correspondents"])
    return {field: tuple(Correspondent(*pair) for pair in pairs) for field, pairs in stored.items()}


def flags(row: sqlite3.Row) -> frozenset[str]:
    return _flags(row["flags"])


@lru_cache(maxsize=1024)
def _flags(text: str) -> frozenset[str]:
    return frozenset(json.loads(text))


def uids(connection: sqlite3.Connection, folder_id: int) -> list[int]:
    """The UIDs stored, ascending."""
    rows = connection.execute("SELECT uid FROM messages WHERE folder_id = ? ORDER BY uid", (folder_id,))
    return [row[0] for row in rows]


def uid_flags(
    connection: sqlite3.Connection, folder_id: int, asked: Iterable[int] | None = None
) -> dict[int, frozenset[str]]:
    """The flags stored for every UID, or for those that are asked."""
    among = "" if asked is None else " AND uid IN (SELECT value FROM json_each(?))"
    words = [] if asked is None else [json.dumps(list(asked))]
    known: dict[str, frozenset[str]] = {}
    found = {}
    for uid, text in connection.execute(
        f"SELECT uid, flags FROM messages WHERE folder_id = ?{among}",  # noqa: S608
        (folder_id, *words),
    ):
        if text not in known:
            known[text] = frozenset(json.loads(text))
        found[uid] = known[text]
    return found


def insert_envelopes(connection: sqlite3.Connection, folder_id: int, envelopes: Iterable[Envelope]) -> int:
    """Store a batch: rows, search rows, threads, counts; how many were new (known UIDs are left)."""
    batch = {envelope.uid: envelope for envelope in envelopes}
    for uid in uids_among(connection, folder_id, batch):
        del batch[uid]
    rows = sorted((as_row(folder_id, envelope) for envelope in batch.values()), key=lambda row: row[0])
    if not rows:
        return 0
    rows = _with_free_ids(connection, rows)
    placed = threads.link(
        connection,
        [(row[0], row[15], (*batch[row[2]].references, batch[row[2]].in_reply_to)) for row in rows],
    )
    connection.executemany(INSERT, [(*row, placed[row[0]]) for row in rows])
    connection.executemany(
        "INSERT INTO search (rowid, subject, correspondents, body) VALUES (?, ?, ?, '')",
        [(row[0], row[9], _searchable(batch[row[2]])) for row in rows],
    )
    unread = sum(not row[5] for row in rows)
    connection.execute(
        "UPDATE folders SET stored = stored + ?, unread = unread + ?, total = max(total, stored + ?)"
        " WHERE id = ?",
        (len(rows), unread, len(rows), folder_id),
    )
    return len(rows)


def uids_among(connection: sqlite3.Connection, folder_id: int, asked: Iterable[int]) -> list[int]:
    """Those of the asked UIDs that are stored."""
    rows = connection.execute(
        "SELECT uid FROM messages WHERE folder_id = ? AND uid IN (SELECT value FROM json_each(?))",
        (folder_id, json.dumps(list(asked))),
    )
    return [row[0] for row in rows]


def set_flags(connection: sqlite3.Connection, folder_id: int, changed: dict[int, frozenset[str]]) -> int:
    """Store the server's flags; the number of rows that differed."""
    updates = [
        (_flags_text(found), "\\Seen" in found, folder_id, uid, _flags_text(found))
        for uid, found in changed.items()
    ]
    before = connection.total_changes
    connection.executemany(
        "UPDATE messages SET flags = ?, seen = ? WHERE folder_id = ? AND uid = ? AND flags <> ?", updates
    )
    differed = connection.total_changes - before
    if differed:
        _count_unread(connection, folder_id)
    return differed


def remove(connection: sqlite3.Connection, folder_id: int, gone: Sequence[int]) -> int:
    """Forget messages that left the folder; the number of rows removed."""
    asked = json.dumps(list(gone))
    which = "SELECT id FROM messages WHERE folder_id = ? AND uid IN (SELECT value FROM json_each(?))"
    connection.execute(
        "INSERT OR REPLACE INTO loose_bodies SELECT b.object_id, b.packed, b.size, s.body"  # noqa: S608
        " FROM bodies b JOIN search s ON s.rowid = b.message_rowid"
        f" WHERE b.object_id IS NOT NULL AND b.message_rowid IN ({which})"
        " AND b.message_rowid NOT IN (SELECT message_rowid FROM unread_texts)",
        (folder_id, asked),
    )
    connection.execute(f"DELETE FROM search WHERE rowid IN ({which})", (folder_id, asked))  # noqa: S608
    removed = connection.execute(f"DELETE FROM messages WHERE id IN ({which})", (folder_id, asked)).rowcount  # noqa: S608
    skipped_messages.take_in(connection, folder_id, gone)
    if removed:
        connection.execute(
            "UPDATE folders SET stored = max(0, stored - ?), total = max(0, total - ?) WHERE id = ?",
            (removed, removed, folder_id),
        )
        _count_unread(connection, folder_id)
    return removed


def _count_unread(connection: sqlite3.Connection, folder_id: int) -> None:
    connection.execute(
        "UPDATE folders SET"
        " unread = (SELECT count(*) FROM messages WHERE folder_id = folders.id AND seen = 0)"
        " WHERE id = ?",
        (folder_id,),
    )


def as_row(folder_id: int, envelope: Envelope) -> tuple[Any, ...]:
    """The columns of INSERT but for the thread."""
    date, internal, subject = envelope.date, envelope.internal_date, envelope.subject
    sort_at = internal if date is None else date
    if date is not None and internal is not None and date - internal > _FUTURE:
        sort_at = internal
    second = min(max(sort_at, 0), LAST_SECOND) if sort_at else 0
    sender = envelope.sender[0] if envelope.sender else _NOBODY
    date_text = None if date is None else time_text(date)
    internal_text = date_text if internal == date else None if internal is None else time_text(internal)
    return (
        row_id(second, folder_id, envelope.uid),
        folder_id,
        envelope.uid,
        (date_text if sort_at == date else internal_text) or "1970-01-01T00:00:00.000Z",
        _flags_text(envelope.flags),
        int("\\Seen" in envelope.flags),
        envelope.size,
        date_text,
        internal_text,
        subject,
        sender.name,
        sender.address,
        _sort_sender(sender),
        _without_prefixes(subject),
        _correspondents(envelope),
        envelope.message_id,
        envelope.in_reply_to,
        "[" + ",".join(map(encode_basestring, envelope.references)) + "]",
        int(envelope.has_attachments),
        int(envelope.has_invitation),
    )


_NOBODY = Correspondent("", "")


def _correspondents(envelope: Envelope) -> str:
    """JSON by field; the same people come again and again, so their part is remembered."""
    fields = (
        ("from", envelope.sender),
        ("reply_to", envelope.reply_to),
        ("to", envelope.to),
        ("cc", envelope.cc),
        ("bcc", envelope.bcc),
    )
    parts = ",".join(f'"{field}":{_people(people)}' for field, people in fields if people)
    return "{" + parts + "}"


@lru_cache(maxsize=16_384)
def _people(people: tuple[Correspondent, ...]) -> str:
    return (
        "["
        + ",".join([f"[{encode_basestring(name)},{encode_basestring(address)}]" for name, address in people])
        + "]"
    )


_FLAGS: dict[frozenset[str], str] = {}


def _flags_text(found: frozenset[str]) -> str:
    text = _FLAGS.get(found)
    if text is None:
        text = json.dumps(sorted(found))
        if len(_FLAGS) < 1000:
            _FLAGS[found] = text
    return text


@lru_cache(maxsize=16_384)
def _sort_sender(sender: Correspondent) -> str:
    return (sender.name or sender.address).casefold()


def _without_prefixes(subject: str) -> str:
    """The subject as it sorts: folded, without Re:, Fwd:, Antw: and the like."""
    text = subject.casefold().strip()
    while ":" in text[:_LONGEST_PREFIX]:
        head, colon, rest = text.partition(":")
        if not colon or head.strip() not in _PREFIXES:
            break
        text = rest.strip()
    return text


_LONGEST_PREFIX = 20  # characters, blanks before the colon included
_PREFIXES = frozenset(
    {"re", "fw", "fwd", "aw", "wg", "antw", "antwoord", "doorst", "sv", "vs", "vb", "rv", "tr", "ref"}
)


def _searchable(envelope: Envelope) -> str:
    return " ".join(
        [f"{one.name} {one.address}" for one in (*envelope.sender, *envelope.to, *envelope.cc, *envelope.bcc)]
    )


def _with_free_ids(connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The same rows; an id that is taken (same second, folder and UID modulo their widths) moves on."""
    asked = [row[0] for row in rows]
    taken = {
        row[0]
        for row in connection.execute(
            "SELECT id FROM messages WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(asked),)
        )
    }
    if not taken and len(set(asked)) == len(asked):
        return rows
    used: set[int] = set()
    moved = []
    for row in rows:
        number = row[0]
        while (
            number in used or connection.execute("SELECT 1 FROM messages WHERE id = ?", (number,)).fetchone()
        ):
            number = next_id(number)
        used.add(number)
        moved.append((number, *row[1:]))
    return sorted(moved, key=lambda row: row[0])
