"""Messages of a mailbox file that are set aside: unreadable ones, those older than the account's horizon."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from soinbox_web.model.message import Correspondent, Envelope, Reason
from soinbox_web.store.moments import time_text

_OLDER = "older"  # than the account's horizon; the other reasons are model.message.Reason
_NO_VERSION = ""  # of messages that no version of the product tries again


def put(
    connection: sqlite3.Connection,
    folder_id: int,
    reasons: Mapping[int, Reason],
    version: str,
    *,
    known: Mapping[int, Envelope] = MappingProxyType({}),
    day: datetime | None = None,
) -> None:
    """Note messages that cannot be had, so that they stop nothing; tried again by another version.

    `known` names them as far as possible; those that the server hung up over on a `day` are tried again on
    another one.
    """
    today = f"{day:%Y-%m-%d}" if day else ""
    connection.executemany(
        "INSERT OR REPLACE INTO set_aside (folder_id, uid, reason, version, day, sender, subject, date, size)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (folder_id, uid, reason, version, today, *_named(known.get(uid)))
            for uid, reason in reasons.items()
        ],
    )
    _count(connection, folder_id)


def _named(envelope: Envelope | None) -> tuple[str, str, str | None, int]:
    if envelope is None:
        return "", "", None, 0
    sender = envelope.sender[0] if envelope.sender else Correspondent("", "")
    date = None if envelope.date is None else time_text(envelope.date)
    return sender.name or sender.address, envelope.subject, date, envelope.size


def leave_out(connection: sqlite3.Connection, folder_id: int, uids: Iterable[int]) -> None:
    """Note messages that are older than the account's horizon: they stay on the server."""
    connection.executemany(
        "INSERT OR REPLACE INTO set_aside (folder_id, uid, reason, version) VALUES (?, ?, ?, ?)",
        [(folder_id, uid, _OLDER, _NO_VERSION) for uid in uids],
    )
    _count(connection, folder_id)


def take_in(connection: sqlite3.Connection, folder_id: int, uids: Iterable[int]) -> None:
    """These are set aside no longer."""
    dropped = connection.execute(
        "DELETE FROM set_aside WHERE folder_id = ? AND uid IN (SELECT value FROM json_each(?))",
        (folder_id, json.dumps(list(uids))),
    )
    if dropped.rowcount:
        _count(connection, folder_id)


def of_other_days(connection: sqlite3.Connection, folder_id: int, now: datetime) -> list[int]:
    """Over which messages the server hung up on another day than today."""
    rows = connection.execute(
        "SELECT uid FROM set_aside WHERE folder_id = ? AND day NOT IN ('', ?)", (folder_id, f"{now:%Y-%m-%d}")
    )
    return [row[0] for row in rows]


def ask_again(connection: sqlite3.Connection, folder_id: int) -> None:
    """Messages that could not be had are missing again, but for those that would end the connection."""
    connection.execute(
        "DELETE FROM set_aside WHERE folder_id = ? AND version <> ? AND day = ''", (folder_id, _NO_VERSION)
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


def listing(connection: sqlite3.Connection, limit: int) -> list[sqlite3.Row]:
    """Those that cannot be had, of all folders, with their folder's name, role and UIDVALIDITY."""
    return connection.execute(
        "SELECT s.uid, s.reason, s.sender, s.subject, s.date, s.size, f.name AS folder, f.role, f.uidvalidity"
        " FROM set_aside s JOIN folders f ON f.id = s.folder_id WHERE s.version <> ?"
        " ORDER BY f.id, s.uid DESC LIMIT ?",
        (_NO_VERSION, limit),
    ).fetchall()


def find(connection: sqlite3.Connection, folder: str, uidvalidity: int, uid: int) -> sqlite3.Row | None:
    """One that cannot be had, by its message key; `source` as it was kept."""
    found: sqlite3.Row | None = connection.execute(
        "SELECT s.*, f.name AS folder, f.role, f.uidvalidity"
        " FROM set_aside s JOIN folders f ON f.id = s.folder_id"
        " WHERE f.name = ? AND f.uidvalidity = ? AND s.uid = ? AND s.version <> ?",
        (folder, uidvalidity, uid, _NO_VERSION),
    ).fetchone()
    return found


def keep_source(connection: sqlite3.Connection, folder_id: int, uid: int, packed: bytes) -> None:
    """Keep the beginning of what the server holds of one, and of no other."""
    connection.execute("UPDATE set_aside SET source = NULL WHERE source IS NOT NULL")
    connection.execute(
        "UPDATE set_aside SET source = ? WHERE folder_id = ? AND uid = ?", (packed, folder_id, uid)
    )


def _count(connection: sqlite3.Connection, folder_id: int) -> None:
    connection.execute(
        "UPDATE folders SET aside = (SELECT count(*) FROM set_aside WHERE folder_id = folders.id)"
        " WHERE id = ?",
        (folder_id,),
    )
