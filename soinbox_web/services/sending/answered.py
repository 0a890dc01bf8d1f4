"""The message that was answered or forwarded says so."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from soinbox_web.model.message import MessageKey
from soinbox_web.store import actions, drafts
from soinbox_web.store.outbox import OutboxRow


def mark_answered(connection: sqlite3.Connection, row: OutboxRow, now: datetime) -> None:
    """Flag the message that this mail answers; nothing when it answers none."""
    key = MessageKey.read(row.answers_key)
    if key is None:
        return
    draft = drafts.of(connection, row.user_id, row.draft_id) if row.draft_id is not None else None
    flag = "$Forwarded" if draft is not None and draft.kind == "forward" else "\\Answered"
    arguments: dict[str, Sequence[str]] = {"add": [flag], "remove": []}
    actions.add(connection, row.user_id, "flag", key, now, arguments=arguments)
