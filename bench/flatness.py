"""Whether pages, threads and searches of the store stay as quick when a mailbox grows tenfold."""

import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import measures
from bench.mailboxes import FIRST, LAST, NEWEST, WORDS
from soinbox_web.clock import SystemClock
from soinbox_web.model.message import Correspondent, Envelope
from soinbox_web.runtime import build
from soinbox_web.settings import Settings
from soinbox_web.store import folders, messages, search
from soinbox_web.store.database import Database

TIMES = 200
BATCH = 500


def envelopes(count: int) -> Iterator[list[Envelope]]:
    """`count` envelopes in batches, newest first as they are fetched; six in ten begin a thread."""
    dice = random.Random(count)
    people = [
        Correspondent(
            f"{dice.choice(FIRST)} {dice.choice(LAST)}", f"p{place}@klant{dice.randrange(200)}.example"
        )
        for place in range(max(20, min(count // 50, 5_000)))
    ]
    newest, batch, thread = int(NEWEST.timestamp()), [], ()
    anna = (Correspondent("Anna de Boer", "anna@noordlicht.example"),)
    for number in range(count):
        own = f"<{number}.{dice.randrange(10**9)}@klant.example>"
        thread = () if dice.random() < 0.6 else (*thread[-7:], own)
        at, sender = newest - 780 * number, (dice.choice(people),)
        subject = " ".join(dice.choices(WORDS, k=dice.randint(2, 7)))
        seen = frozenset({"\\Seen"} if dice.random() < 0.9 else ())
        batch.append(
            Envelope(
                count - number, seen, at, 5_000, at, subject, sender, sender, anna, (), (), own,
                thread[-2] if len(thread) > 1 else "", thread[:-1], dice.random() < 0.25, False,
            )
        )  # fmt: skip
        if len(batch) == BATCH or number == count - 1:
            yield batch
            batch = []


def fill(mailbox: Database, count: int) -> int:
    """The row of a folder with that many messages."""
    with mailbox.write() as connection:
        folder = folders.add(connection, "INBOX", "INBOX", "/", "inbox", selectable=True)
    for batch in envelopes(count):
        with mailbox.write() as connection:
            messages.insert_envelopes(connection, folder, batch)
    with mailbox.write() as connection:
        folders.finish(
            connection, folder, uidnext=count + 1, highestmodseq=1, total=count, at=NEWEST, swept=True
        )
    return folder


def times(connection: sqlite3.Connection, folder: int, count: int) -> dict[str, float]:
    """Medians in ms."""
    middle = connection.execute(
        "SELECT id FROM messages WHERE folder_id = ? ORDER BY id LIMIT 1 OFFSET ?", (folder, count // 10)
    ).fetchone()
    step = count // TIMES
    threads = connection.execute(
        "SELECT thread_id FROM messages WHERE folder_id = ? AND uid % ? = 0 ORDER BY uid LIMIT ?",
        (folder, step, TIMES),
    ).fetchall()
    chosen = iter([row["thread_id"] for row in threads] * 2)
    return {
        "list, top": _median(lambda: messages.page(connection, folder)),
        "list, nine tenths down": _median(
            lambda: messages.page(connection, folder, after=("", middle["id"]))
        ),
        "thread": _median(lambda: connection.execute(_THREAD, (next(chosen),)).fetchall()),
        "search, common word": _median(lambda: search.find(connection, "offerte")),
        "search, two words": _median(lambda: search.find(connection, "offerte smit")),
    }


_THREAD = "SELECT * FROM messages WHERE thread_id = ? ORDER BY id LIMIT 50"


def run(small: int = 100_000, large: int = 1_000_000) -> dict[str, Any]:
    """The same questions to two stores, one ten times the other."""
    found: dict[int, dict[str, float]] = {}
    seconds: dict[int, float] = {}
    for count in (small, large):
        with tempfile.TemporaryDirectory(prefix="bench-flat-") as folder:
            runtime = build(Settings(instance=Path(folder) / "instance"), SystemClock())
            mailbox = runtime.mailbox(1, 1)
            began = time.perf_counter()
            number = fill(mailbox, count)
            seconds[count] = time.perf_counter() - began
            with mailbox.read() as connection:
                found[count] = times(connection, number, count)
            runtime.close()
    ratios = {
        f"{name}: {large:,} against {small:,} messages": [round(found[large][name] / ms, 2), "<=", 1.5]
        for name, ms in found[small].items()
    }
    return {
        "ms_p50": {str(count): {k: round(v, 3) for k, v in ms.items()} for count, ms in found.items()},
        "rows_per_second": {str(count): round(count / taken) for count, taken in seconds.items()},
        "ratios": ratios,
    }


def _median(work: Any) -> float:
    return measures.median_ms(TIMES, work)
