"""A mailbox file that is damaged in any way: no page breaks, and another file takes its place."""

import os
import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.model.message import MessageKey
from soinbox_web.runtime import Runtime
from soinbox_web.services import sync
from soinbox_web.store import accounts
from tests import seed
from tests.client import SoinboxClient
from tests.waiting import until

FLIPS = 40  # places of the file
SEED = 20261201


@pytest.fixture
def account(runtime: Runtime, member: Member) -> Account:
    return seed.account(runtime, member)


@pytest.fixture
def keys(runtime: Runtime, account: Account) -> list[MessageKey]:
    return seed.deliver(runtime, account, [seed.letter(f"Brief {n}") for n in range(60)])


@pytest.fixture
def path(runtime: Runtime, account: Account, keys: list[MessageKey]) -> Path:
    """The whole file, with nothing left in its log, and closed by all."""
    path = runtime.mailbox_path(account.id, account.generation)
    runtime.mailbox(account.id, account.generation).connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    forget(runtime)
    return path


def forget(runtime: Runtime) -> None:
    """As another process would: nothing of the mailbox files is open or remembered."""
    for database in runtime._mailboxes.values():
        database.close()
    runtime._mailboxes.clear()


def pages(account: Account, key: MessageKey) -> list[str]:
    return [
        f"/inbox/{account.id}", f"/inbox/{account.id}?q=brief", f"/inbox/{account.id}?message={key}",
        f"/messages/{key}", f"/messages/{key}/body", f"/accounts/{account.id}/status", "/persons", "/outbox",
        "/options", "/recent", "/operator",
    ]  # fmt: skip


def open_everything(client: SoinboxClient, account: Account, key: MessageKey) -> list[str]:
    """What broke: pages that answered 500."""
    return [
        f"{page}: {answer.status_code}"
        for page in pages(account, key)
        if (answer := client.get(page)).status_code == 500
    ]


def generation(runtime: Runtime, account: Account) -> int:
    with runtime.db.read() as connection:
        return accounts.read(connection, account.id).generation


def flipped(raw: bytes, places: range) -> bytes:
    damaged = bytearray(raw)
    for place in places:
        damaged[place % len(raw)] ^= 0xFF
    return bytes(damaged)


def whole_kinds() -> dict[str, Callable[[Path], object]]:
    def schema(path: Path) -> None:
        raw = path.read_bytes()
        at = raw.index(b"CREATE TABLE messages")
        path.write_bytes(raw[: at + 8] + b"\xff\xfe" + raw[at + 10 :])

    def a_folder(path: Path) -> None:
        path.unlink()
        path.mkdir()
        (path / "x").write_text("x")

    def of_something_else(path: Path) -> None:
        path.write_bytes(b"")
        from soinbox_web.store.database import Database

        other = Database(path)
        other.connection().execute("CREATE TABLE messages (other TEXT)")
        other.connection().execute("PRAGMA user_version=99")
        other.close()

    def instead(path: Path, make: Callable[[Path], object]) -> None:
        path.unlink(missing_ok=True)
        make(path)

    def beside(suffix: str) -> Callable[[Path], None]:
        return lambda path: instead(path.with_name(path.name + suffix), Path.mkdir)

    return {
        "a link to a folder": lambda path: instead(path, lambda it: it.symlink_to(path.parent.parent)),
        "a link to nothing": lambda path: instead(path, lambda it: it.symlink_to("nothing")),
        "a link to itself": lambda path: instead(path, lambda it: it.symlink_to(it)),
        "a pipe": lambda path: instead(path, os.mkfifo),
        "a folder for its log": beside("-wal"),
        "a folder for the index of its log": beside("-shm"),
        "schema text": schema,
        "a folder": a_folder,
        "another program's": of_something_else,
        "nothing": lambda path: path.write_bytes(b""),
        "no database": lambda path: path.write_bytes(b"Beste Anna, " * 2000),
        "header": lambda path: path.write_bytes(flipped(path.read_bytes(), range(40))),
        "first half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        "ten bytes": lambda path: path.write_bytes(path.read_bytes()[:10]),
        "log": lambda path: path.with_name(path.name + "-wal").write_bytes(b"\xff" * 5000),
        "index of the log": lambda path: path.with_name(path.name + "-shm").write_bytes(b"\xff" * 40_000),
    }


@pytest.mark.parametrize("kind", whole_kinds())
def test_no_page_breaks_and_it_is_fetched_again(
    runtime: Runtime,
    account: Account,
    keys: list[MessageKey],
    path: Path,
    signed_in: SoinboxClient,
    kind: str,
) -> None:
    whole_kinds()[kind](path)
    assert open_everything(signed_in, account, keys[5]) == []
    can_be_read = kind == "a folder for the index of its log"  # what is written next finds out
    sync.discard_unfit(runtime, account.id, thorough=can_be_read)  # as the mailroom does when it begins
    if kind not in ("nothing", "log", "index of the log"):  # those SQLite makes good by itself
        until(lambda: generation(runtime, account) > account.generation, seconds=30)
    assert open_everything(signed_in, account, keys[5]) == []


def test_bytes_flipped_anywhere(
    runtime: Runtime,
    account: Account,
    keys: list[MessageKey],
    path: Path,
    signed_in: SoinboxClient,
    tmp_path: Path,
) -> None:
    sound = tmp_path / "sound"
    shutil.copy(path, sound)
    raw, chance = sound.read_bytes(), random.Random(SEED)
    broken = []
    for _ in range(FLIPS):
        now = runtime.mailbox_path(account.id, generation(runtime, account))
        forget(runtime)
        for suffix in ("-wal", "-shm"):
            now.with_name(now.name + suffix).unlink(missing_ok=True)
        start = chance.randrange(len(raw))
        now.write_bytes(flipped(raw, range(start, start + chance.choice((1, 8, 200)))))
        broken += [f"at {start}: {each}" for each in open_everything(signed_in, account, keys[5])]
    assert broken == []


def test_no_thread_to_mend_it_now_is_no_reason_not_to_later(
    runtime: Runtime, account: Account, keys: list[MessageKey], path: Path, signed_in: SoinboxClient
) -> None:
    path.write_bytes(b"Beste Anna, " * 2000)
    before = threading.stack_size(1 << 45)  # the system refuses every thread
    try:
        assert open_everything(signed_in, account, keys[5]) == []
    finally:
        threading.stack_size(before)
    assert generation(runtime, account) == account.generation
    assert open_everything(signed_in, account, keys[5]) == []
    until(lambda: generation(runtime, account) > account.generation, seconds=30)
