"""Messages of a mailbox file that are set aside: unreadable ones, those older than the account's horizon."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

_HUNG_UP = "the server hung up over it on "


def put(connection: sqlite3.Connection, folder_id: int, reasons: dict[int, str], version: str) -> None:
    """Note messages that cannot be read, so that they stop nothing; tried again by another version."""
    connection.executemany(
        "INSERT OR REPLACE INTO set_aside (folder_id, uid, reason, version) VALUES (?, ?, ?, ?)",
        [(folder_id, uid, reason, version) for uid, reason in reasons.items()],
    )
    _count(connection, folder_id)


def leave_out(connection: sqlite3.Connection, folder_id: int, uids: Iterable[int]) -> None:
    """Note messages that are older than the account's horizon: they stay on the server."""
    put(connection, folder_id, dict.fromkeys(uids, "older than the horizon"), _NO_VERSION)


def take_in(connection: sqlite3.Connection, folder_id: int, uids: Iterable[int]) -> None:
    """These are set aside no longer."""
    dropped = connection.execute(
        "DELETE FROM set_aside WHERE folder_id = ? AND uid IN (SELECT value FROM json_each(?))",
        (folder_id, json.dumps(list(uids))),
    )
    if dropped.rowcount:
        _count(connection, folder_id)


def hung_up(connection: sqlite3.Connection, folder_id: int, uid: int, version: str, now: datetime) -> None:
    """Note a message over which the server ended the connection; it is asked for again on another day."""
    put(connection, folder_id, {uid: f"{_HUNG_UP}{now:%Y-%m-%d}"}, version)


def of_other_days(connection: sqlite3.Connection, folder_id: int, now: datetime) -> list[int]:
    """Over which messages the server hung up on another day than today."""
    rows = connection.execute(
        "SELECT uid FROM set_aside WHERE folder_id = ? AND reason GLOB ? AND reason <> ?",
        (folder_id, f"{_HUNG_UP}*", f"{_HUNG_UP}{now:%Y-%m-%d}"),
    )
    return [row[0] for row in rows]


def ask_again(connection: sqlite3.Connection, folder_id: int) -> None:
    """Messages that could not be read are missing again, but for those that would end the connection."""
    connection.execute(
        "DELETE FROM set_aside WHERE folder_id = ? AND version <> ? AND reason NOT GLOB ?",
        (folder_id, _NO_VERSION, f"{_HUNG_UP}*"),
    )
    _count(connection, folder_id)


def uids(connection: sqlite3.Connection, folder_id: int, version: str) -> list[int]:
    """What this version does not ask for."""
    rows = connection.execute(
        "SELECT uid FROM set_aside WHERE folder_id = ? AND version IN (?, ?)",
        (folder_id, version, _NO_VERSION),
    )
    return [row[0] for row in rows]


def left_out(connection: sqlite3.Connection, folder_id: int) -> int:
    """How many messages are older than the account's horizon."""
    row = connection.execute(
        "SELECT count(*) FROM set_aside WHERE folder_id = ? AND version = ?", (folder_id, _NO_VERSION)
    ).fetchone()
    return int(row[0])


_NO_VERSION = ""  # of messages that no version of the product tries again


def _count(connection: sqlite3.Connection, folder_id: int) -> None:
    connection.execute(
        "UPDATE folders SET aside = (SELECT count(*) FROM set_aside WHERE folder_id = folders.id)"
        " WHERE id = ?",
        (folder_id,),
    )
