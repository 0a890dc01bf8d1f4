"""Hours: what each account met in each hour of the last days."""

import sqlite3
from datetime import datetime, timedelta

from soinbox_web.clock import moment, timestamp
from soinbox_web.model.day import HOURS, Hour

KEPT = timedelta(days=8)


def add(
    connection: sqlite3.Connection,
    account_id: int,
    now: datetime,
    *,
    arrived: int = 0,
    latest_seconds: int = 0,
    failures: int = 0,
) -> None:
    """Count into the hour of `now`."""
    connection.execute(
        "INSERT INTO account_hours (account_id, hour, arrived, latest_seconds, failures)"
        " VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (account_id, hour) DO UPDATE SET arrived = arrived + excluded.arrived,"
        " latest_seconds = max(latest_seconds, excluded.latest_seconds),"
        " failures = failures + excluded.failures",
        (account_id, timestamp(_start(now)), arrived, latest_seconds, failures),
    )


def last_day(connection: sqlite3.Connection, account_id: int, now: datetime) -> list[Hour]:
    """The last 24 hours, oldest first, the one that runs included."""
    first = _start(now) - timedelta(hours=HOURS - 1)
    rows = connection.execute(
        "SELECT * FROM account_hours WHERE account_id = ? AND hour >= ?", (account_id, timestamp(first))
    )
    known = {
        row["hour"]: Hour(moment(row["hour"]), row["arrived"], row["latest_seconds"], row["failures"])
        for row in rows
    }
    starts = [first + timedelta(hours=number) for number in range(HOURS)]
    return [known.get(timestamp(start), Hour(start)) for start in starts]


def forget(connection: sqlite3.Connection, now: datetime) -> None:
    """Let go of hours long past."""
    connection.execute("DELETE FROM account_hours WHERE hour < ?", (timestamp(now - KEPT),))


def _start(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
