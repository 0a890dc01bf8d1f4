"""What is measured of the product: arrival of a mailbox, its first page, a refresh, a page of the list."""

import re
import sqlite3
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from soinbox_web.clock import SystemClock
from soinbox_web.mail.imap import folders as server
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.imap.envelope_batches import Asked, Envelopes
from soinbox_web.model import uid_set
from soinbox_web.model.account import Account
from soinbox_web.model.allow_list import AllowList
from soinbox_web.model.listing import Query
from soinbox_web.model.message import Envelope
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime, build
from soinbox_web.services import fetching, reading, sync
from soinbox_web.services.sync.session import Session
from soinbox_web.settings import Settings
from soinbox_web.store import folders, mailbox_schema, messages, search


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds on the wall and of this process's CPU."""

    wall: float
    cpu: float


def instance(folder: Path, ca: Authority) -> Runtime:
    """A fresh instance in this folder that reaches servers on loopback."""
    return build(
        Settings(
            instance=folder / "instance",
            ca_file=ca.write_anchor(folder / "ca.pem"),
            allow_hosts=AllowList.parse("127.0.0.0/8,::1/128"),
            ispdb_url="",
        ),
        SystemClock(),
    )


def timed(work: Callable[[], object]) -> Taken:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Taken(time.perf_counter() - wall, time.process_time() - cpu)


def best(times: int, work: Callable[[], object]) -> Taken:
    """The quickest of several runs: other processes can only make it slower."""
    runs = [timed(work) for _ in range(times)]
    return Taken(min(run.wall for run in runs), min(run.cpu for run in runs))


def fresh(runtime: Runtime, account: Account) -> None:
    """Throw the mailbox file away."""
    runtime.forget_mailbox(account.id, account.generation)


def everything(runtime: Runtime, account: Account) -> Session:
    """INBOX from nothing to rows, threads, indexes and search; signing in included."""
    fresh(runtime, account)
    with sync.connect(runtime, account) as connection:
        session = sync.open_session(runtime, account, connection)
        sync.synchronise(session)
        return session


BATCH = 500


def rows_alone(runtime: Runtime, account: Account, folder: Path) -> int:
    """INBOX into rows of a table without index, threads and search: reading and storing by themselves."""
    database = sqlite3.connect(folder / "rows.sqlite", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    table = re.search(r"CREATE TABLE IF NOT EXISTS messages \(.*?\) STRICT", mailbox_schema.SCHEMA, re.DOTALL)
    assert table is not None
    surplus = r",\s*UNIQUE \(folder_id, uid\)| REFERENCES folders\(id\) ON DELETE CASCADE"
    database.execute(re.sub(surplus, "", table[0]))
    stored = 0
    with sync.connect(runtime, account) as connection:
        total = server.examine(connection, "INBOX").status.total
        waiting = list(uid_set.batches(range(1, total + 1), BATCH))[::-1]
        envelopes = Envelopes(connection)
        for _ in range(len(waiting)):
            for _ in range(2 if not stored else 1):
                if waiting:
                    envelopes.ask(Asked(waiting.pop()))
            taken = envelopes.take()
            current = taken.found
            while not taken.ended:
                taken = envelopes.take()
                current += taken.found
            rows = [messages.as_row(1, found) for found in current if isinstance(found, Envelope)]
            database.execute("BEGIN IMMEDIATE")
            database.executemany(messages.INSERT, [(*row, None) for row in rows])
            database.execute("COMMIT")
            stored += len(rows)
    database.close()
    return stored


def bodies(runtime: Runtime, account: Account, count: int) -> int:
    """The whole messages of an INBOX whose envelopes are here: fetched, packed, read and indexed."""
    with sync.connect(runtime, account) as connection:
        reader = fetching.Reader(runtime, account, connection)
        came = 0
        while came < count and (some := fetching.fetch_some(reader, since=None)):
            came += some
    if came != count:
        raise RuntimeError(f"{came} of {count} bodies came")
    return came


class _Enough(Exception):
    """The first page is there."""


def first_page(runtime: Runtime, account: Account) -> float:
    """Seconds from signed in to 50 rows committed."""
    fresh(runtime, account)
    connection = sync.connect(runtime, account)
    began = time.perf_counter()

    def stop(_: object) -> None:
        raise _Enough

    try:
        sync.synchronise(sync.open_session(runtime, account, connection, stop))
    except _Enough:
        return time.perf_counter() - began
    finally:
        connection.close()
    raise RuntimeError("no first page")


def refresh(runtime: Runtime, account: Account, times: int) -> tuple[float, float, float]:
    """(ms, round trips, bytes received) of a refresh when nothing changed; medians."""
    with sync.connect(runtime, account) as connection:
        session = sync.open_session(runtime, account, connection)
        sync.synchronise_folders(session, ["INBOX"])
        turns, received = _counted(connection)
        taken = []
        for _ in range(times):
            taken.append(timed(lambda: sync.refresh(session, "INBOX")).wall * 1000)
        return statistics.median(taken), len(turns) / times, sum(received) / times


def list_page(runtime: Runtime, account: Account, times: int) -> dict[str, float]:
    """Medians in ms: a page of the store at the top and deep down, searches, and the whole service."""
    mailbox = runtime.mailbox(account.id, account.generation)
    with mailbox.read() as connection:
        inbox = folders.by_name(connection, "INBOX")
        assert inbox is not None
        every = [row["id"] for row in messages.page(connection, inbox.id, limit=inbox.stored)]
        deep = ("", every[len(every) * 9 // 10])
        return {
            "keyset, top": median_ms(times, lambda: messages.page(connection, inbox.id)),
            "keyset, deep": median_ms(times, lambda: messages.page(connection, inbox.id, after=deep)),
            "search, common word": median_ms(times, lambda: search.find(connection, "offerte")),
            "search, two words": median_ms(times, lambda: search.find(connection, "offerte smit")),
            "service": median_ms(
                times, lambda: reading.listing(runtime, account.user_id, account.id, Query(folder="INBOX"))
            ),
        }


def median_ms(times: int, work: Callable[[], object]) -> float:
    """The median of so many runs, in milliseconds."""
    return statistics.median(timed(work).wall * 1000 for _ in range(times))


def _counted(connection: ImapConnection) -> tuple[list[int], list[int]]:
    """What goes over this connection from now on: the bytes of each turn, sent without waiting, and received.

    A turn ends with the first answer, so there are as many as round trips.
    """
    wire = connection.client.wire
    turns: list[int] = []
    received: list[int] = []
    waited = [True]
    send, receive = wire.send, wire._receive

    def counting_send(data: bytes) -> None:
        if waited.pop():
            turns.append(0)
        waited.append(False)
        turns[-1] += len(data)
        send(data)

    def counting_receive() -> bytes:
        data = receive()
        received.append(len(data))
        waited[:] = [True]
        return data

    wire.send, wire._receive = counting_send, counting_receive  # type: ignore[method-assign]
    return turns, received
