"""Search by beginnings: read term by term, the same messages as FTS5's own prefix, also for odd words."""

import sqlite3
from collections.abc import Iterator

import pytest

from soinbox_web.store import mailbox_schema, search

SUBJECTS = ["Offerte", "offertes vergeleken", "Café", "cafetaria", "de off-white lamp", 'zegt "ja"', "E-mail"]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    mailbox_schema.create(connection)
    connection.execute("INSERT INTO folders (name, wire) VALUES ('INBOX', 'INBOX')")
    many = [f"woord{number:03d}" for number in range(200)]
    for number, subject in enumerate([*SUBJECTS, *many], 1):
        row = (number, 1, number, "", "[]", 0, 1, subject, "", "", "", "", "{}", "", "", "[]", 0, 0)
        connection.execute(
            "INSERT INTO messages (id, folder_id, uid, sort_at, flags, seen, size, subject, sender_name,"
            " sender_address, sort_sender, sort_subject, correspondents, message_id, in_reply_to,"
            f" reference_ids, has_attachments, has_invitation) VALUES ({', '.join('?' * len(row))})",
            row,
        )
        connection.execute(
            "INSERT INTO search (rowid, subject, correspondents, body) VALUES (?, ?, '', '')",
            (number, subject),
        )
    yield connection
    connection.close()


@pytest.mark.parametrize(
    "typed",
    ["off", "offerte", "OFFERTE", "cafe", "café", "Caf", "ja", "e-mail", "white lamp", "woord", "woord1",
     "nix", "off lamp", '"offertes vergeleken"', "ø", "\u0345", "a" * 300],
)  # fmt: skip
def test_beginnings_find_what_the_prefix_of_fts5_finds(connection: sqlite3.Connection, typed: str) -> None:
    expected = [
        row["rowid"]
        for row in connection.execute(
            "SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid DESC LIMIT 300",
            (search.query(typed),),
        )
    ] if search.query(typed) else []  # fmt: skip
    assert [row["id"] for row in search.find(connection, typed, limit=300)] == expected
    assert search.count(connection, typed) == len(expected)


def test_a_beginning_of_few_words_is_read_lazily_and_one_of_many_is_not_spelled_out(
    connection: sqlite3.Connection,
) -> None:
    assert search._match(connection, "offerte") == '("offerte" OR "offertes")'
    assert search._match(connection, "woord") == '"woord" *'
    assert len(search.find(connection, "woord", limit=300)) == 200
