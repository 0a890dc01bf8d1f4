"""Folders of a mailbox file: names, roles, counts and the cursor of synchronising."""

import json
import sqlite3
from datetime import datetime

from soinbox_web.clock import timestamp
from soinbox_web.model.folder import Folder, Role
from soinbox_web.problems import Problem

_ORDER = ("inbox", "drafts", "sent", "archive", "junk", "trash", "all", "flagged", "important", "")
_COLUMNS = (
    "id, name, wire, delimiter, role, selectable, uidvalidity, uidnext, highestmodseq, total, stored, aside,"
    " unread, synced_at"
)


def listing(connection: sqlite3.Connection) -> list[Folder]:
    """Every folder with its counts: INBOX, the folders with a role, then the rest by name."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM folders").fetchall()  # noqa: S608
    found = [_folder(row) for row in rows]
    return sorted(found, key=lambda folder: (_ORDER.index(folder.role), folder.name.casefold()))


def by_id(connection: sqlite3.Connection, folder_id: int) -> Folder | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM folders WHERE id = ?", (folder_id,)).fetchone()  # noqa: S608
    return _folder(row) if row else None


def by_name(connection: sqlite3.Connection, name: str) -> Folder | None:
    """The folder of this decoded full path."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM folders WHERE name = ?", (name,)).fetchone()  # noqa: S608
    return _folder(row) if row else None


def by_role(connection: sqlite3.Connection, role: Role) -> Folder | None:
    """The first folder that plays this role."""
    return next((folder for folder in listing(connection) if folder.role == role), None)


def unread_count(connection: sqlite3.Connection, folder_id: int) -> int:
    row = connection.execute("SELECT unread FROM folders WHERE id = ?", (folder_id,)).fetchone()
    return int(row[0]) if row else 0


def problem(connection: sqlite3.Connection, folder_id: int) -> Problem | None:
    """Why this folder cannot be synchronised, when it cannot."""
    row = connection.execute("SELECT problem FROM folders WHERE id = ?", (folder_id,)).fetchone()
    return Problem.from_row(json.loads(row[0])) if row and row[0] else None


def add(
    connection: sqlite3.Connection, name: str, wire: str, delimiter: str, role: Role, *, selectable: bool
) -> int:
    """A folder that appeared on the server; its row. `wire` is the name as the server spells it (Latin-1)."""
    cursor = connection.execute(
        "INSERT INTO folders (name, wire, delimiter, role, selectable) VALUES (?, ?, ?, ?, ?)",
        (name, wire, delimiter, role, selectable),
    )
    return int(cursor.lastrowid or 0)


def describe(
    connection: sqlite3.Connection,
    folder_id: int,
    name: str,
    wire: str,
    delimiter: str,
    role: Role,
    *,
    selectable: bool,
) -> None:
    """The folder as the server names it now (renaming keeps its messages)."""
    connection.execute(
        "UPDATE folders SET name = ?, wire = ?, delimiter = ?, role = ?, selectable = ? WHERE id = ?",
        (name, wire, delimiter, role, selectable, folder_id),
    )


def leave_out(connection: sqlite3.Connection, count: int) -> None:
    """Note how many folders of the server are not here, since they are too many or their names too long."""
    if count != left_out(connection):
        connection.execute(
            "INSERT OR REPLACE INTO facts (name, value) VALUES ('folders left out', ?)", (str(count),)
        )


def left_out(connection: sqlite3.Connection) -> int:
    """How many folders of the server are not here."""
    row = connection.execute("SELECT value FROM facts WHERE name = 'folders left out'").fetchone()
    return int(row["value"]) if row else 0


def remove(connection: sqlite3.Connection, folder_id: int) -> None:
    """Forget a folder that is empty by now (`clear`)."""
    connection.execute("DELETE FROM folders WHERE id = ?", (folder_id,))


def clear(connection: sqlite3.Connection, folder_id: int, most: int = 1000) -> bool:
    """Forget messages of a folder and its cursor; True while there are more."""
    gone = [
        (row[0],)
        for row in connection.execute(
            "SELECT id FROM messages WHERE folder_id = ? LIMIT ?", (folder_id, most)
        )
    ]
    connection.executemany("DELETE FROM search WHERE rowid = ?", gone)
    connection.executemany("DELETE FROM messages WHERE id = ?", gone)
    for table in ("set_aside", "found"):
        connection.execute(f"DELETE FROM {table} WHERE folder_id = ?", (folder_id,))  # noqa: S608
    connection.execute(
        "UPDATE folders SET uidvalidity = 0, uidnext = 0, highestmodseq = 0, total = 0, stored = 0,"
        " aside = 0, unread = 0 WHERE id = ?",
        (folder_id,),
    )
    return len(gone) == most


def begin(connection: sqlite3.Connection, folder_id: int, uidvalidity: int, total: int) -> None:
    """A synchronisation of this folder starts: what the server says of it now."""
    connection.execute(
        "UPDATE folders SET"
        " rebuilds = CASE uidvalidity WHEN 0 THEN rebuilds + 1 WHEN ? THEN 0 ELSE rebuilds END,"
        " uidvalidity = ?, total = ? WHERE id = ?",
        (uidvalidity, uidvalidity, total, folder_id),
    )


def finish(
    connection: sqlite3.Connection,
    folder_id: int,
    *,
    uidnext: int,
    highestmodseq: int,
    total: int,
    at: datetime,
    swept: bool,
) -> None:
    """A synchronisation of this folder is complete: the cursor moves on, the counts are counted again."""
    connection.execute(
        "UPDATE folders SET uidnext = ?, highestmodseq = ?, total = ?, synced_at = ?, problem = NULL,"
        " swept_at = CASE WHEN ? THEN ? ELSE swept_at END,"
        " stored = (SELECT count(*) FROM messages WHERE folder_id = folders.id),"
        " unread = (SELECT count(*) FROM messages WHERE folder_id = folders.id AND seen = 0)"
        " WHERE id = ?",
        (uidnext, highestmodseq, total, timestamp(at), swept, timestamp(at), folder_id),
    )


def touch(connection: sqlite3.Connection, folder_id: int, at: datetime) -> None:
    """Nothing changed on the server; the folder is as it was, as of now."""
    connection.execute(
        "UPDATE folders SET synced_at = ?, problem = NULL WHERE id = ?", (timestamp(at), folder_id)
    )


def fail(connection: sqlite3.Connection, folder_id: int, found: Problem) -> None:
    """This folder could not be synchronised; the others go on."""
    connection.execute("UPDATE folders SET problem = ? WHERE id = ?", (json.dumps(found.as_row()), folder_id))


def swept_at(connection: sqlite3.Connection, folder_id: int) -> str:
    """When all flags were last compared (RFC 3339, or "")."""
    row = connection.execute("SELECT swept_at FROM folders WHERE id = ?", (folder_id,)).fetchone()
    return str(row[0]) if row else ""


def rebuilds(connection: sqlite3.Connection, folder_id: int) -> int:
    """How often in a row the folder was built up from nothing."""
    row = connection.execute("SELECT rebuilds FROM folders WHERE id = ?", (folder_id,)).fetchone()
    return int(row[0]) if row else 0


def _folder(row: sqlite3.Row) -> Folder:
    return Folder(**{**dict(row), "selectable": bool(row["selectable"])})
