"""Messages at which a connection broke, so that the next one goes around them."""

import json
import sqlite3
from typing import Literal, NamedTuple

Part = Literal["envelope", "body"]


class Suspect(NamedTuple):
    """The message that was to come next (0: of a first page), how often so, and how often it broke at all."""

    uid: int = 0
    times: int = 0
    breaks: int = 0


def note(
    connection: sqlite3.Connection, folder_id: int, part: Part, uid: int, *, sure: bool = False
) -> Suspect:
    """Note the message that was to come next when the connection broke; what is known of it now.

    `sure`: it was no accident of the network, so once is as good as twice.
    """
    before = known(connection, folder_id, part)
    times = (before.times if before.uid == uid else 0) + (2 if sure else 1)
    now = Suspect(uid, times, before.breaks + 1)
    connection.execute(
        "INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", (_name(folder_id, part), json.dumps(now))
    )
    return now


def known(connection: sqlite3.Connection, folder_id: int, part: Part) -> Suspect:
    """The suspect of a folder; one without breaks when there is none."""
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (_name(folder_id, part),)).fetchone()
    return Suspect(*json.loads(found["value"])) if found else Suspect()


def acquit(connection: sqlite3.Connection, folder_id: int, part: Part) -> None:
    """All of the folder has come, or was set aside: nothing is suspected any longer."""
    connection.execute("DELETE FROM facts WHERE name = ?", (_name(folder_id, part),))


def _name(folder_id: int, part: Part) -> str:
    return f"broken off in folder {folder_id} over {part}"
