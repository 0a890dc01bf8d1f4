"""Invitations to become a user: used once, within a week; only the hash of the link's token is kept."""

import sqlite3
from datetime import datetime

from soinbox_web.clock import moment, timestamp
from soinbox_web.model.member import Invitation
from soinbox_web.store.sessions import digest


def insert(
    connection: sqlite3.Connection,
    token: str,
    invitation: Invitation,
    created_by: int,
    at: datetime,
) -> int:
    cursor = connection.execute(
        "INSERT INTO invitations (token_hash, address, name, is_admin, created_by, created_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            digest(token), invitation.address, invitation.name, invitation.is_admin, created_by,
            timestamp(at), timestamp(invitation.expires_at),
        ),
    )  # fmt: skip
    return int(cursor.lastrowid or 0)


def by_token(connection: sqlite3.Connection, token: str, now: datetime) -> Invitation | None:
    """The open invitation of a link; None when it was used, withdrawn or is too old."""
    row = connection.execute(
        "SELECT * FROM invitations WHERE token_hash = ? AND used_at IS NULL AND expires_at > ?",
        (digest(token), timestamp(now)),
    ).fetchone()
    return _read(row) if row else None


def open_ones(connection: sqlite3.Connection, now: datetime) -> list[Invitation]:
    """Every invitation that may still be used, the newest first."""
    rows = connection.execute(
        "SELECT * FROM invitations WHERE used_at IS NULL AND expires_at > ? ORDER BY id DESC",
        (timestamp(now),),
    )
    return [_read(row) for row in rows]


def use(connection: sqlite3.Connection, invitation_id: int, now: datetime) -> bool:
    """Mark it used; False when somebody was faster."""
    cursor = connection.execute(
        "UPDATE invitations SET used_at = ? WHERE id = ? AND used_at IS NULL", (timestamp(now), invitation_id)
    )
    return cursor.rowcount == 1


def withdraw(connection: sqlite3.Connection, invitation_id: int) -> None:
    connection.execute("DELETE FROM invitations WHERE id = ? AND used_at IS NULL", (invitation_id,))


def _read(row: sqlite3.Row) -> Invitation:
    return Invitation(
        row["id"], row["address"], row["name"], bool(row["is_admin"]), moment(row["expires_at"])
    )
