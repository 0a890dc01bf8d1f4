"""Whole messages of a mailbox file, kept compressed, and what the list and the search know of their text."""

import json
import sqlite3
import zlib
from collections.abc import Collection
from datetime import datetime
from io import BytesIO

from soinbox_web.clock import moment, timestamp
from soinbox_web.store import messages
from soinbox_web.store.filter import first_id

PREVIEW = 160  # characters


_SLICE = 1_000_000  # bytes: nobody else is held up while larger ones are copied
_FED = 64_000


def pack(raw: bytes) -> bytes:
    """The form that is stored; made outside of a write."""
    packing, out = zlib.compressobj(4), BytesIO()
    for start in range(0, len(raw), _SLICE):
        out.write(packing.compress(raw[start : start + _SLICE]))
    out.write(packing.flush())
    return out.getvalue()


def unpack(packed: bytes) -> bytes:
    """What `pack` was given. Raises zlib.error."""
    unpacking, out = zlib.decompressobj(), BytesIO()
    for start in range(0, len(packed), _FED):
        left = packed[start : start + _FED]
        while left:
            out.write(unpacking.decompress(left, _SLICE))
            left = unpacking.unconsumed_tail
    out.write(unpacking.flush())
    if not unpacking.eof:
        raise zlib.error("a packed message has no end")
    return out.getvalue()


def put(
    connection: sqlite3.Connection,
    row_id: int,
    packed: bytes,
    size: int,
    text: str | None,
    at: datetime,
    object_id: str | None = None,
) -> None:
    """Keep a message of `size` bytes; its text goes to the search index and its first words to the list.

    None where the text was not read yet: `unread` gives it out.
    """
    connection.execute(
        "INSERT OR REPLACE INTO bodies (message_rowid, packed, size, fetched_at, object_id)"
        " VALUES (?, ?, ?, ?, ?)",
        (row_id, packed, size, timestamp(at), object_id),
    )
    _put_text(connection, row_id, text or "")
    if text is None:
        connection.execute("INSERT OR IGNORE INTO unread_texts (message_rowid) VALUES (?)", (row_id,))


def put_text(connection: sqlite3.Connection, row_id: int, text: str) -> None:
    """The text of a body that was kept without; nothing when it is here no more."""
    if connection.execute("DELETE FROM unread_texts WHERE message_rowid = ?", (row_id,)).rowcount:
        _put_text(connection, row_id, text)


def _put_text(connection: sqlite3.Connection, row_id: int, text: str) -> None:
    connection.execute(
        "UPDATE messages SET preview = ? WHERE id = ?", (" ".join(text.split())[:PREVIEW], row_id)
    )
    connection.execute("UPDATE search SET body = ? WHERE rowid = ?", (text, row_id))


def unread(connection: sqlite3.Connection, most: int, size: int) -> list[tuple[int, bytes]]:
    """(row id, raw message) of the newest whose text was not read: at most so many, of so many bytes in all,
    but one whatever its size.
    """
    found: list[tuple[int, bytes]] = []
    for row_id, packed, length in connection.execute(
        "SELECT b.message_rowid, b.packed, b.size FROM unread_texts u"
        " CROSS JOIN bodies b ON b.message_rowid = u.message_rowid"
        " ORDER BY u.message_rowid DESC LIMIT ?",
        (most,),
    ):
        size -= length
        if found and size < 0:
            break
        found.append((row_id, unpack(packed)))
    return found


def adopt(connection: sqlite3.Connection, row_id: int, object_id: str, at: datetime) -> bool:
    """Give a row the body of the same message, when that is here from another folder."""
    found = connection.execute(
        "SELECT b.packed, b.size, s.body FROM bodies b JOIN search s ON s.rowid = b.message_rowid"
        " WHERE b.object_id = ?1 AND b.message_rowid NOT IN (SELECT message_rowid FROM unread_texts)"
        " UNION ALL SELECT packed, size, text FROM loose_bodies WHERE object_id = ?1"
        " LIMIT 1",
        (object_id,),
    ).fetchone()
    if found is not None:
        packed, size, text = found
        put(connection, row_id, packed, size, text, at, object_id)
    return found is not None


def forget_loose(connection: sqlite3.Connection) -> None:
    """Let go of the bodies whose messages turned up nowhere."""
    connection.execute("DELETE FROM loose_bodies")


def give_up(connection: sqlite3.Connection, folder_id: int, uid: int) -> None:
    """This message cannot be had whole: it is not missing any longer."""
    connection.execute(
        "UPDATE messages SET preview = '' WHERE folder_id = ? AND uid = ? AND preview IS NULL",
        (folder_id, uid),
    )


def get(connection: sqlite3.Connection, row_id: int) -> bytes | None:
    """The raw message, or None when only its envelope is here."""
    row = connection.execute("SELECT packed FROM bodies WHERE message_rowid = ?", (row_id,)).fetchone()
    return unpack(row[0]) if row else None


def has(connection: sqlite3.Connection, row_id: int) -> bool:
    return (
        connection.execute("SELECT 1 FROM bodies WHERE message_rowid = ?", (row_id,)).fetchone() is not None
    )


def missing(
    connection: sqlite3.Connection, folder_id: int, since: datetime | None, largest: int, limit: int
) -> list[sqlite3.Row]:
    """The newest rows since then, of at most `largest` bytes, whose body was never here."""
    return connection.execute(
        "SELECT id, uid, size FROM messages INDEXED BY messages_never_read_whole"
        " WHERE folder_id = ? AND preview IS NULL AND id >= ? AND size <= ? ORDER BY id DESC LIMIT ?",
        (folder_id, first_id(since) if since else 0, largest, limit),
    ).fetchall()


def lacking(
    connection: sqlite3.Connection, folder_id: int, uids: Collection[int], largest: int
) -> list[sqlite3.Row]:
    """The rows among these UIDs, of at most `largest` bytes, whose body was never here, newest first."""
    return connection.execute(
        "SELECT id, uid, size FROM messages WHERE folder_id = ? AND uid IN (SELECT value FROM json_each(?))"
        " AND preview IS NULL AND size <= ? ORDER BY id DESC",
        (folder_id, json.dumps(list(uids)), largest),
    ).fetchall()


def total(connection: sqlite3.Connection) -> int:
    """Bytes of all bodies, as the server counts them."""
    return int(connection.execute("SELECT coalesce(sum(size), 0) FROM bodies").fetchone()[0])


def evict(connection: sqlite3.Connection, excess: int, but: Collection[int] = ()) -> int:
    """Let go of the oldest bodies, not of rows in `but`, until `excess` bytes are gone; their number."""
    if excess <= 0:
        return 0
    gone = []
    for row in connection.execute("SELECT message_rowid, size FROM bodies ORDER BY message_rowid"):
        if excess <= 0:
            break
        if row[0] not in but:
            gone.append((row[0],))
            excess -= row[1]
    connection.executemany("DELETE FROM bodies WHERE message_rowid = ?", gone)
    return len(gone)


KEPT_AT_ONCE = 50  # of one write


def keep(connection: sqlite3.Connection, folder_id: int) -> bool:
    """Put some bodies of a folder that is built anew apart; True while there were any.

    Not those of messages that could be taken for one another afterwards.
    """
    rows = connection.execute(
        "SELECT b.message_rowid FROM messages m JOIN bodies b ON b.message_rowid = m.id"
        " WHERE m.folder_id = ? LIMIT ?",
        (folder_id, KEPT_AT_ONCE),
    ).fetchall()
    for (row_id,) in rows:
        connection.execute(
            "INSERT INTO kept_bodies"
            " (folder_id, message_id, message_size, date, packed, size, text, fetched_at)"
            " SELECT m.folder_id, m.message_id, m.size, m.date, b.packed, b.size, s.body, b.fetched_at"
            " FROM messages m JOIN bodies b ON b.message_rowid = m.id JOIN search s ON s.rowid = m.id"
            " WHERE m.id = ? AND m.message_id <> '' AND NOT EXISTS (SELECT 1 FROM messages t"
            " WHERE t.message_id = m.message_id AND t.folder_id = m.folder_id AND t.size = m.size"
            " AND t.date IS m.date AND t.id <> m.id)"
            " AND m.id NOT IN (SELECT message_rowid FROM unread_texts)",
            (row_id,),
        )
        connection.execute("DELETE FROM bodies WHERE message_rowid = ?", (row_id,))
    return bool(rows)


def take_back(connection: sqlite3.Connection, folder_id: int) -> bool:
    """Give kept bodies to the one message with their Message-ID, size and date; True while there were any."""
    rows = connection.execute(
        "SELECT rowid, * FROM kept_bodies WHERE folder_id = ? LIMIT ?", (folder_id, KEPT_AT_ONCE)
    ).fetchall()
    for row in rows:
        same = messages.refind(connection, row["message_id"], row["message_size"], row["date"])
        fitting = [found["id"] for found in same if found["folder_id"] == folder_id]
        if len(fitting) == 1 and not has(connection, fitting[0]):
            fetched_at = moment(row["fetched_at"])
            put(connection, fitting[0], row["packed"], row["size"], row["text"], fetched_at)
        connection.execute("DELETE FROM kept_bodies WHERE rowid = ?", (row["rowid"],))
    return bool(rows)
