"""Whole messages of a mailbox file, kept compressed, and what the list and the search know of their text."""

import sqlite3
import zlib
from datetime import datetime

from soinbox_web.clock import timestamp

PREVIEW = 160  # characters


def pack(raw: bytes) -> bytes:
    """The form that is stored; made outside of a write."""
    return zlib.compress(raw, 4)


def put(
    connection: sqlite3.Connection, row_id: int, packed: bytes, size: int, text: str, at: datetime
) -> None:
    """Keep a message of `size` bytes; its text goes to the search index and its first words to the list."""
    connection.execute(
        "INSERT OR REPLACE INTO bodies (message_rowid, packed, size, fetched_at) VALUES (?, ?, ?, ?)",
        (row_id, packed, size, timestamp(at)),
    )
    connection.execute(
        "UPDATE messages SET preview = ? WHERE id = ?", (" ".join(text.split())[:PREVIEW], row_id)
    )
    connection.execute("UPDATE search SET body = ? WHERE rowid = ?", (text, row_id))


def get(connection: sqlite3.Connection, row_id: int) -> bytes | None:
    """The raw message, or None when only its envelope is here."""
    row = connection.execute("SELECT packed FROM bodies WHERE message_rowid = ?", (row_id,)).fetchone()
    return zlib.decompress(row[0]) if row else None


def has(connection: sqlite3.Connection, row_id: int) -> bool:
    return (
        connection.execute("SELECT 1 FROM bodies WHERE message_rowid = ?", (row_id,)).fetchone() is not None
    )


def missing(
    connection: sqlite3.Connection, folder_id: int, since: str, largest: int, limit: int
) -> list[sqlite3.Row]:
    """The newest rows since a time (RFC 3339), of at most `largest` bytes, whose body is not here."""
    return connection.execute(
        "SELECT m.id, m.uid, m.size FROM messages m LEFT JOIN bodies b ON b.message_rowid = m.id"
        " WHERE m.folder_id = ? AND b.message_rowid IS NULL AND m.sort_at >= ? AND m.size <= ?"
        " ORDER BY m.id DESC LIMIT ?",
        (folder_id, since, largest, limit),
    ).fetchall()


def total(connection: sqlite3.Connection) -> int:
    """Bytes of all bodies, as the server counts them."""
    return int(connection.execute("SELECT coalesce(sum(size), 0) FROM bodies").fetchone()[0])


def evict(connection: sqlite3.Connection, excess: int) -> int:
    """Let go of the oldest bodies until `excess` bytes are gone; the number of bodies."""
    gone = []
    for row in connection.execute("SELECT message_rowid, size FROM bodies ORDER BY message_rowid"):
        if excess <= 0:
            break
        gone.append((row[0],))
        excess -= row[1]
    connection.executemany("DELETE FROM bodies WHERE message_rowid = ?", gone)
    return len(gone)
