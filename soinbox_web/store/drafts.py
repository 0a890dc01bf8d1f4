"""Drafts: mail being written, kept as rows so that it survives reload and opens on any device."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from soinbox_web.clock import moment, timestamp
from soinbox_web.store import changes

Kind = Literal["new", "reply", "reply_all", "forward"]


@dataclass(frozen=True, slots=True)
class DraftFile:
    """An attachment of a draft without its bytes; `size` is in bytes."""

    id: int
    name: str
    type: str
    size: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it was typed; `source_key` names the message answered or forwarded ("" when none)."""

    id: int
    user_id: int
    account_id: int | None
    compose_token: str
    kind: Kind
    to: str
    cc: str
    bcc: str
    subject: str
    body: str
    source_key: str
    in_reply_to: str
    references: tuple[str, ...]
    updated_at: datetime
    files: tuple[DraftFile, ...] = ()


def add(
    connection: sqlite3.Connection,
    user_id: int,
    account_id: int,
    compose_token: str,
    now: datetime,
    *,
    kind: Kind = "new",
    to: str = "",
    cc: str = "",
    subject: str = "",
    body: str = "",
    source_key: str = "",
    in_reply_to: str = "",
    references: tuple[str, ...] = (),
) -> int:
    """A new draft; its id."""
    cursor = connection.execute(
        "INSERT INTO drafts (user_id, account_id, compose_token, kind, to_text, cc_text, subject, body,"
        " source_key, in_reply_to, reference_ids, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            user_id, account_id, compose_token, kind, to, cc, subject, body, source_key, in_reply_to,
            json.dumps(references), timestamp(now), timestamp(now),
        ),
    )  # fmt: skip
    changes.record(connection, "draft", now, user_id=user_id)
    return int(cursor.lastrowid or 0)


def of(connection: sqlite3.Connection, user_id: int, draft_id: int) -> Draft | None:
    """One draft of this user."""
    row = connection.execute(
        "SELECT * FROM drafts WHERE id = ? AND user_id = ?", (draft_id, user_id)
    ).fetchone()
    return None if row is None else _read(connection, row)


def of_user(connection: sqlite3.Connection, user_id: int) -> list[Draft]:
    """Every draft that was written on and is not on its way, the last one touched first."""
    rows = connection.execute(
        "SELECT * FROM drafts d WHERE user_id = ? AND updated_at > created_at AND NOT EXISTS"
        " (SELECT 1 FROM outbox o WHERE o.compose_token = d.compose_token AND o.state <> 'cancelled')"
        " ORDER BY updated_at DESC",
        (user_id,),
    ).fetchall()
    return [_read(connection, row) for row in rows]


def write(
    connection: sqlite3.Connection,
    user_id: int,
    draft_id: int,
    now: datetime,
    *,
    account_id: int | None,
    to: str,
    cc: str,
    bcc: str,
    subject: str,
    body: str,
) -> None:
    """Save what was typed."""
    connection.execute(
        "UPDATE drafts SET account_id = ?, to_text = ?, cc_text = ?, bcc_text = ?, subject = ?, body = ?,"
        " updated_at = ? WHERE id = ? AND user_id = ?",
        (account_id, to, cc, bcc, subject, body, timestamp(now), draft_id, user_id),
    )
    changes.record(connection, "draft", now, user_id=user_id)


def prune(connection: sqlite3.Connection, user_id: int, before: datetime) -> None:
    """Forget drafts that were opened before this time and never written on."""
    connection.execute(
        "DELETE FROM drafts WHERE user_id = ? AND updated_at = created_at AND created_at < ? AND NOT EXISTS"
        " (SELECT 1 FROM outbox o WHERE o.compose_token = drafts.compose_token)",
        (user_id, timestamp(before)),
    )


def renew_token(connection: sqlite3.Connection, draft_id: int, compose_token: str) -> None:
    """After an undo: the next *Send* is another mail."""
    connection.execute("UPDATE drafts SET compose_token = ? WHERE id = ?", (compose_token, draft_id))


def remove(connection: sqlite3.Connection, user_id: int, draft_id: int, now: datetime) -> None:
    """Throw a draft away, attachments included."""
    connection.execute("DELETE FROM drafts WHERE id = ? AND user_id = ?", (draft_id, user_id))
    changes.record(connection, "draft", now, user_id=user_id)


def add_file(connection: sqlite3.Connection, draft_id: int, name: str, type: str, content: bytes) -> int:
    """Attach a file; its id."""
    cursor = connection.execute(
        "INSERT INTO draft_attachments (draft_id, name, type, size, content) VALUES (?, ?, ?, ?, ?)",
        (draft_id, name, type, len(content), content),
    )
    return int(cursor.lastrowid or 0)


def remove_file(connection: sqlite3.Connection, draft_id: int, file_id: int) -> None:
    """Take a file off again."""
    connection.execute("DELETE FROM draft_attachments WHERE id = ? AND draft_id = ?", (file_id, draft_id))


def file_content(connection: sqlite3.Connection, file_id: int) -> bytes:
    """The bytes of one attachment."""
    row = connection.execute("SELECT content FROM draft_attachments WHERE id = ?", (file_id,)).fetchone()
    return bytes(row["content"]) if row else b""


def _read(connection: sqlite3.Connection, row: sqlite3.Row) -> Draft:
    files = connection.execute(
        "SELECT id, name, type, size FROM draft_attachments WHERE draft_id = ? ORDER BY id", (row["id"],)
    )
    return Draft(
        row["id"], row["user_id"], row["account_id"], row["compose_token"], row["kind"], row["to_text"],
        row["cc_text"], row["bcc_text"], row["subject"], row["body"], row["source_key"], row["in_reply_to"],
        tuple(json.loads(row["reference_ids"])), moment(row["updated_at"]),
        tuple(DraftFile(f["id"], f["name"], f["type"], f["size"]) for f in files),
    )  # fmt: skip
