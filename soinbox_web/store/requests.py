"""Requests: what the web asks the mailroom to fetch, as rows (a body, texts, a folder, a search …)."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from soinbox_web.clock import timestamp
from soinbox_web.problems import Problem
from soinbox_web.store import changes

Kind = Literal["body", "refresh", "open_folder", "search", "texts"]


@dataclass(frozen=True, slots=True)
class Request:
    """One row; `subject` is a message key (body), a folder's name (open_folder) or a query (search).

    For `texts` it is a JSON list: folder, UIDVALIDITY, UIDs.
    """

    id: int
    account_id: int
    kind: Kind
    subject: str
    state: Literal["open", "done", "failed"]
    problem: Problem | None


def ask(connection: sqlite3.Connection, account_id: int, kind: Kind, subject: str, now: datetime) -> int:
    """The id of the open request for this, made when there is none."""
    found = connection.execute(
        "SELECT id FROM requests WHERE account_id = ? AND kind = ? AND subject = ? AND state = 'open'",
        (account_id, kind, subject),
    ).fetchone()
    if found is not None:
        return int(found["id"])
    cursor = connection.execute(
        "INSERT INTO requests (account_id, kind, subject, created_at) VALUES (?, ?, ?, ?)",
        (account_id, kind, subject, timestamp(now)),
    )
    changes.record(connection, "request", now, account_id=account_id, detail=kind)
    return int(cursor.lastrowid or 0)


def of(connection: sqlite3.Connection, request_id: int) -> Request | None:
    """The request with this id."""
    row = connection.execute("SELECT * FROM requests WHERE id = ?", (request_id,)).fetchone()
    return None if row is None else _read(row)


def failed_since(
    connection: sqlite3.Connection, account_id: int, kind: Kind, subject: str, since: datetime
) -> Problem | None:
    """Why this could not be fetched the last time, when that was after `since`."""
    row = connection.execute(
        "SELECT * FROM requests WHERE account_id = ? AND kind = ? AND subject = ? ORDER BY id DESC LIMIT 1",
        (account_id, kind, subject),
    ).fetchone()
    recent = row is not None and row["state"] == "failed" and row["finished_at"] > timestamp(since)
    return _read(row).problem if recent else None


def last(
    connection: sqlite3.Connection, account_id: int, kind: Kind, subject: str, since: datetime
) -> Request | None:
    """The last request for this that was made after `since`, or is still open."""
    row = connection.execute(
        "SELECT * FROM requests WHERE account_id = ? AND kind = ? AND subject = ?"
        " AND (state = 'open' OR created_at > ?) ORDER BY id DESC LIMIT 1",
        (account_id, kind, subject, timestamp(since)),
    ).fetchone()
    return None if row is None else _read(row)


def has_open(connection: sqlite3.Connection, account_id: int, kind: Kind) -> bool:
    """Something of this kind is asked of an account."""
    asked = "SELECT 1 FROM requests WHERE state = 'open' AND account_id = ? AND kind = ?"
    return connection.execute(asked, (account_id, kind)).fetchone() is not None


def open_of(connection: sqlite3.Connection, account_id: int) -> list[Request]:
    """What is asked of one account, oldest first."""
    rows = connection.execute(
        "SELECT * FROM requests WHERE account_id = ? AND state = 'open' ORDER BY id", (account_id,)
    )
    return [_read(row) for row in rows]


def finish(
    connection: sqlite3.Connection, request_id: int, now: datetime, problem: Problem | None = None
) -> None:
    """It was fetched, or will never be."""
    row = connection.execute(
        "UPDATE requests SET state = ?, problem = ?, finished_at = ? WHERE id = ? RETURNING account_id, kind",
        (
            "failed" if problem else "done",
            problem and json.dumps(problem.as_row()),
            timestamp(now),
            request_id,
        ),
    ).fetchone()
    if row is not None:
        changes.record(connection, "request", now, account_id=row["account_id"], detail=row["kind"])


def _read(row: sqlite3.Row) -> Request:
    problem = Problem.from_row(json.loads(row["problem"])) if row["problem"] else None
    return Request(row["id"], row["account_id"], row["kind"], row["subject"], row["state"], problem)
