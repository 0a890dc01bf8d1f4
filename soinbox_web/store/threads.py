"""Threads: messages joined by Message-ID, In-Reply-To and References (RFC 5322 section 3.6.4)."""

import json
import sqlite3
from collections.abc import Sequence


def link(connection: sqlite3.Connection, batch: Sequence[tuple[int, str, Sequence[str]]]) -> dict[int, int]:
    """The thread of each (row id, Message-ID, ids it refers to) of a batch; threads that meet become one.

    A thread's number is the row id of the message that began it here.
    """
    named = {name for _, own, others in batch for name in (own, *others) if name}
    known: dict[str, int] = {
        row[0]: row[1]
        for row in connection.execute(
            "SELECT message_id, thread_id FROM thread_links"
            " WHERE message_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(named)),),
        )
    }
    joined: dict[int, int] = {}
    placed = []
    fresh: dict[str, int] = {}
    for row_id, own, others in batch:
        names = [name for name in (own, *others) if name]
        met = {_root(joined, known[name]) for name in names if name in known}
        thread = min(met) if met else row_id
        for other in met - {thread}:
            joined[other] = thread
        for name in names:
            if name not in known:
                fresh[name] = known[name] = thread
        placed.append((row_id, thread))
    connection.executemany(
        "INSERT INTO thread_links (message_id, thread_id) VALUES (?, ?)",
        sorted((name, _root(joined, thread)) for name, thread in fresh.items()),
    )
    for other in joined:
        for table in ("thread_links", "messages"):
            connection.execute(
                f"UPDATE {table} SET thread_id = ? WHERE thread_id = ?",  # noqa: S608
                (_root(joined, other), other),
            )
    return {row_id: _root(joined, thread) for row_id, thread in placed}


def _root(joined: dict[int, int], thread: int) -> int:
    """The thread that this one has become part of; all on the way are told, so that none is gone again."""
    root = thread
    while root in joined:
        root = joined[root]
    while thread != root:
        joined[thread], thread = root, joined[thread]
    return root
