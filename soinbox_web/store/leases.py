"""Leases: who may do what only one process may do, proven by a heartbeat."""

import sqlite3
from datetime import datetime, timedelta

from soinbox_web.clock import timestamp

STALE = timedelta(seconds=15)


def take(connection: sqlite3.Connection, name: str, holder: str, now: datetime) -> bool:
    """Take or keep the lease; False while another holder's heart beats."""
    cursor = connection.execute(
        "INSERT INTO leases (name, holder, heartbeat_at) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (name) DO UPDATE SET holder = ?2, heartbeat_at = ?3"
        " WHERE holder = ?2 OR heartbeat_at < ?4 OR heartbeat_at > ?5",
        (name, holder, timestamp(now), timestamp(now - STALE), timestamp(now + STALE)),
    )
    return cursor.rowcount == 1


def release(connection: sqlite3.Connection, name: str, holder: str) -> None:
    """Let go, so that a stand-by need not wait."""
    connection.execute("DELETE FROM leases WHERE name = ? AND holder = ?", (name, holder))


def beats(connection: sqlite3.Connection, name: str, now: datetime) -> bool:
    """Whether somebody holds the lease now."""
    row = connection.execute("SELECT heartbeat_at FROM leases WHERE name = ?", (name,)).fetchone()
    return row is not None and row[0] >= timestamp(now - STALE)
