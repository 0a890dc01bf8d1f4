"""Users of this instance; each has a person card."""

import sqlite3
from datetime import datetime

from soinbox_web.clock import timestamp
from soinbox_web.model.member import Member
from soinbox_web.store import changes

SETTINGS = frozenset({"name", "language", "timezone", "is_admin", "password_hash"})


def count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM users").fetchone()[0])


def count_admins(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM users WHERE is_admin").fetchone()[0])


def insert(
    connection: sqlite3.Connection,
    address: str,
    name: str,
    password_hash: str,
    person_id: int,
    at: datetime,
    *,
    is_admin: bool = False,
    language: str = "",
    timezone: str = "",
) -> int:
    """A new user's id; sqlite3.IntegrityError when the address is taken."""
    cursor = connection.execute(
        "INSERT INTO users"
        " (address, name, password_hash, is_admin, language, timezone, person_id, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (address, name, password_hash, is_admin, language, timezone, person_id, timestamp(at)),
    )
    user_id = int(cursor.lastrowid or 0)
    changes.record(connection, "user", at, user_id=user_id)
    return user_id


def all(connection: sqlite3.Connection) -> list[Member]:
    """Every user, by name."""
    return [read(row) for row in connection.execute("SELECT * FROM users ORDER BY name COLLATE NOCASE, id")]


def by_id(connection: sqlite3.Connection, user_id: int) -> Member | None:
    row = connection.execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone()
    return read(row) if row else None


def by_address(connection: sqlite3.Connection, address: str) -> Member | None:
    row = connection.execute("SELECT * FROM users WHERE address = ?", (address,)).fetchone()
    return read(row) if row else None


def password_hash(connection: sqlite3.Connection, user_id: int) -> str:
    row = connection.execute("SELECT password_hash FROM users WHERE id = ?", (user_id,)).fetchone()
    return str(row[0]) if row else ""


def update(connection: sqlite3.Connection, user_id: int, at: datetime, **values: str | bool) -> None:
    """Change some of `SETTINGS`."""
    names = sorted(SETTINGS & values.keys())
    setters = ", ".join(f"{name} = :{name}" for name in names)
    connection.execute(f"UPDATE users SET {setters} WHERE id = :id", {**values, "id": user_id})  # noqa: S608
    changes.record(connection, "user", at, user_id=user_id)


def remove(connection: sqlite3.Connection, user_id: int, at: datetime) -> None:
    """Delete the user with sessions, accounts, drafts and unsent mail; the card stays."""
    connection.execute("DELETE FROM users WHERE id = ?", (user_id,))
    changes.record(connection, "user", at, user_id=user_id, detail="removed")


def read(row: sqlite3.Row, session_id: int = 0) -> Member:
    """The member of a row of `users`."""
    return Member(
        row["id"],
        row["address"],
        row["name"],
        bool(row["is_admin"]),
        row["language"],
        row["timezone"],
        row["person_id"],
        session_id,
    )
