"""Token buckets: how often something may be tried, kept across restarts."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from soinbox_web.clock import moment, timestamp


@dataclass(frozen=True, slots=True)
class Limit:
    """`capacity` tries at once, and one more after each `refill`."""

    capacity: int
    refill: timedelta


def take(connection: sqlite3.Connection, name: str, limit: Limit, now: datetime) -> timedelta:
    """Take one token; zero when there was one, else how long until there is one."""
    tokens = _tokens(connection, name, limit, now)
    if tokens < 1:
        return limit.refill * (1 - tokens)
    _store(connection, name, tokens - 1, now)
    return timedelta(0)


def give_back(connection: sqlite3.Connection, name: str, limit: Limit, now: datetime) -> None:
    """Return a token: the try succeeded, so it was no guess."""
    _store(connection, name, min(_tokens(connection, name, limit, now) + 1, limit.capacity), now)


def prune(connection: sqlite3.Connection, now: datetime) -> None:
    """Forget buckets nobody touched for a week: they are full again."""
    connection.execute("DELETE FROM buckets WHERE filled_at < ?", (timestamp(now - timedelta(days=7)),))


def keep_newest(connection: sqlite3.Connection, kind: str, most: int) -> None:
    """Forget the buckets `<kind> …` that were touched first, as many as there are too many."""
    ours = (f"{kind} ", f"{kind}!")
    (count,) = connection.execute(
        "SELECT count(*) FROM buckets WHERE name >= ? AND name < ?", ours
    ).fetchone()
    if count > most:
        connection.execute(
            "DELETE FROM buckets WHERE name IN (SELECT name FROM buckets WHERE name >= ? AND name < ?"
            " ORDER BY filled_at LIMIT ?)",
            (*ours, count - most),
        )


def _tokens(connection: sqlite3.Connection, name: str, limit: Limit, now: datetime) -> float:
    row = connection.execute("SELECT tokens, filled_at FROM buckets WHERE name = ?", (name,)).fetchone()
    if row is None:
        return float(limit.capacity)
    passed = max(now - moment(row["filled_at"]), timedelta(0))
    return float(min(row["tokens"] + passed / limit.refill, limit.capacity))


def _store(connection: sqlite3.Connection, name: str, tokens: float, now: datetime) -> None:
    connection.execute(
        "INSERT INTO buckets VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET tokens = excluded.tokens,"
        " filled_at = excluded.filled_at",
        (name, tokens, timestamp(now)),
    )
