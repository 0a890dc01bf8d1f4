"""What may be forgotten in the precious file after its time."""

import sqlite3


def forget_expired(connection: sqlite3.Connection, now: str) -> None:
    """Set-up attempts past their time (their secrets with them) and used or expired invitations; RFC 3339."""
    connection.execute("DELETE FROM setup_attempts WHERE expires_at < ?", (now,))
    connection.execute("DELETE FROM invitations WHERE expires_at < ?", (now,))


def forget_finished(connection: sqlite3.Connection, before: str) -> None:
    """Requests and actions that ended before a time, look-ups and refused secrets older than it."""
    connection.execute("DELETE FROM requests WHERE state <> 'open' AND finished_at < ?", (before,))
    connection.execute(
        "DELETE FROM actions WHERE state IN ('done', 'failed', 'cancelled') AND finished_at < ?", (before,)
    )
    connection.execute("DELETE FROM detection_cache WHERE stored_at < ?", (before,))
    connection.execute("DELETE FROM refused_secrets WHERE refused_at < ?", (before,))
