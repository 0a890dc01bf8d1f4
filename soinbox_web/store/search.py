"""Full-text search in a mailbox file; newest first, never by rank (mailbox.md section 1).

CROSS JOIN keeps SQLite from asking the index once for each message of a folder.
"""

import re
import sqlite3

from soinbox_web.store.filter import EVERYTHING, Filter

_LONGEST = 20  # words looked for
_WORD = re.compile(r'"([^"]*)"|([^\s"]+)')


def query(text: str) -> str:
    """An FTS5 query for what a person typed: every word must begin some word of the message, "…" is a phrase.

    Nothing the person types is FTS5 syntax; "" when there is no word to look for.
    """
    found = []
    for phrase, word in _WORD.findall(text.replace("\0", " "))[:_LONGEST]:
        words = " ".join(re.findall(r"\w+", phrase or word))
        if words:
            found.append(f'"{words}"' + ("" if phrase else " *"))
    return " AND ".join(found)


def find(
    connection: sqlite3.Connection,
    text: str,
    *,
    folder_id: int | None = None,
    after: int | None = None,
    descending: bool = True,
    limit: int = 50,
    only: Filter = EVERYTHING,
) -> list[sqlite3.Row]:
    """The next messages that have every word, with `folder` (its name), `uidvalidity` and a `snippet`.

    `after` is the id of the last row seen; newest first, or from there on upwards.
    """
    wanted = query(text)
    if not wanted:
        return []
    beyond, order = ("<", "DESC") if descending else (">", "ASC")
    rest, values = only.where()
    return connection.execute(
        "SELECT m.*, f.name AS folder, f.uidvalidity AS uidvalidity,"  # noqa: S608
        " snippet(search, -1, '', '', '…', 16) AS snippet"
        " FROM search CROSS JOIN messages m ON m.id = search.rowid JOIN folders f ON f.id = m.folder_id"
        f" WHERE search MATCH ? AND search.rowid {beyond} ? AND (? IS NULL OR m.folder_id = ?){rest}"
        f" ORDER BY search.rowid {order} LIMIT ?",
        (wanted, 1 << 62 if after is None else after, folder_id, folder_id, *values, limit),
    ).fetchall()


def count(
    connection: sqlite3.Connection, text: str, *, folder_id: int | None = None, only: Filter = EVERYTHING
) -> int:
    """How many messages have every word."""
    wanted = query(text)
    if not wanted:
        return 0
    rest, values = only.where()
    if folder_id is None and not rest:
        sql = "SELECT count(*) FROM search WHERE search MATCH ?"
    else:
        sql = (
            "SELECT count(*) FROM search CROSS JOIN messages m ON m.id = search.rowid"  # noqa: S608
            f" WHERE search MATCH ? AND (? IS NULL OR m.folder_id = ?){rest}"
        )
        values = [folder_id, folder_id, *values]
    return int(connection.execute(sql, (wanted, *values)).fetchone()[0])
