"""Full-text search in a mailbox file; newest first, never by rank (mailbox.md section 1).

CROSS JOIN keeps SQLite from asking the index once for each message of a folder.
"""

import re
import sqlite3
import unicodedata
from collections.abc import Iterable

from soinbox_web.store.filter import EVERYTHING, Filter

_LONGEST = 20  # words looked for
_ENDINGS = 32  # terms that one typed beginning may stand for
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


def _match(connection: sqlite3.Connection, text: str) -> str:
    """`query`, each typed beginning replaced by the terms that the index has for it.

    A term is read lazily, newest first; for a prefix FTS5 gathers every message before the first row
    (measured: 13 times slower at 200,000 messages, and it grows with them).
    """
    found = []
    for part in query(text).split(" AND "):
        beginning = part.removeprefix('"').removesuffix('" *')
        terms = _terms(connection, beginning) if part.endswith(" *") and " " not in beginning else []
        found.append(f"({' OR '.join(map(_quoted, terms))})" if 0 < len(terms) <= _ENDINGS else part)
    return " AND ".join(found)


def _terms(connection: sqlite3.Connection, beginning: str) -> list[str]:
    """The terms of the index that begin so, one more than may be used; each is one step in the index."""
    folded = unicodedata.normalize("NFD", beginning.lower())
    folded = "".join(character for character in folded if not unicodedata.combining(character))
    terms: list[str] = []
    first = folded
    while len(terms) <= _ENDINGS:
        row = connection.execute("SELECT term FROM search_terms WHERE term >= ? LIMIT 1", (first,)).fetchone()
        if row is None or not row[0].startswith(folded):
            break
        terms.append(row[0])
        first = f"{row[0]}\1"  # no term lies between; `>` would read every message of the term
    return terms


def _quoted(term: str) -> str:
    return '"' + term.replace('"', '""') + '"'


def words(text: str) -> list[str]:
    """The words and phrases of what a person typed, as a server's SEARCH is asked for them."""
    parts = (" ".join((phrase or word).split()) for phrase, word in _WORD.findall(text.replace("\0", " ")))
    return [part for part in parts if re.search(r"\w", part)][:_LONGEST]


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

    `after` is the id of the last row seen; newest first, or from there on upwards. What the server has found
    for the same text is among them.
    """
    wanted = query(text)
    if not wanted:
        return []
    beyond, order = ("<", "DESC") if descending else (">", "ASC")
    rest, values = only.where()
    start = 1 << 62 if after is None else after
    scope = f"(? IS NULL OR m.folder_id = ?){rest} ORDER BY m.id {order} LIMIT ?"
    bounds = (folder_id, folder_id, *values, limit)
    here = connection.execute(
        "SELECT m.*, f.name AS folder, f.uidvalidity AS uidvalidity,"  # noqa: S608
        " snippet(search, -1, '', '', '…', 16) AS snippet"
        " FROM search CROSS JOIN messages m ON m.id = search.rowid JOIN folders f ON f.id = m.folder_id"
        f" WHERE search MATCH ? AND search.rowid {beyond} ? AND {scope.replace('m.id', 'search.rowid')}",
        (_match(connection, text), start, *bounds),
    ).fetchall()
    there = connection.execute(
        "SELECT m.*, f.name AS folder, f.uidvalidity AS uidvalidity, '' AS snippet"  # noqa: S608
        " FROM found CROSS JOIN messages m ON m.folder_id = found.folder_id AND m.uid = found.uid"
        f" JOIN folders f ON f.id = m.folder_id WHERE found.query = ? AND m.id {beyond} ? AND {scope}",
        (wanted, start, *bounds),
    ).fetchall()
    if not there:
        return here
    merged = {row["id"]: row for row in (*there, *here)}
    return [merged[number] for number in sorted(merged, reverse=descending)][:limit]


def count(
    connection: sqlite3.Connection, text: str, *, folder_id: int | None = None, only: Filter = EVERYTHING
) -> int:
    """How many messages have every word, those that the server found included."""
    wanted, match = query(text), _match(connection, text)
    if not wanted:
        return 0
    rest, values = only.where()
    if folder_id is None and not rest:
        sql, given = "SELECT count(*) FROM search WHERE search MATCH ?", (match,)
    else:
        sql = (
            "SELECT count(*) FROM search CROSS JOIN messages m ON m.id = search.rowid"  # noqa: S608
            f" WHERE search MATCH ? AND (? IS NULL OR m.folder_id = ?){rest}"
        )
        given = (match, folder_id, folder_id, *values)
    here = int(connection.execute(sql, given).fetchone()[0])
    if connection.execute("SELECT 1 FROM found WHERE query = ? LIMIT 1", (wanted,)).fetchone() is None:
        return here
    there = connection.execute(
        "SELECT count(*) FROM found CROSS JOIN messages m"  # noqa: S608
        " ON m.folder_id = found.folder_id AND m.uid = found.uid"
        f" WHERE found.query = ? AND (? IS NULL OR m.folder_id = ?){rest}"
        " AND m.id NOT IN (SELECT rowid FROM search WHERE search MATCH ?)",
        (wanted, folder_id, folder_id, *values, match),
    ).fetchone()
    return here + int(there[0])


def unread_texts(connection: sqlite3.Connection, folder_id: int | None = None) -> int:
    """How many messages the search knows by people and subject only, or not at all yet."""
    there = connection.execute(
        "SELECT coalesce(sum(total), 0) FROM folders WHERE selectable AND (? IS NULL OR id = ?)",
        (folder_id, folder_id),
    ).fetchone()[0]
    read = connection.execute(
        "SELECT count(*) FROM bodies CROSS JOIN messages m ON m.id = bodies.message_rowid"
        " WHERE (? IS NULL OR m.folder_id = ?)",
        (folder_id, folder_id),
    ).fetchone()[0]
    return max(0, int(there) - int(read))


def keep_found(
    connection: sqlite3.Connection, text: str, folder_id: int, uids: Iterable[int], at: str
) -> None:
    """Note what the server found in a folder, instead of what it found before."""
    wanted = query(text)
    connection.execute("DELETE FROM found WHERE query = ? AND folder_id = ?", (wanted, folder_id))
    connection.executemany(
        "INSERT OR IGNORE INTO found (query, folder_id, uid, at) VALUES (?, ?, ?, ?)",
        [(wanted, folder_id, uid, at) for uid in uids],
    )


def forget_found(connection: sqlite3.Connection, before: str) -> None:
    """Let go of what was found before a time (RFC 3339)."""
    connection.execute("DELETE FROM found WHERE at < ?", (before,))
