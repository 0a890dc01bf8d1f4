"""Messages over which a server hung up: the second time in a row, it is the message that is at fault."""

import sqlite3
from typing import Literal

Part = Literal["envelope", "body"]


def note(connection: sqlite3.Connection, folder_id: int, part: Part, uid: int) -> bool:
    """Note the message that was to come next when the server hung up; True when it was so the last time."""
    name = _name(folder_id, part)
    before = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    connection.execute("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", (name, str(uid)))
    return before is not None and bool(before["value"] == str(uid))


def known(connection: sqlite3.Connection, folder_id: int, part: Part) -> bool:
    """The server has hung up over some message of this folder."""
    found = connection.execute("SELECT 1 FROM facts WHERE name = ?", (_name(folder_id, part),)).fetchone()
    return found is not None


def _name(folder_id: int, part: Part) -> str:
    return f"hung up in folder {folder_id} over {part}"
