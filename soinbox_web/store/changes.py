"""The change log: the only signal there is; browsers, workers and tests listen to it."""

import sqlite3
from datetime import datetime, timedelta

from soinbox_web.clock import timestamp

KEPT = timedelta(hours=24)


def record(
    connection: sqlite3.Connection,
    topic: str,
    at: datetime,
    *,
    user_id: int | None = None,
    account_id: int | None = None,
    detail: str = "",
) -> int:
    """Note that something changed; the change's number. `topic` is a noun such as `account` or `outbox`."""
    cursor = connection.execute(
        "INSERT INTO changes (at, topic, user_id, account_id, detail) VALUES (?, ?, ?, ?, ?)",
        (timestamp(at), topic, user_id, account_id, detail),
    )
    return int(cursor.lastrowid or 0)


def since(connection: sqlite3.Connection, number: int) -> list[sqlite3.Row]:
    """The changes after `number`, oldest first."""
    return connection.execute("SELECT * FROM changes WHERE id > ? ORDER BY id", (number,)).fetchall()


def latest(connection: sqlite3.Connection) -> int:
    """The number of the newest change; 0 when there never was one."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchone()
    return int(row[0]) if row else 0


def oldest(connection: sqlite3.Connection) -> int:
    """The number of the oldest change kept; a reader that is behind it must fetch all."""
    row = connection.execute("SELECT min(id) FROM changes").fetchone()
    return int(row[0] or 0)


def prune(connection: sqlite3.Connection, now: datetime) -> None:
    """Forget what is older than a day."""
    connection.execute("DELETE FROM changes WHERE at < ?", (timestamp(now - KEPT),))
