"""Set-up attempts and their stages: kept for 15 minutes, then wiped with what they sealed."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from soinbox_web.clock import moment, timestamp
from soinbox_web.model.provider import Detection, Provider
from soinbox_web.model.server import Candidate, Login
from soinbox_web.model.setup_attempt import SetupAttempt, Step, TimedStage
from soinbox_web.model.stage import Stage
from soinbox_web.problems import AccessError, Problem
from soinbox_web.store import changes

KEPT = timedelta(minutes=15)


def insert(
    connection: sqlite3.Connection,
    token: str,
    user_id: int,
    address: str,
    step: Step,
    now: datetime,
    **values: Any,
) -> None:
    """A new attempt; `values` as in `update`."""
    row = {
        "token": token, "user_id": user_id, "address": address, "step": step,
        "created_at": timestamp(now), "updated_at": timestamp(now), "expires_at": timestamp(now + KEPT),
        "claimed_at": timestamp(now),
    }  # fmt: skip
    connection.execute(
        f"INSERT INTO setup_attempts ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",  # noqa: S608
        list(row.values()),
    )
    update(connection, token, now, **values)


def read(connection: sqlite3.Connection, user_id: int, token: str, now: datetime) -> SetupAttempt:
    """The user's attempt; AccessError setup_ended when it is over or was never theirs."""
    row = connection.execute(
        "SELECT * FROM setup_attempts WHERE token = ? AND user_id = ? AND expires_at > ?",
        (token, user_id, timestamp(now)),
    ).fetchone()
    if row is None:
        raise AccessError(Problem("setup_ended"))
    return _attempt(row)


def step_of(connection: sqlite3.Connection, token: str) -> Step:
    """Where an attempt stands; `cancelled` when it is gone."""
    row = connection.execute("SELECT step FROM setup_attempts WHERE token = ?", (token,)).fetchone()
    return row["step"] if row else "cancelled"


def update(connection: sqlite3.Connection, token: str, now: datetime, **values: Any) -> None:
    """Set columns: step, address, account_id, sealed, purpose, detection, imap, smtp, accepted_hosts,
    problems."""
    row = {name: _column(value) for name, value in values.items()}
    row["updated_at"] = timestamp(now)
    connection.execute(
        f"UPDATE setup_attempts SET {', '.join(f'{name} = ?' for name in row)} WHERE token = ?",  # noqa: S608
        [*row.values(), token],
    )
    _record(connection, token, now)


def claim(
    connection: sqlite3.Connection, token: str, to: Step, waiting: Iterable[Step], now: datetime
) -> bool:
    """Take a waiting attempt on to a running step; False when another request was first."""
    claimed = connection.execute(
        "UPDATE setup_attempts SET step = ?, problems = '[]', claimed_at = ?, updated_at = ?, expires_at = ?"
        " WHERE token = ? AND step IN (SELECT value FROM json_each(?))",
        (to, timestamp(now), timestamp(now), timestamp(now + KEPT), token, json.dumps(list(waiting))),
    )
    if claimed.rowcount and to == "connecting":
        connection.execute(
            "DELETE FROM setup_stages WHERE side IN ('imap', 'smtp')"
            " AND attempt_id = (SELECT id FROM setup_attempts WHERE token = ?)",
            (token,),
        )
    return claimed.rowcount == 1


def twin(connection: sqlite3.Connection, user_id: int, address: str, since: datetime) -> str | None:
    """The token of an attempt for this address that the same form has just begun."""
    row = connection.execute(
        "SELECT token FROM setup_attempts WHERE user_id = ? AND address = ? AND created_at > ?"
        " AND account_id IS NULL AND step IN ('finding', 'password') ORDER BY id DESC",
        (user_id, address, timestamp(since)),
    ).fetchone()
    return row["token"] if row else None


def begun_at(connection: sqlite3.Connection, user_id: int, since: datetime) -> list[datetime]:
    """When the user's attempts after `since` began, oldest first.

    Those that the operator's folder or the own table answered are left out: nobody outside was asked.
    """
    rows = connection.execute(
        "SELECT created_at FROM setup_attempts WHERE user_id = ? AND created_at > ? AND account_id IS NULL"
        " AND coalesce(json_extract(detection, '$.candidates[0].source'), '') NOT IN ('operator', 'table')"
        " ORDER BY id",
        (user_id, timestamp(since)),
    )
    return [moment(row["created_at"]) for row in rows]


def note_stage(connection: sqlite3.Connection, token: str, stage: Stage, now: datetime) -> None:
    """Write a stage that began or ended; the end takes the place of its beginning."""
    row = connection.execute("SELECT id FROM setup_attempts WHERE token = ?", (token,)).fetchone()
    if row is None:
        return
    begun = connection.execute(
        "SELECT id FROM setup_stages WHERE attempt_id = ? AND side = ? AND stage = ? AND ok IS NULL"
        " ORDER BY detail = ? DESC, id",
        (row["id"], stage.side, stage.stage, stage.detail),
    ).fetchone()
    if begun is not None and stage.ok is not None:
        connection.execute(
            "UPDATE setup_stages SET ok = ?, ms = ?, detail = ?, at = ? WHERE id = ?",
            (stage.ok, stage.ms, stage.detail, timestamp(now), begun["id"]),
        )
    else:
        connection.execute(
            "INSERT INTO setup_stages (attempt_id, side, stage, ok, ms, detail, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (row["id"], stage.side, stage.stage, stage.ok, stage.ms, stage.detail, timestamp(now)),
        )
    _record(connection, token, now)


def stages(connection: sqlite3.Connection, token: str) -> list[TimedStage]:
    """The stages so far, in the order they happened."""
    rows = connection.execute(
        "SELECT s.* FROM setup_stages s JOIN setup_attempts a ON a.id = s.attempt_id WHERE a.token = ?"
        " ORDER BY s.id",
        (token,),
    )
    return [
        TimedStage(
            Stage(r["side"], r["stage"], None if r["ok"] is None else bool(r["ok"]), r["ms"], r["detail"]),
            moment(r["at"]),
        )
        for r in rows
    ]


def wipe(connection: sqlite3.Connection, now: datetime) -> None:
    """Delete what is older than 15 minutes, sealed secrets included."""
    connection.execute("DELETE FROM setup_attempts WHERE expires_at <= ?", (timestamp(now),))


def _record(connection: sqlite3.Connection, token: str, now: datetime) -> None:
    row = connection.execute("SELECT user_id FROM setup_attempts WHERE token = ?", (token,)).fetchone()
    if row is not None:
        changes.record(connection, "setup", now, user_id=row["user_id"], detail=token)


def _column(value: Any) -> Any:
    if isinstance(value, Login):
        return json.dumps(asdict(value))
    if isinstance(value, Detection):
        return json.dumps(asdict(value))
    if isinstance(value, tuple):
        return json.dumps([v.as_row() if isinstance(v, Problem) else v for v in value])
    return value


def _attempt(row: sqlite3.Row) -> SetupAttempt:
    return SetupAttempt(
        token=row["token"],
        user_id=row["user_id"],
        account_id=row["account_id"],
        address=row["address"],
        step=row["step"],
        detection=_detection(row["detection"]),
        imap=Login(**json.loads(row["imap"])) if row["imap"] else None,
        smtp=Login(**json.loads(row["smtp"])) if row["smtp"] else None,
        sealed=row["sealed"],
        accepted_hosts=tuple(json.loads(row["accepted_hosts"])),
        problems=tuple(Problem.from_row(problem) for problem in json.loads(row["problems"])),
        claimed_at=moment(row["claimed_at"]) if row["claimed_at"] else None,
        created_at=moment(row["created_at"]),
        expires_at=moment(row["expires_at"]),
        purpose=row["purpose"],
    )


def _detection(text: str | None) -> Detection | None:
    if not text:
        return None
    row = json.loads(text)
    provider = row["provider"]
    return Detection(
        provider=Provider(**{**_tuples(provider), "candidates": _candidates(provider["candidates"])})
        if provider
        else None,
        candidates=_candidates(row["candidates"]),
        policies=tuple(row["policies"]),
        needs_consent=tuple(row["needs_consent"]),
        seconds=row["seconds"],
    )


def _candidates(rows: list[dict[str, Any]]) -> tuple[Candidate, ...]:
    return tuple(Candidate(**_tuples(row)) for row in rows)


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
