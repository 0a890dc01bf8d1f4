"""Who did what to users and sessions; never a password, never a token."""

import sqlite3
from datetime import datetime
from typing import Any

from soinbox_web.clock import timestamp


def note(
    connection: sqlite3.Connection, event: str, at: datetime, *, user_id: int | None = None, detail: str = ""
) -> None:
    connection.execute(
        "INSERT INTO audit (at, user_id, event, detail) VALUES (?, ?, ?, ?)",
        (timestamp(at), user_id, event, detail),
    )


def of_user(connection: sqlite3.Connection, user_id: int) -> list[dict[str, Any]]:
    """The user's lines, oldest first."""
    rows = connection.execute("SELECT at, event, detail FROM audit WHERE user_id = ? ORDER BY id", (user_id,))
    return [dict(row) for row in rows]
