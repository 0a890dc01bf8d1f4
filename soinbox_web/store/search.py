"""Full-text search in a mailbox file; newest first, never by rank (mailbox.md section 1).

CROSS JOIN keeps SQLite from asking the index once for each message of a folder.
"""

import re
import sqlite3
import unicodedata
from collections.abc import Iterable
from typing import Any

from soinbox_web.store.filter import BEYOND, EVERYTHING, IN_FOLDER, Filter

_LONGEST = 20  # words looked for
_ENDINGS = 256  # terms that one typed beginning may stand for; as many take 14 ms, whatever the mailbox
_PAGES = 50  # of the index, written at once when its segments are merged: some 10 ms
_WORD = re.compile(r'"([^"]*)"|([^\s"]+)')


def query(text: str) -> str:
    """An FTS5 query for what a person typed: every word must begin some word of the message, "…" is a phrase.

    Nothing the person types is FTS5 syntax; "" when there is no word to look for.
    """
    return " AND ".join(_spelled(words, whole) for words, whole in _parts(text))


def _spelled(words: str, whole: bool) -> str:
    return f'"{words}"' if whole else f'"{words}" *'


def _parts(text: str) -> list[tuple[str, bool]]:
    """Letters and digits of what a person typed, and whether they are a phrase rather than a beginning."""
    found = []
    for phrase, word in _WORD.findall(text.replace("\0", " "))[:_LONGEST]:
        words = " ".join(re.findall(r"\w+", phrase or word))
        if words:
            found.append((words, bool(phrase)))
    return found


def _match(connection: sqlite3.Connection, text: str) -> str:
    """`query`, each typed beginning replaced by the terms that the index has for it.

    A term is read lazily, newest first; for a prefix FTS5 gathers every message before the first row
    (measured: 13 times slower at 200,000 messages, and it grows with them).
    """
    found = []
    for words, whole in _parts(text):
        terms = [] if whole or " " in words else _terms(connection, words)
        if 0 < len(terms) <= _ENDINGS:
            found.append(f"({' OR '.join(map(_quoted, terms))})")
        else:
            found.append(_spelled(words, whole))
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
    """The next messages that have every word, with `folder` (its name), `role`, `uidvalidity`, `snippet`.

    `after` is the id of the last row seen; newest first, or from there on upwards. What the server has found
    for the same text is among them.
    """
    return Search(connection, text, folder_id, only).rows(after, descending, limit)


def count(connection: sqlite3.Connection, text: str, *, folder_id: int | None = None) -> int:
    """How many messages have every word, those that the server found included."""
    return Search(connection, text, folder_id).count()


class Search:
    """One text looked for in a folder, or in all (None): its `rows` as `find` has them, and their `count`."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        text: str,
        folder_id: int | None = None,
        only: Filter = EVERYTHING,
    ) -> None:
        self._connection, self._words = connection, query(text)
        self._match = _match(connection, text) if self._words else ""
        rest, values = only.where()
        self._restricts = bool(rest) or folder_id is not None
        here, there = (f" AND {IN_FOLDER}", " AND m.folder_id = ?") if folder_id is not None else ("", "")
        of_folder = [] if folder_id is None else [folder_id]
        self._here = f"search MATCH ?{here}{there}{rest}", [self._match, *of_folder, *of_folder, *values]
        self._there = f"found.query = ?{there}{rest}", [self._words, *of_folder, *values]

    def rows(self, after: int | None = None, descending: bool = True, limit: int = 50) -> list[sqlite3.Row]:
        if not self._words:
            return []
        beyond, order = ("<", "DESC") if descending else (">", "ASC")
        start = BEYOND if after is None else after
        (wanted, values), (asked, given) = self._here, self._there
        here = self._connection.execute(
            "SELECT m.*, f.name AS folder, f.role AS role, f.uidvalidity AS uidvalidity,"  # noqa: S608
            " snippet(search, -1, '', '', '…', 16) AS snippet"
            " FROM search CROSS JOIN messages m ON m.id = search.rowid JOIN folders f ON f.id = m.folder_id"
            f" WHERE {wanted} AND search.rowid {beyond} ? ORDER BY search.rowid {order} LIMIT ?",
            (*values, start, limit),
        ).fetchall()
        there = self._connection.execute(
            "SELECT m.*, f.name AS folder, f.role AS role, f.uidvalidity AS uidvalidity, '' AS snippet"  # noqa: S608
            " FROM found CROSS JOIN messages m ON m.folder_id = found.folder_id AND m.uid = found.uid"
            " JOIN folders f ON f.id = m.folder_id"
            f" WHERE {asked} AND m.id {beyond} ? ORDER BY m.id {order} LIMIT ?",
            (*given, start, limit),
        ).fetchall()
        if not there:
            return here
        merged = {row["id"]: row for row in (*there, *here)}
        return [merged[number] for number in sorted(merged, reverse=descending)][:limit]

    def count(self, most: int = 1 << 62) -> int:
        """Counting ends at `most`: a word may be in nine of ten messages, and counting them all took 36 ms of
        100,000 (measured).
        """
        if not self._words:
            return 0
        (wanted, values), (asked, given) = self._here, self._there
        source = "search CROSS JOIN messages m ON m.id = search.rowid" if self._restricts else "search"
        here = self._number(f"SELECT 1 FROM {source} WHERE {wanted} LIMIT ?", [*values, most])  # noqa: S608
        if here >= most or not self._number("SELECT 1 FROM found WHERE query = ? LIMIT 1", [self._words]):
            return here
        there = self._number(
            "SELECT 1 FROM found CROSS JOIN messages m"  # noqa: S608
            f" ON m.folder_id = found.folder_id AND m.uid = found.uid WHERE {asked}"
            " AND m.id NOT IN (SELECT rowid FROM search WHERE search MATCH ?)",
            [*given, self._match],
        )
        return min(most, here + there)

    def _number(self, sql: str, values: list[Any]) -> int:
        return int(self._connection.execute(f"SELECT count(*) FROM ({sql})", values).fetchone()[0])  # noqa: S608


def merge(connection: sqlite3.Connection) -> bool:
    """Merge some of the index's segments (FTS5's `merge` and `usermerge`); True while there are more.

    A beginning of a word is looked for in each of them: after 100,000 messages 29 segments became two, and a
    word with 200 endings was found in a third of the time (measured).
    """
    if connection.execute("SELECT v FROM search_config WHERE k = 'usermerge'").fetchone() is None:
        connection.execute("INSERT INTO search (search, rank) VALUES ('usermerge', 2)")
    before = connection.total_changes
    connection.execute("INSERT INTO search (search, rank) VALUES ('merge', ?)", (_PAGES,))
    return connection.total_changes - before > 1  # 1 is the command's own


def unread_texts(connection: sqlite3.Connection, folder_id: int | None = None) -> int:
    """How many messages the search knows by people and subject only, or not at all yet.

    What was read once stays in the index when its body is let go.
    """
    found = connection.execute(
        "SELECT sum(max(0, f.total - f.stored)"
        " + (SELECT count(*) FROM messages m WHERE m.folder_id = f.id AND m.preview IS NULL))"
        " FROM folders f WHERE f.selectable AND (? IS NULL OR f.id = ?)",
        (folder_id, folder_id),
    ).fetchone()
    return int(found[0] or 0)


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
