"""A user's options, one JSON value a name; a name that is missing has its default."""

import dataclasses
import json
import sqlite3
from datetime import datetime

from soinbox_web.model.options import Options
from soinbox_web.store import changes

NAMES = frozenset(field.name for field in dataclasses.fields(Options))


def of(connection: sqlite3.Connection, user_id: int) -> Options:
    rows = connection.execute("SELECT name, value FROM options WHERE user_id = ?", (user_id,))
    return Options(**{row["name"]: json.loads(row["value"]) for row in rows if row["name"] in NAMES})


def save(connection: sqlite3.Connection, user_id: int, options: Options, at: datetime) -> None:
    connection.executemany(
        "INSERT INTO options VALUES (?, ?, ?)"
        " ON CONFLICT (user_id, name) DO UPDATE SET value = excluded.value",
        [(user_id, name, json.dumps(value)) for name, value in dataclasses.asdict(options).items()],
    )
    changes.record(connection, "options", at, user_id=user_id)
