"""Person cards and their addresses in order."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from soinbox_web.clock import timestamp
from soinbox_web.model.message import Correspondent
from soinbox_web.model.person import CardAddress, Person
from soinbox_web.store import changes

FIELDS = ("first_name", "last_name", "title", "company", "phone")
_SELECT = "SELECT p.*, coalesce(u.id, 0) AS user_id FROM persons p LEFT JOIN users u ON u.person_id = p.id"
_ORDER = "ORDER BY (first_name || last_name) = '', first_name COLLATE NOCASE, last_name COLLATE NOCASE, p.id"


def insert(
    connection: sqlite3.Connection, values: dict[str, str], addresses: Sequence[str], at: datetime
) -> int:
    """A new card's id; `values` holds some of `FIELDS`, `addresses` come in their order."""
    cursor = connection.execute(
        "INSERT INTO persons (first_name, last_name, title, company, phone, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*(values.get(name, "") for name in FIELDS), timestamp(at), timestamp(at)),
    )
    person_id = int(cursor.lastrowid or 0)
    connection.executemany(
        "INSERT INTO person_addresses (person_id, address, rank) VALUES (?, ?, ?)",
        [(person_id, address, rank) for rank, address in enumerate(addresses, 1)],
    )
    changes.record(connection, "person", at, detail=str(person_id))
    return person_id


def update(connection: sqlite3.Connection, person_id: int, values: dict[str, str], at: datetime) -> None:
    """Change the names and texts of a card."""
    connection.execute(
        "UPDATE persons SET first_name = ?, last_name = ?, title = ?, company = ?, phone = ? WHERE id = ?",
        (*(values.get(name, "") for name in FIELDS), person_id),
    )
    _changed(connection, person_id, at)


def remove(connection: sqlite3.Connection, person_id: int, at: datetime) -> None:
    connection.execute("DELETE FROM persons WHERE id = ?", (person_id,))
    changes.record(connection, "person", at, detail=str(person_id))


def read(connection: sqlite3.Connection, person_id: int) -> Person | None:
    row = connection.execute(f"{_SELECT} WHERE p.id = ?", (person_id,)).fetchone()
    return _persons(connection, [row])[0] if row else None


def of_user(connection: sqlite3.Connection, user_id: int) -> Person | None:
    """The user's own card."""
    row = connection.execute(f"{_SELECT} WHERE u.id = ?", (user_id,)).fetchone()
    return _persons(connection, [row])[0] if row else None


def by_address(connection: sqlite3.Connection, address: str) -> list[Person]:
    """The cards that hold an address; those with it in the first place come first."""
    rows = connection.execute(
        f"{_SELECT} JOIN person_addresses a ON a.person_id = p.id WHERE a.address = ? ORDER BY a.rank, p.id",
        (address,),
    ).fetchall()
    return _persons(connection, rows)


def search(connection: sqlite3.Connection, words: Sequence[str], limit: int, offset: int = 0) -> list[Person]:
    """Cards in which every word occurs in a name, the company or an address; all cards without words."""
    where, values = _matching(words)
    rows = connection.execute(
        f"{_SELECT} {where} {_ORDER} LIMIT ? OFFSET ?", (*values, limit, offset)
    ).fetchall()
    return _persons(connection, rows)


def count(connection: sqlite3.Connection, words: Sequence[str] = ()) -> int:
    where, values = _matching(words)
    return int(connection.execute(f"SELECT count(*) FROM persons p {where}", values).fetchone()[0])  # noqa: S608


def known_addresses(connection: sqlite3.Connection, *, of_users: bool) -> set[str]:
    """Every address, in small letters, on the cards of users, or on all other cards."""
    rows = connection.execute(
        "SELECT lower(a.address) FROM person_addresses a LEFT JOIN users u ON u.person_id = a.person_id"
        " WHERE (u.id IS NOT NULL) = ?",
        (of_users,),
    )
    return {row[0] for row in rows}


def correspondents(connection: sqlite3.Connection) -> tuple[Correspondent, ...]:
    """The name of each card with each of its addresses."""
    rows = connection.execute(
        "SELECT trim(p.first_name || ' ' || p.last_name) AS name, a.address FROM person_addresses a"
        " JOIN persons p ON p.id = a.person_id ORDER BY p.id, a.rank"
    )
    return tuple(Correspondent(row["name"], row["address"]) for row in rows)


def add_address(connection: sqlite3.Connection, person_id: int, address: str, at: datetime) -> bool:
    """Put an address in the last place; False when the card has it already."""
    cursor = connection.execute(
        "INSERT OR IGNORE INTO person_addresses (person_id, address, rank)"
        " SELECT ?, ?, coalesce(max(rank), 0) + 1 FROM person_addresses WHERE person_id = ?",
        (person_id, address, person_id),
    )
    _changed(connection, person_id, at)
    return cursor.rowcount == 1


def remove_address(connection: sqlite3.Connection, person_id: int, address_id: int, at: datetime) -> None:
    """Take an address away; the ones below it move up."""
    connection.execute("DELETE FROM person_addresses WHERE id = ? AND person_id = ?", (address_id, person_id))
    rows = connection.execute(
        "SELECT id FROM person_addresses WHERE person_id = ? ORDER BY rank, id", (person_id,)
    )
    order(connection, person_id, [row["id"] for row in rows.fetchall()], at)


def order(connection: sqlite3.Connection, person_id: int, ids: Sequence[int], at: datetime) -> None:
    """Give the addresses the ranks 1, 2, 3 … in this order."""
    connection.executemany(
        "UPDATE person_addresses SET rank = ? WHERE id = ? AND person_id = ?",
        [(rank, each, person_id) for rank, each in enumerate(ids, 1)],
    )
    _changed(connection, person_id, at)


def _changed(connection: sqlite3.Connection, person_id: int, at: datetime) -> None:
    connection.execute("UPDATE persons SET updated_at = ? WHERE id = ?", (timestamp(at), person_id))
    changes.record(connection, "person", at, detail=str(person_id))


def _matching(words: Sequence[str]) -> tuple[str, list[str]]:
    one = (
        "(p.first_name || ' ' || p.last_name || ' ' || p.company LIKE ? ESCAPE '\\' OR EXISTS"
        " (SELECT 1 FROM person_addresses a WHERE a.person_id = p.id AND a.address LIKE ? ESCAPE '\\'))"
    )
    patterns = [f"%{_escaped(word)}%" for word in words for _ in range(2)]
    return ("WHERE " + " AND ".join([one] * len(words)) if words else ""), patterns


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _persons(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> list[Person]:
    marks = ",".join("?" * len(rows))
    addresses: dict[int, list[CardAddress]] = {}
    for row in connection.execute(
        f"SELECT * FROM person_addresses WHERE person_id IN ({marks}) ORDER BY person_id, rank, id",  # noqa: S608
        [row["id"] for row in rows],
    ):
        addresses.setdefault(row["person_id"], []).append(CardAddress(row["id"], row["address"], row["rank"]))
    return [
        Person(
            id=row["id"],
            addresses=tuple(addresses.get(row["id"], ())),
            user_id=row["user_id"],
            **{name: row[name] for name in FIELDS},
        )
        for row in rows
    ]
