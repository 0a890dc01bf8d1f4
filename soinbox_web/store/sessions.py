"""Signed-in browsers: the hash of each token, never the token."""

import hashlib
import sqlite3
from datetime import datetime, timedelta

from soinbox_web.clock import moment, timestamp
from soinbox_web.model.member import Member, Session
from soinbox_web.store import users

IDLE_LIMIT = timedelta(days=30)
SEEN_STEP = timedelta(minutes=5)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def insert(connection: sqlite3.Connection, user_id: int, token: str, user_agent: str, at: datetime) -> int:
    cursor = connection.execute(
        "INSERT INTO sessions (user_id, token_hash, user_agent, created_at, last_seen_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (user_id, digest(token), user_agent[:300], timestamp(at), timestamp(at)),
    )
    return int(cursor.lastrowid or 0)


def member(connection: sqlite3.Connection, token: str, now: datetime) -> tuple[Member, datetime] | None:
    """Who holds this token and when it was last seen; None when it ended or lay idle for 30 days."""
    row = connection.execute(
        "SELECT u.*, s.id AS session_id, s.last_seen_at FROM sessions s JOIN users u ON u.id = s.user_id"
        " WHERE s.token_hash = ? AND s.last_seen_at > ?",
        (digest(token), timestamp(now - IDLE_LIMIT)),
    ).fetchone()
    return (users.read(row, row["session_id"]), moment(row["last_seen_at"])) if row else None


def seen(connection: sqlite3.Connection, session_id: int, now: datetime) -> None:
    connection.execute("UPDATE sessions SET last_seen_at = ? WHERE id = ?", (timestamp(now), session_id))


def of_user(connection: sqlite3.Connection, user_id: int, now: datetime) -> list[Session]:
    """The user's sessions, the one used last first."""
    rows = connection.execute(
        "SELECT * FROM sessions WHERE user_id = ? AND last_seen_at > ? ORDER BY last_seen_at DESC, id DESC",
        (user_id, timestamp(now - IDLE_LIMIT)),
    )
    return [
        Session(row["id"], row["user_agent"], moment(row["created_at"]), moment(row["last_seen_at"]))
        for row in rows
    ]


def end(connection: sqlite3.Connection, user_id: int, session_id: int) -> bool:
    """End one session of this user."""
    cursor = connection.execute("DELETE FROM sessions WHERE id = ? AND user_id = ?", (session_id, user_id))
    return cursor.rowcount == 1


def end_all(connection: sqlite3.Connection, user_id: int, but: int = 0) -> int:
    """End every session of this user but one; how many ended."""
    return connection.execute("DELETE FROM sessions WHERE user_id = ? AND id <> ?", (user_id, but)).rowcount


def prune(connection: sqlite3.Connection, now: datetime) -> None:
    connection.execute("DELETE FROM sessions WHERE last_seen_at <= ?", (timestamp(now - IDLE_LIMIT),))
