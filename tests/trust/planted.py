"""The control: bugs planted on purpose, each of which the verifier has to catch."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from soinbox_web.mail.imap import folders as server
from soinbox_web.mail.imap import mailbox_changes
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.model.account import Account
from soinbox_web.runtime import Runtime
from soinbox_web.services import acting
from soinbox_web.store.database import Database
from tests.trust.faults import compared
from tests.trust.scene import SENT, Push, Scene, settle

Rows = list[Any]


class _Bent:
    """A connection that changes what is written; all else passes."""

    def __init__(self, connection: sqlite3.Connection, bend: Callable[[str, Rows], Rows]) -> None:
        self._connection = connection
        self._bend = bend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, values: Any = ()) -> sqlite3.Cursor:
        bent = self._bend(sql, [values])
        return (
            self._connection.execute(sql, bent[0]) if bent else self._connection.execute("SELECT 1 WHERE 0")
        )

    def executemany(self, sql: str, rows: Iterable[Any]) -> sqlite3.Cursor:
        return self._connection.executemany(sql, self._bend(sql, list(rows)))


def bent(bend: Callable[[str, Rows], Rows]) -> type[Database]:
    class Bent(Database):
        @contextmanager
        def write(self) -> Iterator[sqlite3.Connection]:
            with super().write() as connection:
                yield _Bent(connection, bend)  # type: ignore[misc]

    return Bent


def _drop_a_row(sql: str, rows: Rows) -> Rows:
    return rows[1:] if sql.startswith(("INSERT INTO messages", "INSERT INTO search")) else rows


def _forget_no_message(sql: str, rows: Rows) -> Rows:
    return [] if sql.startswith("DELETE FROM messages") else rows


def _flag_the_neighbour(sql: str, rows: Rows) -> Rows:
    if sql.startswith("UPDATE messages SET flags"):
        return [(flags, seen, folder, uid + 1, same) for flags, seen, folder, uid, same in rows]
    return rows


def _search_forgets(sql: str, rows: Rows) -> Rows:
    return rows[:-1] if sql.startswith("INSERT INTO search") and len(rows) > 1 else rows


def _append_twice(runtime: Runtime, account: Account, connection: ImapConnection) -> None:
    acting.push(runtime, account, connection)
    mailbox_changes.append(connection, "Sent", f"Message-ID: {SENT}\r\n\r\nHallo\r\n".encode(), ["\\Seen"])


def _copy_for_move(runtime: Runtime, account: Account, connection: ImapConnection) -> None:
    server.select(connection, "INBOX")
    mailbox_changes.copy(connection, [11], "Archive")
    acting.push(runtime, account, connection)


PLANTED: dict[str, tuple[type[Database], Push]] = {
    "a row of each batch is dropped": (bent(_drop_a_row), acting.push),
    "what vanished is not forgotten": (bent(_forget_no_message), acting.push),
    "flags go to the next message": (bent(_flag_the_neighbour), acting.push),
    "the search misses a message of each batch": (bent(_search_forgets), acting.push),
    "an append is repeated": (Database, _append_twice),
    "a moved message is copied as well": (Database, _copy_for_move),
}


def caught(scene: Scene, name: str) -> list[str]:
    """What the verifier says of the work with this bug."""
    database, push = PLANTED[name]
    scene.restore()
    runtime = scene.runtime(database)
    try:
        settle(runtime, scene.account_id, push)
        return compared(runtime, scene)
    finally:
        runtime.close()
