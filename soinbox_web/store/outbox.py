"""The outbox: mail on its way out. A row is claimed by conditional update and its phase is durable."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from soinbox_web.clock import moment, timestamp
from soinbox_web.problems import Problem
from soinbox_web.store import changes

State = Literal["held", "sending", "sent", "failed", "uncertain", "cancelled"]
Phase = Literal["queued", "connected", "dot", "answered"]


@dataclass(frozen=True, slots=True)
class Recipient:
    """One address: `state` is waiting, sent, refused or delayed; `line` the server's words about it."""

    address: str
    state: str = "waiting"
    line: str = ""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One mail in the outbox, without its bytes."""

    id: int
    user_id: int
    account_id: int
    draft_id: int | None
    message_id: str
    subject: str
    envelope_from: str
    recipients: tuple[Recipient, ...]
    answers_key: str
    state: State
    phase: Phase
    attempts: int
    not_before: datetime
    problem: Problem | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def waiting(self) -> tuple[str, ...]:
        """The addresses that still have to be told."""
        return tuple(r.address for r in self.recipients if r.state in ("waiting", "delayed"))

    @property
    def reached(self) -> bool:
        """Somebody has the mail."""
        return any(r.state == "sent" for r in self.recipients)


def add(
    connection: sqlite3.Connection,
    user_id: int,
    account_id: int,
    now: datetime,
    *,
    compose_token: str,
    message_id: str,
    subject: str,
    envelope_from: str,
    recipients: Sequence[str],
    wire: bytes,
    sent_copy: bytes,
    not_before: datetime,
    draft_id: int | None = None,
    answers_key: str = "",
) -> int:
    """Put a mail in the outbox, held until `not_before`; the id, also when this token is there already."""
    connection.execute(
        "INSERT INTO outbox (user_id, account_id, draft_id, compose_token, message_id, subject,"
        " envelope_from, recipients, wire, sent_copy, answers_key, state, not_before, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'held', ?, ?) ON CONFLICT (compose_token) DO NOTHING",
        (
            user_id, account_id, draft_id, compose_token, message_id, subject, envelope_from,
            _recipients_text([Recipient(address) for address in recipients]), wire, sent_copy, answers_key,
            timestamp(not_before), timestamp(now),
        ),
    )  # fmt: skip
    row = connection.execute("SELECT id FROM outbox WHERE compose_token = ?", (compose_token,)).fetchone()
    changes.record(connection, "outbox", now, user_id=user_id, account_id=account_id)
    return int(row["id"])


def by_token(connection: sqlite3.Connection, user_id: int, compose_token: str) -> int | None:
    """The row that a compose token already became."""
    row = connection.execute(
        "SELECT id FROM outbox WHERE compose_token = ? AND user_id = ?", (compose_token, user_id)
    ).fetchone()
    return None if row is None else int(row["id"])


def of(connection: sqlite3.Connection, outbox_id: int) -> OutboxRow | None:
    """One row, whoever's it is."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM outbox WHERE id = ?",  # noqa: S608
        (outbox_id,),
    ).fetchone()
    return None if row is None else _read(row)


def of_user(connection: sqlite3.Connection, user_id: int, limit: int = 100) -> list[OutboxRow]:
    """A user's outbox, newest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM outbox WHERE user_id = ? AND state <> 'cancelled'"  # noqa: S608
        " ORDER BY id DESC LIMIT ?",
        (user_id, limit),
    )
    return [_read(row) for row in rows]


def held_since(connection: sqlite3.Connection, user_id: int, since: datetime) -> list[OutboxRow]:
    """A user's mail that was written after `since` and was not tried yet, oldest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM outbox WHERE user_id = ? AND state = 'held' AND attempts = 0"  # noqa: S608
        " AND created_at > ? ORDER BY id",
        (user_id, timestamp(since)),
    )
    return [_read(row) for row in rows]


def due(connection: sqlite3.Connection, now: datetime) -> list[OutboxRow]:
    """What may be sent now, oldest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM outbox WHERE state = 'held' AND not_before <= ? ORDER BY id",  # noqa: S608
        (timestamp(now),),
    )
    return [_read(row) for row in rows]


def interrupted(connection: sqlite3.Connection) -> list[OutboxRow]:
    """Rows that a worker had claimed when it ended."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM outbox WHERE state = 'sending'")  # noqa: S608
    return [_read(row) for row in rows]


def uncertain(connection: sqlite3.Connection) -> list[OutboxRow]:
    """Mail of which nobody knows whether it was sent."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM outbox WHERE state = 'uncertain'")  # noqa: S608
    return [_read(row) for row in rows]


def wire(connection: sqlite3.Connection, outbox_id: int) -> bytes:
    """The bytes to send (no Bcc, SMTP line ends)."""
    row = connection.execute("SELECT wire FROM outbox WHERE id = ?", (outbox_id,)).fetchone()
    return bytes(row["wire"])


def sent_copy(connection: sqlite3.Connection, outbox_id: int) -> bytes:
    """The bytes to file under Sent (with Bcc)."""
    row = connection.execute("SELECT sent_copy FROM outbox WHERE id = ?", (outbox_id,)).fetchone()
    return bytes(row["sent_copy"])


def claim(connection: sqlite3.Connection, outbox_id: int, worker: str, now: datetime) -> bool:
    """held → sending; False when it was undone or somebody else has it."""
    return _move(
        connection, outbox_id, "held", now,
        "state = 'sending', phase = 'queued', claimed_by = ?, claimed_at = ?, attempts = attempts + 1",
        (worker, timestamp(now)),
    )  # fmt: skip


def reach(
    connection: sqlite3.Connection,
    outbox_id: int,
    attempt: int,
    phase: Phase,
    recipients: Sequence[Recipient],
) -> bool:
    """Note durably how far this try has come, and what is true of each recipient if nothing more is heard.

    False when the row was taken from it.
    """
    cursor = connection.execute(
        "UPDATE outbox SET phase = ?, recipients = ? WHERE id = ? AND state = 'sending' AND attempts = ?",
        (phase, _recipients_text(recipients), outbox_id, attempt),
    )
    return cursor.rowcount == 1


def is_held_by(connection: sqlite3.Connection, outbox_id: int, attempt: int) -> bool:
    """The row is still being sent by this try."""
    row = connection.execute(
        "SELECT 1 FROM outbox WHERE id = ? AND state = 'sending' AND attempts = ?", (outbox_id, attempt)
    ).fetchone()
    return row is not None


def settle(
    connection: sqlite3.Connection,
    outbox_id: int,
    state: State,
    recipients: Sequence[Recipient],
    now: datetime,
    problem: Problem | None = None,
) -> bool:
    """sending → sent, failed or uncertain; the bytes are dropped once they are sent."""
    extra = ", wire = x'', sent_copy = x''" if state == "sent" else ""
    return _move(
        connection, outbox_id, "sending", now,
        f"state = ?, phase = 'answered', recipients = ?, problem = ?, finished_at = ?{extra}",
        (state, _recipients_text(recipients), _problem_text(problem), timestamp(now)),
    )  # fmt: skip


def settle_uncertain(
    connection: sqlite3.Connection, outbox_id: int, recipients: Sequence[Recipient], now: datetime
) -> bool:
    """uncertain → sent, since a copy was found; the bytes are dropped.

    With somebody `delayed` → held: they alone are tried again.
    """
    if any(each.state == "delayed" for each in recipients):
        return _move(
            connection, outbox_id, "uncertain", now,
            "state = 'held', phase = 'queued', recipients = ?, not_before = ?, problem = NULL,"
            " finished_at = NULL",
            (_recipients_text(recipients), timestamp(now)),
        )  # fmt: skip
    return _move(
        connection, outbox_id, "uncertain", now,
        "state = 'sent', recipients = ?, problem = NULL, finished_at = ?, wire = x'', sent_copy = x''",
        (_recipients_text(recipients), timestamp(now)),
    )  # fmt: skip


def hold(
    connection: sqlite3.Connection,
    outbox_id: int,
    recipients: Sequence[Recipient],
    not_before: datetime,
    now: datetime,
    problem: Problem | None = None,
) -> bool:
    """sending → held: to be tried again by itself from `not_before` on."""
    return _move(
        connection, outbox_id, "sending", now,
        "state = 'held', phase = 'queued', recipients = ?, not_before = ?, problem = ?, claimed_by = NULL",
        (_recipients_text(recipients), timestamp(not_before), _problem_text(problem)),
    )  # fmt: skip


def cancel(connection: sqlite3.Connection, outbox_id: int, state: State, now: datetime) -> bool:
    """Undo, or give up: `state` (held, failed or uncertain) → cancelled; the bytes are dropped."""
    return _move(
        connection, outbox_id, state, now,
        "state = 'cancelled', finished_at = ?, wire = x'', sent_copy = x''", (timestamp(now),),
    )  # fmt: skip


def reopen(connection: sqlite3.Connection, outbox_id: int, now: datetime) -> bool:
    """failed or uncertain → held, by the user's decision: every address without a mail is tried again."""
    row = connection.execute("SELECT state, recipients FROM outbox WHERE id = ?", (outbox_id,)).fetchone()
    if row is None or row["state"] not in ("failed", "uncertain"):
        return False
    again = [Recipient(r["address"], r["state"] if r["state"] == "sent" else "waiting", r["line"])
             for r in json.loads(row["recipients"])]  # fmt: skip
    return _move(
        connection, outbox_id, row["state"], now,
        "state = 'held', phase = 'queued', recipients = ?, not_before = ?, problem = NULL,"
        " finished_at = NULL",
        (_recipients_text(again), timestamp(now)),
    )  # fmt: skip


def _move(
    connection: sqlite3.Connection,
    outbox_id: int,
    state: State,
    now: datetime,
    columns: str,
    values: Sequence[Any],
) -> bool:
    row = connection.execute(
        f"UPDATE outbox SET {columns} WHERE id = ? AND state = ? RETURNING user_id, account_id",  # noqa: S608
        (*values, outbox_id, state),
    ).fetchone()
    if row is not None:
        changes.record(connection, "outbox", now, user_id=row["user_id"], account_id=row["account_id"])
    return row is not None


_COLUMNS = (
    "id, user_id, account_id, draft_id, message_id, subject, envelope_from, recipients, answers_key, state,"
    " phase, attempts, not_before, problem, created_at, finished_at"
)


def _recipients_text(recipients: Sequence[Recipient]) -> str:
    return json.dumps([{"address": r.address, "state": r.state, "line": r.line} for r in recipients])


def _problem_text(problem: Problem | None) -> str | None:
    return json.dumps(problem.as_row()) if problem else None


def _read(row: sqlite3.Row) -> OutboxRow:
    values: Mapping[str, Any] = dict(row)
    return OutboxRow(
        **{
            **values,
            "recipients": tuple(Recipient(**r) for r in json.loads(values["recipients"])),
            "not_before": moment(values["not_before"]),
            "problem": Problem.from_row(json.loads(values["problem"])) if values["problem"] else None,
            "created_at": moment(values["created_at"]),
            "finished_at": moment(values["finished_at"]) if values["finished_at"] else None,
        }
    )
