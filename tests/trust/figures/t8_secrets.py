"""T8: planted secrets are found nowhere, keys rotate while others read, nothing opens in another place."""

import multiprocessing
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from soinbox_web.model.account import Account
from soinbox_web.model.server import Login
from soinbox_web.problems import StoreError
from soinbox_web.runtime import Runtime, build
from soinbox_web.settings import Settings, child_environment
from soinbox_web.store import accounts
from tests.real.accounts import add_user
from tests.trust.by_tests import counted

ROWS = 1_000
READERS = 3  # processes that run on while the keys turn, as web workers and the mailroom do
TURNS = 2


def figures(every: int) -> list[dict[str, Any]]:
    planted = ["tests/journeys/test_planted_secrets.py"]
    with _instance(max(50, ROWS // every)) as (runtime, made):
        return [
            counted("T8 planted secrets: files, processes, pages", 1, planted, 1),
            _rotated(runtime, made),
            _moved(runtime, made[:: max(1, len(made) // 50)]),
        ]


@contextmanager
def _instance(rows: int) -> Iterator[tuple[Runtime, list[Account]]]:
    """So many accounts of ten users, each with a secret of its own on its first side."""
    with tempfile.TemporaryDirectory(prefix="trust-t8-") as folder:
        runtime = build(Settings(instance=Path(folder) / "instance", ispdb_url=""))
        users = [add_user(runtime, f"user{number}@noordlicht.example") for number in range(10)]
        made = []
        with runtime.db.write() as connection:
            for number in range(rows):
                login = Login("imap.noordlicht.example", 993, "ssl", f"{number}@noordlicht.example")
                sending = replace(login, host="smtp.noordlicht.example", port=465)
                user, now = users[number % 10], runtime.clock.now()
                account = accounts.read(
                    connection, accounts.insert(connection, user, login.username, login, sending, now)
                )
                accounts.seal_secret(connection, runtime.vault, account, "imap", _secret(account))
                made.append(account)
        try:
            yield runtime, made
        finally:
            runtime.close()


def _secret(account: Account) -> str:
    return f"geheim van {account.address}"


# rotation


def _rotated(runtime: Runtime, made: list[Account]) -> dict[str, Any]:
    """Others read and seal all the while; afterwards every secret is there, under the newest key."""
    context = multiprocessing.get_context("spawn")
    over, found = context.Event(), context.Queue()
    folder = runtime.settings.instance
    readers = [
        context.Process(target=_read_on, args=(folder, number, over, found)) for number in range(READERS)
    ]
    for each in readers:
        each.start()
    for _ in readers:
        found.get(timeout=60)  # each has begun, with the ring as it was
    wrong, began = [], time.monotonic()
    for _ in range(TURNS):
        command = [sys.executable, "-m", "soinbox_web.cli", "rotate-key"]
        done = subprocess.run(
            command, env=child_environment(runtime.settings), capture_output=True, text=True, check=False
        )
        if done.returncode:
            wrong.append(f"rotate-key ended with {done.returncode}: {done.stderr[-200:]}")
    seconds = time.monotonic() - began
    over.set()
    told = [found.get(timeout=60) for _ in readers]
    for each in readers:
        each.join()
    reads = sum(count for count, _ in told)
    wrong += [words for _, failures in told for words in failures]
    fresh = build(runtime.settings)
    with fresh.db.read() as connection:
        wrong += [
            f"{account.address} is lost"
            for account in made
            if accounts.stored_secret(connection, fresh.vault, account, "imap") != _secret(account)
        ]
        sealed = [row["sealed"] for row in connection.execute("SELECT sealed FROM account_secrets")]
        wrong += [f"{len(old)} under an older key"] if (old := _older(sealed, fresh.vault.kid)) else []
    fresh.close()
    for words in wrong[:5]:
        print(f"    WRONG: {words}")
    print(
        f"T8 rotation of {len(made)} rows, {TURNS} times in {seconds:.1f} s, "
        f"{reads} reads and seals meanwhile: {len(wrong)} failures (goal 0)",
        flush=True,
    )
    return {
        "figure": "T8 rotation while others read and seal", "runs": len(made) * TURNS + reads,
        "wrong": len(wrong), "goal": "0 failures", "met": not wrong and reads > 0,
        "seconds": round(seconds, 1), "reads": reads,
    }  # fmt: skip


def _older(sealed: list[str], kid: str) -> list[str]:
    return [text for text in sealed if not text.startswith(f"{kid}:")]


def _read_on(folder: Path, seed: int, over: Event, found: Any) -> None:
    """A process of the product that began before: opens secrets, and now and then stores one anew."""
    runtime = build(Settings(instance=folder, ispdb_url=""))
    pick, count, failures = random.Random(seed), 0, list[str]()
    with runtime.db.read() as connection:
        known = accounts.all(connection)
    found.put("began")
    while not over.is_set():
        account = pick.choice(known)
        try:
            if runtime.secrets.password(account, "imap") != _secret(account):
                failures.append(f"{account.address} opened as another's")
            if not count % 50:
                with runtime.db.write() as connection:
                    accounts.seal_secret(connection, runtime.vault, account, "imap", _secret(account))
        except StoreError as error:
            failures.append(f"{account.address}: {error.problem.code}")
        count += 1
    runtime.close()
    found.put((count, failures))


# other places


def _moved(runtime: Runtime, made: list[Account]) -> dict[str, Any]:
    """A sealed text in the row of another account or side, or in its own with another server, never opens."""
    tried, opened = 0, []
    with runtime.db.write() as connection:
        for account, other in zip(made, [*made[1:], made[0]], strict=True):
            accounts.seal_secret(connection, runtime.vault, account, "imap", _secret(account))
            sealed = connection.execute(
                "SELECT sealed FROM account_secrets WHERE account_id = ? AND side = 'imap'", (account.id,)
            ).fetchone()["sealed"]
            cases: dict[str, tuple[Account, accounts.SecretSide]] = {
                f"account {other.id}": (other, "imap"),
                "the other side": (account, "smtp"),
                "the consent's side": (account, "oauth"),
                **{words: (changed, "imap") for words, changed in _changed(account, other)},
            }
            for words, (place, side) in cases.items():
                tried += 1
                connection.execute(
                    "INSERT OR REPLACE INTO account_secrets (account_id, side, sealed) VALUES (?, ?, ?)",
                    (place.id, side, sealed),
                )
                if accounts.stored_secret(connection, runtime.vault, place, side):
                    opened.append(f"{account.address} in {words}")
            if accounts.stored_secret(connection, runtime.vault, account, "imap") != _secret(account):
                opened.append(f"{account.address} does not open in its own place: nothing was shown")
    for words in opened[:5]:
        print(f"    WRONG: {words}")
    print(f"T8 sealed texts in other places: {tried} tried, {len(opened)} opened (goal 0)", flush=True)
    return {
        "figure": "T8 row or host swapped: 0 decrypts", "runs": tried, "wrong": len(opened),
        "goal": "0 decrypts", "met": not opened and tried > 0,
    }  # fmt: skip


def _changed(account: Account, other: Account) -> Iterator[tuple[str, Account]]:
    login = account.imap
    for words, changed in (
        ("host", replace(login, host="imap.elders.example")),
        ("host and port", replace(login, host="imap.noordlicht.example9", port=93)),
        ("port", replace(login, port=1993)),
        ("user name", replace(login, username=other.imap.username)),
        ("security", replace(login, security="none")),
        ("host's capitals", replace(login, host="IMAP.noordlicht.example")),
    ):
        yield words, replace(account, imap=changed)
    yield "user", replace(account, user_id=account.user_id % 10 + 1)
