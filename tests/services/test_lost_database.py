"""A precious database that is missing or cannot be used: told, and nothing of the instance is touched."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.problems import StoreError
from soinbox_web.rehearsal import child
from soinbox_web.runtime import Runtime, build
from soinbox_web.services import account_health, upkeep
from soinbox_web.settings import Settings, child_environment
from soinbox_web.store import accounts, instance_lock
from tests import seed


@pytest.fixture
def used(runtime: Runtime, member: Member) -> Settings:
    """An instance with an account and its mail, that nobody uses now."""
    seed.deliver(runtime, seed.account(runtime, member), [seed.letter("Offerte")])
    runtime.close()
    return runtime.settings


def missing(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def no_database(path: Path) -> None:
    path.write_bytes(b"Beste Anna, " * 1000)


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


CASES: list[tuple[Callable[[Path], None], str]] = [
    (missing, "database_lost"),
    (empty, "database_lost"),
    (a_folder, "database_damaged"),
    (no_database, "database_damaged"),
    (half, "database_damaged"),
]


def loose(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("command", "happens", "code"),
    [("serve", *case) for case in CASES]
    + [(command, missing, "database_lost") for command in ("web", "mailroom", "migrate", "user list")],
)
def test_every_command_says_so_and_touches_nothing(
    used: Settings, command: str, happens: Callable[[Path], None], code: str
) -> None:
    happens(used.database_path)
    loose(used.database_path)
    mailboxes = {path.name: path.read_bytes() for path in (used.instance / "mailboxes").iterdir()}
    process = subprocess.run(
        [sys.executable, "-m", "soinbox_web.cli", *command.split(), "--json"],
        env={
            **child_environment(replace(used, port=child.free_port())),
            "SOINBOX_INSTANCE": str(used.instance),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert process.returncode == 1, process.stdout + process.stderr
    assert f'"{code}"' in process.stdout, process.stdout + process.stderr
    assert "Traceback" not in process.stderr
    assert {path.name: path.read_bytes() for path in (used.instance / "mailboxes").iterdir()} == mailboxes


def test_a_backup_put_back_mends_it(used: Settings, tmp_path: Path) -> None:
    runtime = build(used)
    upkeep.backup(runtime, tmp_path / "copy.sqlite")
    runtime.close()
    used.database_path.unlink()
    loose(used.database_path)
    upkeep.restore(used, tmp_path / "copy.sqlite")
    again = build(used)
    with again.db.read() as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone()[0] == 1
    again.close()


def test_a_folder_of_an_older_version_counts_as_used(used: Settings) -> None:
    (used.instance / "in-use.lock").unlink()
    used.database_path.unlink()
    loose(used.database_path)
    with pytest.raises(StoreError) as caught:
        build(used)
    assert caught.value.problem.code == "database_lost"
    assert not used.database_path.exists()


@pytest.fixture
def unwritable(used: Settings) -> Iterator[Settings]:
    """The instance on a file system that takes no writes."""
    if os.geteuid() != 0:
        pytest.skip("left out: only root mounts a file system")
    copy = used.instance.with_name("read-only")
    copy.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", copy], capture_output=True).returncode:
        pytest.skip("left out: nothing can be mounted here")
    shutil.copytree(used.instance, copy, dirs_exist_ok=True)
    subprocess.run(["mount", "-o", "remount,ro", copy], check=True)
    yield replace(used, instance=copy)
    subprocess.run(["umount", copy], check=True)


def test_an_instance_that_cannot_be_written_is_a_problem(unwritable: Settings) -> None:
    with pytest.raises(StoreError) as caught:
        build(unwritable)
    assert caught.value.problem.code == "instance_unusable"


def test_a_key_ring_put_back_is_taken_in(runtime: Runtime, member: Member) -> None:
    account: Account = seed.account(runtime, member)
    ring = runtime.settings.key_ring_path
    runtime.close()
    ring.rename(ring.with_suffix(".away"))
    without = build(runtime.settings, runtime.clock)
    with pytest.raises(StoreError) as caught:
        without.secrets.password(account, "imap")
    account_health.failed(without, account.id, caught.value.problem)
    assert upkeep.take_in_key_ring(without) == 0
    without.close()
    ring.unlink()
    ring.with_suffix(".away").rename(ring)
    back = build(runtime.settings, runtime.clock)
    assert upkeep.take_in_key_ring(back) == 1
    with back.db.read() as connection:
        assert accounts.read(connection, account.id).imap_status.problem is None
        assert accounts.open_secret(connection, back.vault, account, "imap") == "lampje-voor-anna"
    back.close()


def test_a_key_ring_that_cannot_be_made_is_told(used: Settings) -> None:
    with pytest.raises(StoreError) as caught:
        build(replace(used, secret_key_file=used.instance / "nowhere" / "secret.key"))
    assert caught.value.problem.code == "instance_unusable"
    assert "nowhere" in caught.value.problem.facts["path"]
    with instance_lock.alone(used.instance):
        pass  # nothing holds it after that
