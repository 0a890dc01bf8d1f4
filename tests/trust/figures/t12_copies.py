"""T12: `soinbox backup` while four processes write without rest; every copy is whole and recent.

Each transaction gives two drafts the same number and changes an attachment, so that a copy made in the middle
of one shows it. The control copies the file as any program would, which the same look must find wrong. Then
mailbox files are damaged and backups put back, until the mailbox equals its server (tests/trust/healing.py).
"""

import multiprocessing
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from soinbox_web.problems import StoreError
from soinbox_web.runtime import Runtime, build
from soinbox_web.services import composing, members
from soinbox_web.settings import Settings, child_environment
from soinbox_web.store import drafts
from tests import seed
from tests.trust import healing
from tests.trust.faults import Verdict
from tests.trust.telling import control, tell
from tests.waiting import until

BACKUPS, WRITERS, PLAIN, RESTORES = 50, 4, 10, 5
ATTACHED = 200_000  # bytes that each transaction writes anew


def figures(every: int) -> list[dict[str, Any]]:
    return [*_backups(every), *_healing(every)]


def _healing(every: int) -> list[dict[str, Any]]:
    told = []
    with tempfile.TemporaryDirectory(prefix="trust-") as folder:
        told.append(tell("T12 damaged mailbox files, whole again", 2, healing.healed(Path(folder), every)))
    with tempfile.TemporaryDirectory(prefix="trust-") as folder:
        times = max(1, RESTORES // every)
        told.append(tell("T12 backups put back, whole again", times, healing.restored(Path(folder), times)))
    return told


def _backups(every: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="trust-") as folder, _busy(Path(folder) / "instance") as busy:
        copies = (
            _judged(busy, f"backup {number}", Path(folder) / f"{number}.sqlite", _by_command)
            for number in range(max(1, BACKUPS // every))
        )
        told = tell("T12 backups under write load, intact", BACKUPS // every, copies)
        plain = [_judged(busy, f"{n}", Path(folder) / f"plain-{n}.sqlite", _plainly) for n in range(PLAIN)]
        caught = control(
            "T12 a plain copy of the file is caught",
            {"plain copy": [w for each in plain for w in each.wrong]},
        )
        written = sum(_numbers(busy.database_path).values())
    print(f"    {WRITERS} processes came to {written} transactions meanwhile", flush=True)
    return [{**told, "transactions": written}, caught]


@contextmanager
def _busy(instance: Path) -> Iterator[Settings]:
    """An instance that four processes write to."""
    settings = Settings(instance=instance)
    runtime = build(settings)
    try:
        member = members.add(runtime, "anna@noordlicht.example", "Anna", "licht aan in huis")
        account = seed.account(runtime, member)

        def new(to: str) -> int:
            return composing.start(runtime, member.id, account.id, "new", to=to)

        pairs = [(new(f"{n}@x.example"), new(f"{n}@x.example")) for n in range(WRITERS)]
    finally:
        runtime.close()
    spawn = multiprocessing.get_context("spawn")
    end = spawn.Event()
    writers = [spawn.Process(target=_write, args=(settings, pair, end)) for pair in pairs]
    for writer in writers:
        writer.start()
    try:
        until(lambda: len(_numbers(settings.database_path)) == WRITERS, seconds=60)
        yield settings
        assert all(writer.is_alive() for writer in writers), "a writer died"
    finally:
        end.set()
        for writer in writers:
            writer.join()


def _write(settings: Settings, pair: tuple[int, int], end: Any) -> None:
    runtime, number, file_id = build(settings), 0, 0
    try:
        while not end.is_set():
            number += 1
            try:
                file_id = _transaction(runtime, pair, number, file_id)
            except StoreError as error:  # beside three others without rest one may wait for too long
                if error.problem.code != "database_locked":
                    raise
    finally:
        runtime.close()


def _transaction(runtime: Runtime, pair: tuple[int, int], number: int, file_id: int) -> int:
    with runtime.db.write() as connection:
        for draft_id in pair:
            connection.execute("UPDATE drafts SET subject = ? WHERE id = ?", (str(number), draft_id))
        drafts.remove_file(connection, pair[0], file_id)
        content = number.to_bytes(4, "big") * (ATTACHED // 4)
        return drafts.add_file(connection, pair[0], str(number), "application/x", content)


def _judged(settings: Settings, name: str, copy: Path, make: Callable[[Settings, Path], str]) -> Verdict:
    before, began = _numbers(settings.database_path), time.monotonic()
    failed = make(settings, copy)
    lasted = time.monotonic() - began
    wrong = [failed] if failed else _faults(copy, before)
    copy.unlink(missing_ok=True)
    return Verdict(name, wrong=wrong, seconds=lasted)


def _by_command(settings: Settings, copy: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "soinbox_web.cli", "backup", str(copy)],
        env=child_environment(settings), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return "" if done.returncode == 0 else f"exit {done.returncode}: {done.stderr[-300:]}"


def _plainly(settings: Settings, copy: Path) -> str:
    shutil.copyfile(settings.database_path, copy)
    return ""


def _faults(copy: Path, before: dict[str, int]) -> list[str]:
    """What is wrong with a copy begun when each pair of drafts had come to its number in `before`."""
    try:
        with closing(sqlite3.connect(copy)) as connection:
            wrong = [
                row[0] for row in connection.execute("PRAGMA integrity_check").fetchall() if row[0] != "ok"
            ]
            orphans = connection.execute("PRAGMA foreign_key_check")
            wrong += [f"row without parent in {row[0]}" for row in orphans]
            rows = connection.execute(
                "SELECT to_text, group_concat(subject, ' ') FROM drafts GROUP BY to_text"
            )
            wrong += [f"half a transaction: {to} {two}" for to, two in rows if len(set(two.split())) != 1]
            files = connection.execute(
                "SELECT f.name, d.subject FROM draft_attachments f JOIN drafts d ON d.id = f.draft_id"
            )
            wrong += [f"file {name} beside draft {number}" for name, number in files if name != number]
        now = _numbers(copy)
    except sqlite3.DatabaseError as error:
        return [str(error)]
    late = [f"{to}: {now.get(to, 0)} instead of {n}" for to, n in before.items() if now.get(to, 0) < n]
    return [*wrong, *late]


def _numbers(database: Path) -> dict[str, int]:
    """How far each writer is, by the recipient of its drafts."""
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        rows = connection.execute("SELECT to_text, min(subject + 0) FROM drafts GROUP BY to_text").fetchall()
    return {to: number for to, number in rows if number}
