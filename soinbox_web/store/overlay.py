"""Mailbox rows as they will be once the server has agreed: overlaid with the open actions of an account."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

from soinbox_web.store import messages
from soinbox_web.store.actions import Action

Place = tuple[str, int, int]  # folder, UIDVALIDITY, UID


@dataclass
class RowIds:
    """Rows of a mailbox file that left their folder, are read now, are unread now."""

    hidden: set[int] = field(default_factory=set)
    read: set[int] = field(default_factory=set)
    unread: set[int] = field(default_factory=set)


class Overlay:
    """What open actions make of messages, by place."""

    def __init__(self, actions: Iterable[Action]) -> None:
        self._removed: set[Place] = set()
        self._changed: dict[Place, list[Action]] = {}
        for action in actions:
            place = (action.key.folder, action.key.uidvalidity, action.key.uid)
            if action.removes:
                self._removed.add(place)
            elif action.kind == "flag":
                self._changed.setdefault(place, []).append(action)

    def hides(self, place: Place) -> bool:
        """The message has left its folder."""
        return place in self._removed

    def hidden(self, connection: sqlite3.Connection, folder_id: int, folder: str, uidvalidity: int) -> int:
        """How many messages that are stored have left this folder (reads the mailbox file)."""
        uids = [place[2] for place in self._removed if place[:2] == (folder, uidvalidity)]
        return len(messages.uids_among(connection, folder_id, uids)) if uids else 0

    def row_ids(self, connection: sqlite3.Connection) -> "RowIds":
        """The rows of the mailbox file whose place or reading open actions have changed."""
        places = {*self._removed, *self._changed}
        rows = connection.execute(
            "SELECT m.id, m.flags, f.name, f.uidvalidity, m.uid FROM json_each(?) p"
            " JOIN folders f ON f.name = p.value ->> 0 AND f.uidvalidity = p.value ->> 1"
            " JOIN messages m ON m.folder_id = f.id AND m.uid = p.value ->> 2",
            (json.dumps(sorted(places)),),
        ).fetchall() if places else []  # fmt: skip
        found = RowIds()
        for row in rows:
            place, stored = (row["name"], row["uidvalidity"], row["uid"]), frozenset(json.loads(row["flags"]))
            seen = "\\Seen" in self.flags(place, stored)
            if self.hides(place):
                found.hidden.add(row["id"])
            elif seen != ("\\Seen" in stored):
                (found.read if seen else found.unread).add(row["id"])
        return found

    def flags(self, place: Place, stored: frozenset[str]) -> frozenset[str]:
        """The flags as they will be."""
        for action in self._changed.get(place, ()):
            stored = (stored | set(action.arguments.get("add", ()))) - set(action.arguments.get("remove", ()))
        return stored

    def unread_change(
        self, connection: sqlite3.Connection, folder_id: int, folder: str, uidvalidity: int
    ) -> int:
        """By how much the number of unread messages of a folder will differ (reads the mailbox file)."""
        places = {p for p in (*self._removed, *self._changed) if p[0] == folder and p[1] == uidvalidity}
        if not places:
            return 0
        rows = connection.execute(
            "SELECT uid, flags FROM messages WHERE folder_id = ? AND uid IN (SELECT value FROM json_each(?))",
            (folder_id, json.dumps([place[2] for place in places])),
        )
        change = 0
        for row in rows:
            place, stored = (folder, uidvalidity, row["uid"]), frozenset(json.loads(row["flags"]))
            counts = not self.hides(place) and "\\Seen" not in self.flags(place, stored)
            change += counts - ("\\Seen" not in stored)
        return change
