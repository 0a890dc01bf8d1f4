"""Messages at which a connection broke, so that the next one goes around them."""

import json
import sqlite3
from dataclasses import dataclass, field
from typing import Literal

Part = Literal["envelope", "body"]
MOST = 100  # messages of one folder that are suspected at a time


@dataclass
class Suspects:
    """How often a connection broke over a folder, and over each message that was to come next then."""

    breaks: int = 0
    times: dict[int, int] = field(default_factory=dict)  # by UID; 0: of a first page


def note(
    connection: sqlite3.Connection, folder_id: int, part: Part, uid: int, *, sure: bool = False
) -> Suspects:
    """Note the message that was to come next when the connection broke; what is known now.

    `sure`: it was no accident of the network, so once is as good as twice.
    """
    found = known(connection, folder_id, part)
    found.breaks += 1
    found.times[uid] = found.times.pop(uid, 0) + (2 if sure else 1)
    kept = list(found.times.items())[-MOST:]
    connection.execute(
        "INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)",
        (_name(folder_id, part), json.dumps([found.breaks, kept])),
    )
    return found


def known(connection: sqlite3.Connection, folder_id: int, part: Part) -> Suspects:
    """What is suspected in a folder."""
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (_name(folder_id, part),)).fetchone()
    breaks, times = json.loads(found["value"]) if found else (0, [])
    return Suspects(breaks, dict(times))


def acquit(connection: sqlite3.Connection, folder_id: int, part: Part) -> None:
    """All of the folder has come, or was set aside: nothing is suspected any longer."""
    connection.execute("DELETE FROM facts WHERE name = ?", (_name(folder_id, part),))


def _name(folder_id: int, part: Part) -> str:
    return f"broken off in folder {folder_id} over {part}"
