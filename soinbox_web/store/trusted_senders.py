"""Senders whose remote pictures a user wants to see without being asked."""

import sqlite3
from datetime import datetime

from soinbox_web.clock import timestamp
from soinbox_web.store import changes


def has(connection: sqlite3.Connection, user_id: int, address: str) -> bool:
    row = connection.execute(
        "SELECT 1 FROM trusted_senders WHERE user_id = ? AND address = ?", (user_id, address)
    ).fetchone()
    return row is not None


def add(connection: sqlite3.Connection, user_id: int, address: str, now: datetime) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO trusted_senders (user_id, address, created_at) VALUES (?, ?, ?)",
        (user_id, address, timestamp(now)),
    )
    changes.record(connection, "options", now, user_id=user_id)
