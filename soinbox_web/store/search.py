"""Full-text search in a mailbox file; newest first, never by rank (mailbox.md section 1).

CROSS JOIN keeps SQLite from asking the index once for each message of a folder.
"""

import re
import sqlite3

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
    before: int | None = None,
    limit: int = 50,
) -> list[sqlite3.Row]:
    """The newest messages that have every word, with `folder` (its name), `uidvalidity` and a `snippet`.

    `before` is the id of the last row seen.
    """
    wanted = query(text)
    if not wanted:
        return []
    return connection.execute(
        "SELECT m.*, f.name AS folder, f.uidvalidity AS uidvalidity,"
        " snippet(search, -1, '', '', '…', 16) AS snippet"
        " FROM search CROSS JOIN messages m ON m.id = search.rowid JOIN folders f ON f.id = m.folder_id"
        " WHERE search MATCH ? AND search.rowid < ? AND (? IS NULL OR m.folder_id = ?)"
        " ORDER BY search.rowid DESC LIMIT ?",
        (wanted, 1 << 62 if before is None else before, folder_id, folder_id, limit),
    ).fetchall()


def count(connection: sqlite3.Connection, text: str, *, folder_id: int | None = None) -> int:
    """How many messages have every word."""
    wanted = query(text)
    if not wanted:
        return 0
    if folder_id is None:
        sql, values = "SELECT count(*) FROM search WHERE search MATCH ?", (wanted,)
    else:
        sql = (
            "SELECT count(*) FROM search CROSS JOIN messages m ON m.id = search.rowid"
            " WHERE search MATCH ? AND m.folder_id = ?"
        )
        values = (wanted, folder_id)  # type: ignore[assignment]
    return int(connection.execute(sql, values).fetchone()[0])
