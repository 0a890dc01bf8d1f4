"""Figures of the whole instance, for its operator: counts, ages and sizes; never a subject or an address."""

import sqlite3
from datetime import datetime

from soinbox_web.clock import moment

ALIVE = 15.0  # seconds without a sign of life until the mailroom counts as gone


def outbox_states(connection: sqlite3.Connection) -> dict[str, int]:
    """How much outgoing mail is in each state."""
    return dict(connection.execute("SELECT state, count(*) FROM outbox GROUP BY state").fetchall())


def open_actions(connection: sqlite3.Connection, now: datetime) -> tuple[int, float]:
    """How many actions wait for a server, and for how many seconds the oldest does."""
    count, oldest = connection.execute(
        "SELECT count(*), min(created_at) FROM actions WHERE state IN ('open', 'claimed')"
    ).fetchone()
    return int(count), max(0.0, (now - moment(oldest)).total_seconds()) if oldest else 0.0


def arrivals(connection: sqlite3.Connection) -> dict[int, tuple[int, int]]:
    """(arrived, failures) of each account over the hours that are kept."""
    rows = connection.execute("SELECT account_id, sum(arrived), sum(failures) FROM account_hours GROUP BY 1")
    return {account_id: (arrived, failures) for account_id, arrived, failures in rows}


def heartbeat_age(connection: sqlite3.Connection, lease: str, now: datetime) -> float | None:
    """Seconds since the holder of a lease gave a sign of life; None when nobody holds it."""
    row = connection.execute("SELECT heartbeat_at FROM leases WHERE name = ?", (lease,)).fetchone()
    return None if row is None else max(0.0, (now - moment(row[0])).total_seconds())
