"""Server actions: what a person did to messages, as rows that the mailroom pushes to the server.

Arguments by kind: `flag` {"add": [flag…], "remove": [flag…]} with "undo": true while a mark of many can be
taken back; `move` and `copy` {"folder": name}; `delete` {} (to the folder with the role trash); `expunge` {}
(final); `append` {"flags": [flag…], "message_id": id, "look_first": bool} with the bytes in `content`,
folder "" = the one with the role sent, uid = 0.
The mailbox file is written before an action is `done`, so that a list never shows the old state in between.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from soinbox_web.clock import timestamp
from soinbox_web.model.message import MessageKey
from soinbox_web.problems import Problem
from soinbox_web.store import changes

Kind = Literal["flag", "move", "copy", "delete", "append", "expunge"]


@dataclass(frozen=True, slots=True)
class Action:
    """One row; `key` names the message (for an append only its account and folder mean something)."""

    id: int
    user_id: int
    kind: Kind
    key: MessageKey
    arguments: Mapping[str, Any]
    attempts: int
    not_before: str

    @property
    def removes(self) -> bool:
        """The message leaves its folder."""
        return self.kind in ("move", "delete", "expunge")


def add(
    connection: sqlite3.Connection,
    user_id: int,
    kind: Kind,
    key: MessageKey,
    now: datetime,
    *,
    arguments: Mapping[str, Any] | None = None,
    not_before: datetime | None = None,
    content: bytes | None = None,
) -> int:
    """Record an action that may be pushed from `not_before` on (now, when not given); its id."""
    cursor = connection.execute(
        "INSERT INTO actions (user_id, account_id, kind, folder, uidvalidity, uid, arguments, content,"
        " not_before, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            user_id, key.account_id, kind, key.folder, key.uidvalidity, key.uid, json.dumps(arguments or {}),
            content, timestamp(not_before or now), timestamp(now),
        ),
    )  # fmt: skip
    changes.record(connection, "action", now, user_id=user_id, account_id=key.account_id, detail=key.folder)
    return int(cursor.lastrowid or 0)


def open_of(connection: sqlite3.Connection, account_id: int, folder: str | None = None) -> list[Action]:
    """Every action that the server has not agreed to yet, oldest first: what lists are overlaid with."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM actions WHERE account_id = ? AND state IN ('open', 'claimed')"  # noqa: S608
        " AND kind <> 'append' AND (? IS NULL OR folder = ?) ORDER BY id",
        (account_id, folder, folder),
    )
    return [_read(row) for row in rows]


def undoable_since(connection: sqlite3.Connection, user_id: int, since: str) -> list[Action]:
    """What a user did since a time (RFC 3339) and can take back, oldest first.

    Removals and copies that nobody has claimed yet; marks of many at once, told to the server or not.
    """
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM actions WHERE user_id = ? AND created_at > ? AND"  # noqa: S608
        " CASE kind WHEN 'flag' THEN arguments ->> 'undo' AND state IN ('open', 'claimed', 'done')"
        " WHEN 'append' THEN 0 ELSE state = 'open' END ORDER BY id",
        (user_id, since),
    )
    return [_read(row) for row in rows]


def due(connection: sqlite3.Connection, account_id: int, now: datetime, limit: int = 500) -> list[Action]:
    """What may be pushed now, oldest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM actions a WHERE account_id = ? AND state = 'open'"  # noqa: S608
        f" AND not_before <= ? AND NOT {_OVERTAKES} AND e.not_before > ?) ORDER BY id LIMIT ?",
        (account_id, timestamp(now), timestamp(now), limit),
    )
    return [_read(row) for row in rows]


def content(connection: sqlite3.Connection, action_id: int) -> bytes:
    """The bytes to append."""
    row = connection.execute("SELECT content FROM actions WHERE id = ?", (action_id,)).fetchone()
    return bytes(row["content"] or b"")


def next_due(connection: sqlite3.Connection, account_id: int) -> str | None:
    """When the next open action may be pushed."""
    row = connection.execute(
        "SELECT min(not_before) FROM actions a WHERE account_id = ? AND state = 'open'"  # noqa: S608
        f" AND NOT {_OVERTAKES})",
        (account_id,),
    ).fetchone()
    return None if row[0] is None else str(row[0])


def waiting(connection: sqlite3.Connection, account_id: int) -> tuple[int, str]:
    """How many actions of an account wait for the server, and since when (RFC 3339, or "")."""
    count, oldest = connection.execute(
        "SELECT count(*), min(created_at) FROM actions WHERE account_id = ? AND state IN ('open', 'claimed')",
        (account_id,),
    ).fetchone()
    return int(count), str(oldest or "")


def claim(connection: sqlite3.Connection, action_id: int, worker: str) -> bool:
    """Take an open action; False when somebody else has it, it was undone, or one before it must be first."""
    cursor = connection.execute(
        "UPDATE actions AS a SET state = 'claimed', claimed_by = ?, attempts = attempts + 1"  # noqa: S608
        f" WHERE id = ? AND state = 'open' AND NOT {_OVERTAKES})",
        (worker, action_id),
    )
    return cursor.rowcount == 1


def finish(
    connection: sqlite3.Connection,
    action_id: int,
    now: datetime,
    problem: Problem | None = None,
    came_to: Mapping[str, Any] | None = None,
) -> None:
    """The server agreed (`done`), or never will (`failed`); the bytes of an append are dropped.

    `came_to` tells where a message lies that was moved: folder, uidvalidity and uid (0: not told),
    message_id, subject.
    """
    row = connection.execute(
        "UPDATE actions SET state = ?, problem = ?, finished_at = ?, content = NULL, came_to = ?"
        " WHERE id = ?"
        " RETURNING user_id, account_id, folder",
        (
            "failed" if problem else "done",
            problem and json.dumps(problem.as_row()),
            timestamp(now),
            json.dumps(came_to) if came_to else None,
            action_id,
        ),
    ).fetchone()
    if row is not None:
        changes.record(
            connection,
            "action",
            now,
            user_id=row["user_id"],
            account_id=row["account_id"],
            detail=row["folder"],
        )


@dataclass(frozen=True, slots=True)
class Removal:
    """A message that was moved or deleted, and where it lies now (None: the server was not told yet)."""

    action: Action
    at: str
    came_to: Mapping[str, Any] | None


def removals(connection: sqlite3.Connection, user_id: int, since: str, limit: int = 100) -> list[Removal]:
    """What a user moved or deleted since a time (RFC 3339) and can still have back, newest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS}, created_at, came_to, state FROM actions WHERE user_id = ? AND created_at > ?"  # noqa: S608
        " AND kind IN ('move', 'delete', 'expunge') AND (state = 'open' OR came_to IS NOT NULL)"
        " ORDER BY id DESC LIMIT ?",
        (user_id, since, limit),
    )
    return [
        Removal(_read(r), r["created_at"], json.loads(r["came_to"]) if r["came_to"] else None) for r in rows
    ]


def brought_back(connection: sqlite3.Connection, action_id: int) -> bool:
    """From now on this removal cannot be taken back again; False when that was so before."""
    cursor = connection.execute(
        "UPDATE actions SET came_to = NULL WHERE id = ? AND came_to IS NOT NULL", (action_id,)
    )
    return cursor.rowcount == 1


def release(connection: sqlite3.Connection, action_id: int, not_before: datetime) -> None:
    """Give a claimed action back, to be tried again from `not_before` on."""
    connection.execute(
        "UPDATE actions SET state = 'open', claimed_by = NULL, not_before = ?"
        " WHERE id = ? AND state = 'claimed'",
        (timestamp(not_before), action_id),
    )


def accounts_with_claimed(connection: sqlite3.Connection) -> list[int]:
    """The accounts of which somebody claimed an action, who may be dead."""
    rows = connection.execute("SELECT DISTINCT account_id FROM actions WHERE state = 'claimed'")
    return [row["account_id"] for row in rows]


def release_all(connection: sqlite3.Connection, account_id: int) -> None:
    """What a dead worker had claimed is open again."""
    connection.execute(
        "UPDATE actions SET state = 'open', claimed_by = NULL WHERE account_id = ? AND state = 'claimed'",
        (account_id,),
    )


def unmark(connection: sqlite3.Connection, user_id: int, action_id: int) -> Action | None:
    """From now on this mark cannot be taken back again; None when that was so before."""
    row = connection.execute(
        "UPDATE actions SET arguments = json_remove(arguments, '$.undo')"  # noqa: S608
        f" WHERE id = ? AND user_id = ? AND kind = 'flag' AND arguments ->> 'undo' RETURNING {_COLUMNS}",
        (action_id, user_id),
    ).fetchone()
    return row and _read(row)


def cancel(connection: sqlite3.Connection, user_id: int, ids: Iterable[int], now: datetime) -> int:
    """Undo what has not been claimed yet; how many that were."""
    count = 0
    for action_id in ids:
        row = connection.execute(
            "UPDATE actions SET state = 'cancelled', finished_at = ?, content = NULL"
            " WHERE id = ? AND user_id = ? AND state = 'open' AND kind <> 'flag'"
            " RETURNING account_id, folder",
            (timestamp(now), action_id, user_id),
        ).fetchone()
        if row is not None:
            count += 1
            changes.record(
                connection, "action", now, user_id=user_id, account_id=row["account_id"], detail=row["folder"]
            )
    return count


# An action on the same message was tried before this one and waits to be tried again (closed by its user).
_OVERTAKES = (
    "EXISTS (SELECT 1 FROM actions e WHERE e.account_id = a.account_id AND e.folder = a.folder"
    " AND e.uidvalidity = a.uidvalidity AND e.uid = a.uid AND e.state = 'open' AND e.id < a.id"
    " AND e.attempts > 0 AND 'append' NOT IN (a.kind, e.kind)"
)
_COLUMNS = "id, user_id, account_id, kind, folder, uidvalidity, uid, arguments, attempts, not_before"


def _read(row: sqlite3.Row) -> Action:
    key = MessageKey(row["account_id"], row["folder"], row["uidvalidity"], row["uid"])
    return Action(
        row["id"],
        row["user_id"],
        row["kind"],
        key,
        json.loads(row["arguments"]),
        row["attempts"],
        row["not_before"],
    )
