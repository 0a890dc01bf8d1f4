"""Search by beginnings: read term by term, the same messages as FTS5's own prefix, also for odd words."""

import sqlite3
from collections.abc import Iterator

import pytest

from soinbox_web.store import mailbox_schema, search
from soinbox_web.store.filter import Filter, row_id

SUBJECTS = ["Offerte", "offertes vergeleken", "Café", "cafetaria", "de off-white lamp", 'zegt "ja"', "E-mail"]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    mailbox_schema.create(connection)
    connection.execute("INSERT INTO folders (name, wire) VALUES ('INBOX', 'INBOX')")
    many = [f"woord{number:03d}" for number in range(300)]
    for number, subject in enumerate([*SUBJECTS, *many], 1):
        row = (
            row_id(number, 1, number),
            1,
            number,
            "",
            "[]",
            0,
            1,
            subject,
            "",
            "",
            "",
            "",
            "{}",
            "",
            "",
            "[]",
            0,
            0,
        )
        connection.execute(
            "INSERT INTO messages (id, folder_id, uid, sort_at, flags, seen, size, subject, sender_name,"
            " sender_address, sort_sender, sort_subject, correspondents, message_id, in_reply_to,"
            f" reference_ids, has_attachments, has_invitation) VALUES ({', '.join('?' * len(row))})",
            row,
        )
        connection.execute(
            "INSERT INTO search (rowid, subject, correspondents, body) VALUES (?, ?, '', '')",
            (row[0], subject),
        )
    yield connection
    connection.close()


@pytest.mark.parametrize(
    "typed",
    ["off", "offerte", "OFFERTE", "cafe", "café", "Caf", "ja", "e-mail", "white lamp", "woord", "woord1",
     "nix", "off lamp", "white-AND-lamp", "off-AND-woord001 AND",
     '"offertes vergeleken"', "ø", "\u0345", "a" * 300],
)  # fmt: skip
def test_beginnings_find_what_the_prefix_of_fts5_finds(connection: sqlite3.Connection, typed: str) -> None:
    expected = [
        row["rowid"]
        for row in connection.execute(
            "SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid DESC LIMIT 400",
            (search.query(typed),),
        )
    ] if search.query(typed) else []  # fmt: skip
    assert [row["id"] for row in search.find(connection, typed, limit=400)] == expected
    assert search.count(connection, typed) == len(expected)


def test_a_beginning_of_few_words_is_read_lazily_and_one_of_many_is_not_spelled_out(
    connection: sqlite3.Connection,
) -> None:
    assert search._match(connection, "offerte") == '("offerte" OR "offertes")'
    assert search._match(connection, "woord") == '"woord" *'
    assert len(search.find(connection, "woord", limit=400)) == 300


def test_counting_ends_where_it_is_told_to(connection: sqlite3.Connection) -> None:
    for only in (Filter(), Filter(only_unread=True)):
        found = search.Search(connection, "woord", only=only)
        assert (len(found.rows(limit=50)), found.count(120)) == (50, 120)
        found = search.Search(connection, "off", 1, only)
        assert (len(found.rows(limit=50)), found.count(120)) == (3, 3)


def test_a_folder_is_searched_alone_though_its_bits_are_another_s(connection: sqlite3.Connection) -> None:
    twin = 1 + (1 << 9)  # the same bits of a row id
    connection.execute("INSERT INTO folders (id, name, wire) VALUES (2, 'Sent', 'Sent')")
    connection.execute("INSERT INTO folders (id, name, wire) VALUES (?, 'Twin', 'Twin')", (twin,))
    first = connection.execute("SELECT * FROM messages WHERE uid = 1").fetchone()
    for folder_id, uid in ((2, 1), (twin, 2)):
        number = row_id(500, folder_id, uid)
        row = {**dict(first), "id": number, "folder_id": folder_id, "uid": uid}
        connection.execute(
            f"INSERT INTO messages ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            list(row.values()),
        )
        connection.execute(
            "INSERT INTO search (rowid, subject, correspondents, body) VALUES (?, 'offerte', '', '')",
            (number,),
        )
    for folder_id, names in ((1, ["INBOX", "INBOX"]), (2, ["Sent"]), (twin, ["Twin"])):
        assert [row["folder"] for row in search.find(connection, "offerte", folder_id=folder_id)] == names
        assert search.count(connection, "offerte", folder_id=folder_id) == len(names)
    assert search.count(connection, "offerte") == 4


def test_texts_that_nobody_has_read_are_counted(connection: sqlite3.Connection) -> None:
    assert search.unread_texts(connection) == 307
    connection.execute("UPDATE messages SET preview = 'read' WHERE uid <= 300")
    assert search.unread_texts(connection, 1) == 7
    connection.execute("UPDATE folders SET total = 320, stored = 307")
    assert search.unread_texts(connection) == 20
    connection.execute("UPDATE folders SET selectable = 0")
    assert search.unread_texts(connection) == 0


def test_merging_comes_to_an_end_and_changes_no_answer(connection: sqlite3.Connection) -> None:
    def segments() -> int:
        data = "SELECT count(DISTINCT id >> 37) FROM search_data WHERE id > 10"  # 1 and 10 are its own
        return int(connection.execute(data).fetchone()[0])

    def found() -> list[list[int]]:
        return [
            [row["id"] for row in search.find(connection, typed, limit=400)] for typed in ("off", "woord")
        ]

    connection.commit()
    for number in range(1, 12):
        connection.execute("UPDATE search SET body = 'offerte' WHERE rowid = ?", (row_id(number, 1, number),))
        connection.commit()
    before, answers, steps = segments(), found(), 1
    while search.merge(connection):
        steps += 1
        assert steps < 100
    assert segments() < before
    assert found() == answers
    assert not search.merge(connection)


def test_what_is_dated_centuries_ahead_is_found(connection: sqlite3.Connection) -> None:
    ahead = 10_413_792_000  # the year 2300
    connection.execute("UPDATE messages SET id = ? WHERE uid = 1", (row_id(ahead, 1, 1),))
    connection.execute("UPDATE search SET rowid = ? WHERE rowid = ?", (row_id(ahead, 1, 1), row_id(1, 1, 1)))
    assert [row["uid"] for row in search.find(connection, "offerte")] == [1, 2]
