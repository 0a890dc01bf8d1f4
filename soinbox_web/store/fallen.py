"""Fallen: the parts of the product that ended by an error and are to begin again."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from soinbox_web.clock import moment, timestamp

MAILROOM = "mailroom"


@dataclass(frozen=True, slots=True)
class Fallen:
    """`count` ends in a row; it begins again at `again_at`."""

    part: str
    count: int
    again_at: datetime


def all(connection: sqlite3.Connection) -> list[Fallen]:
    """What keeps falling now: the mailroom itself or parts of it. Once is no habit, it stands again."""
    rows = connection.execute("SELECT part, count, again_at FROM fallen WHERE count > 1 ORDER BY part")
    return [Fallen(row["part"], row["count"], moment(row["again_at"])) for row in rows]


def note_mailroom(connection: sqlite3.Connection, fallen: Fallen | None) -> None:
    """The process fell, or (None) stands again."""
    _replace(connection, "part = ?", [fallen] if fallen else [])


def note_parts(connection: sqlite3.Connection, fallen: Iterable[Fallen]) -> None:
    """These parts of the mailroom fell; all others stand."""
    _replace(connection, "part <> ?", fallen)


def _replace(connection: sqlite3.Connection, where: str, fallen: Iterable[Fallen]) -> None:
    connection.execute(f"DELETE FROM fallen WHERE {where}", (MAILROOM,))  # noqa: S608
    for each in fallen:
        connection.execute(
            "INSERT INTO fallen (part, count, again_at) VALUES (?, ?, ?)",
            (each.part, each.count, timestamp(each.again_at)),
        )
