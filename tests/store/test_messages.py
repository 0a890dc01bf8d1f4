"""Messages of a mailbox file: batches in, pages out, counts that always agree."""

import random
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from soinbox_web.model.message import Correspondent, Envelope
from soinbox_web.store import bodies, folders, mailbox_schema, messages, search
from soinbox_web.store.database import Database
from soinbox_web.store.filter import UID_BITS, Filter

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


def seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def envelope(uid: int, **changes: object) -> Envelope:
    at = seconds(BEGIN + timedelta(minutes=uid))
    values: dict[str, object] = {
        "uid": uid, "flags": frozenset(), "internal_date": at, "size": 1000 + uid, "date": at,
        "subject": f"Bericht {uid}", "sender": (Correspondent("Eva Smit", "eva@hotel.example"),),
        "reply_to": (), "to": (Correspondent("", "anna@noordlicht.example"),), "cc": (), "bcc": (),
        "message_id": f"<{uid}@tests.example>", "in_reply_to": "", "references": (),
        "has_attachments": False, "has_invitation": False,
    }  # fmt: skip
    return Envelope(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "1-1.sqlite", synchronous="NORMAL")
    with database.write() as connection:
        mailbox_schema.create(connection)
        folder = folders.add(connection, "INBOX", "INBOX", "/", "inbox", selectable=True)
        folders.begin(connection, folder, 7, 0)
    yield database
    database.close()


def test_a_page_goes_on_where_the_last_ended(mailbox: Database) -> None:
    with mailbox.write() as connection:
        assert messages.insert_envelopes(connection, 1, [envelope(uid) for uid in range(1, 121)]) == 120
        seen, after = [], None
        while rows := messages.page(connection, 1, after=after, limit=50):
            seen.extend(row["uid"] for row in rows)
            after = messages.cursor_of(rows[-1])
        assert seen == list(range(120, 0, -1))
        upwards = messages.page(connection, 1, limit=3, descending=False)
        assert [row["uid"] for row in upwards] == [1, 2, 3]


@pytest.mark.parametrize("sort", ["sender", "subject"])
def test_other_orders_page_through_equal_keys(mailbox: Database, sort: messages.Sort) -> None:
    names = ["Zoë", "anna", "Bram"]
    batch = [
        envelope(uid, sender=(Correspondent(names[uid % 3], "x@y.example"),), subject=f"Re: {names[uid % 3]}")
        for uid in range(1, 31)
    ]
    with mailbox.write() as connection:
        messages.insert_envelopes(connection, 1, batch)
        for descending in (True, False):
            seen, after = [], None
            while rows := messages.page(
                connection, 1, after=after, limit=7, sort=sort, descending=descending
            ):
                seen.extend(row["sender_name"] for row in rows)
                after = messages.cursor_of(rows[-1], sort)
            wanted = ["Zoë"] * 10 + ["Bram"] * 10 + ["anna"] * 10
            assert seen == (wanted if descending else wanted[::-1])


def test_the_same_second_and_the_same_number_lose_nothing(mailbox: Database) -> None:
    same = [
        envelope(uid, date=seconds(BEGIN), internal_date=seconds(BEGIN))
        for uid in (5, 5 + (1 << 20), 5 + (2 << 20), 6)
    ]
    with mailbox.write() as connection:
        assert messages.insert_envelopes(connection, 1, same[:2]) == 2
        assert messages.insert_envelopes(connection, 1, same) == 2
        assert messages.uids(connection, 1) == sorted(one.uid for one in same)
        last = (1 << UID_BITS) - 1
        twins = [
            envelope(uid, date=seconds(BEGIN), internal_date=seconds(BEGIN))
            for uid in (last, last + (1 << UID_BITS))
        ]
        assert messages.insert_envelopes(connection, 1, twins) == 2
        rows = connection.execute("SELECT id FROM messages")
        assert {row["id"] >> UID_BITS & 511 for row in rows} == {1}  # none has moved into another folder's


@pytest.mark.parametrize(
    ("date", "internal", "expected"),
    [
        (None, None, "1970-01-01"),
        (None, BEGIN, "2026-11-01"),
        (datetime(2038, 1, 1, tzinfo=UTC), BEGIN, "2026-11-01"),  # a date from the future is not believed
        (datetime(1999, 1, 1, tzinfo=UTC), BEGIN, "1999-01-01"),
        (datetime(1, 1, 1, tzinfo=UTC), BEGIN, "0001-01-01"),
        (datetime(9999, 12, 31, tzinfo=UTC), None, "9999-12-31"),
    ],
)
def test_dates_of_every_kind(
    mailbox: Database, date: datetime | None, internal: datetime | None, expected: str
) -> None:
    with mailbox.write() as connection:
        messages.insert_envelopes(
            connection, 1, [envelope(1, date=seconds(date), internal_date=seconds(internal))]
        )
        assert messages.page(connection, 1)[0]["sort_at"].startswith(expected)


def test_counts_follow_every_change(mailbox: Database) -> None:
    with mailbox.write() as connection:
        read = frozenset({"\\Seen"})
        messages.insert_envelopes(
            connection, 1, [envelope(u, flags=read if u > 6 else frozenset()) for u in range(1, 11)]
        )
        assert messages.set_flags(connection, 1, {1: read, 2: read, 10: read, 99: read}) == 2
        assert messages.remove(connection, 1, [3, 4, 10, 99]) == 3
        inbox = folders.by_name(connection, "INBOX")
        assert inbox is not None and (inbox.stored, inbox.unread) == (7, 2)
        assert messages.count(connection, 1, only=Filter(only_unread=True)) == 2
        assert [row["uid"] for row in messages.page(connection, 1, only=Filter(only_unread=True))] == [6, 5]
        assert search.count(connection, "bericht") == 7


def test_threads_that_meet_become_one(mailbox: Database) -> None:
    with mailbox.write() as connection:
        messages.insert_envelopes(connection, 1, [envelope(1), envelope(2)])
        messages.insert_envelopes(connection, 1, [envelope(3, references=("<2@tests.example>",))])
        messages.insert_envelopes(
            connection, 1, [envelope(4, references=("<1@tests.example>",), in_reply_to="<3@tests.example>")]
        )
        messages.insert_envelopes(connection, 1, [envelope(5, message_id=""), envelope(6, message_id="")])
        threads = {row["uid"]: row["thread_id"] for row in messages.page(connection, 1)}
    assert threads[1] == threads[2] == threads[3] == threads[4]
    assert len({threads[1], threads[5], threads[6]}) == 3


def test_search_takes_words_and_nothing_else(mailbox: Database) -> None:
    with mailbox.write() as connection:
        batch = [envelope(1, subject="Offerte café"), envelope(2, subject="Factuur offerte"), envelope(3)]
        messages.insert_envelopes(connection, 1, batch)
        assert [row["uid"] for row in search.find(connection, "offerte")] == [2, 1]
        assert [row["uid"] for row in search.find(connection, "CAFE off")] == [1]
        assert [row["uid"] for row in search.find(connection, "eva@hotel.example")] == [3, 2, 1]
        assert [row["uid"] for row in search.find(connection, '"factuur offerte"')] == [2]
        first = search.find(connection, "offerte", limit=1)
        assert [row["uid"] for row in search.find(connection, "offerte", after=first[0]["id"])] == [1]
        for odd in (
            '"',
            "(",
            "NEAR(a b)",
            "subject:x",
            "a AND OR",
            "-x",
            "*",
            "^a",
            "\0",
            "a" * 5000,
            "' OR 1",
        ):
            search.find(connection, odd)
            search.count(connection, odd, folder_id=1)


@pytest.mark.parametrize(
    "raw", [b"", b"Subject: x\r\n", b"-" * 5_000_000, random.Random(1).randbytes(3_000_000)]
)
def test_a_body_is_unpacked_as_it_was(raw: bytes) -> None:
    packed = bodies.pack(raw)
    assert bodies.unpack(packed) == raw == zlib.decompress(packed)
    assert bodies.unpack(zlib.compress(raw, 4)) == raw
    with pytest.raises(zlib.error):
        bodies.unpack(packed[:-1])


def test_bodies_are_kept_found_and_let_go(mailbox: Database) -> None:
    with mailbox.write() as connection:
        messages.insert_envelopes(connection, 1, [envelope(1), envelope(2)])
        newest, oldest = messages.page(connection, 1)
        for row in (newest, oldest):
            raw = f"Subject: x\r\n\r\nTekst {row['uid']}".encode()
            bodies.put(connection, row["id"], bodies.pack(raw), len(raw), f"Tekst {row['uid']}\nmeer", BEGIN)
        assert bodies.get(connection, newest["id"]) == b"Subject: x\r\n\r\nTekst 2"
        assert search.find(connection, "tekst")[0]["preview"] == "Tekst 2 meer"
        assert bodies.evict(connection, 1) == 1
        assert bodies.get(connection, oldest["id"]) is None
        messages.remove(connection, 1, [2])
        assert bodies.total(connection) == 0


@pytest.mark.parametrize(("before", "here", "after"), [((1, 2), (1, 2), (2,)), ((1, 2), (1,), (2,)),
                                                       ((1,), (1,), (1, 2))])  # fmt: skip
def test_messages_that_look_alike_never_get_each_others_body(
    mailbox: Database, before: tuple[int, ...], here: tuple[int, ...], after: tuple[int, ...]
) -> None:
    alike = [envelope(uid, date=0, message_id="<x@klant.example>", size=9) for uid in (1, 2)]
    with mailbox.write() as connection:
        messages.insert_envelopes(connection, 1, [alike[uid - 1] for uid in before])
        rows = {row["uid"]: row["id"] for row in messages.page(connection, 1)}
        for uid in here:
            bodies.put(connection, rows[uid], bodies.pack(b"%d" % uid), 9, "", BEGIN)
        while bodies.keep(connection, 1):
            pass
        folders.clear(connection, 1)
        messages.insert_envelopes(connection, 1, [alike[uid - 1] for uid in after])
        while bodies.take_back(connection, 1):
            pass
        assert bodies.total(connection) == 0


def test_a_stale_key_finds_its_message_again(mailbox: Database) -> None:
    with mailbox.write() as connection:
        messages.insert_envelopes(connection, 1, [envelope(1)])
        assert messages.find(connection, "INBOX", 7, 1) is not None
        assert messages.find(connection, "INBOX", 8, 1) is None
        row = messages.page(connection, 1)[0]
        assert messages.refind(connection, row["message_id"], row["size"], row["date"])[0]["uid"] == 1
