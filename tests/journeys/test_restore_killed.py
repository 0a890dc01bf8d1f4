"""`soinbox restore` killed between any two of its steps: nothing stands there that was set back by half."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from soinbox_web.clock import timestamp
from soinbox_web.model.server import Login
from soinbox_web.problems import StoreError
from soinbox_web.runtime import Runtime, build
from soinbox_web.services import upkeep
from soinbox_web.settings import Settings, child_environment
from soinbox_web.store import accounts

IMAP = Login("imap.noordlicht.example", 993, "ssl", "anna@noordlicht.example")
STEPS = 60  # at most
KILLED_AT = """
import os, signal, sys
from pathlib import Path
from soinbox_web.services import upkeep
from soinbox_web.settings import from_environment

left = int(sys.argv[2])

def step(event, _):
    global left
    if event in ("os.rename", "os.remove", "os.rmdir", "shutil.copyfile", "shutil.rmtree", "sqlite3.connect"):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(step)
upkeep.restore(from_environment(), Path(sys.argv[1]))
"""


@pytest.fixture
def used(runtime: Runtime, tmp_path: Path) -> Settings:
    """Mail waits in the backup; it was sent since."""
    at = timestamp(runtime.clock.now())
    with runtime.db.write() as connection:
        connection.execute("INSERT INTO persons (created_at, updated_at) VALUES (?, ?)", (at, at))
        connection.execute(
            "INSERT INTO users (address, name, password_hash, person_id, created_at)"
            " VALUES ('anna@noordlicht.example', 'Anna', '', 1, ?)",
            (at,),
        )
        account_id = accounts.insert(
            connection, 1, "anna@noordlicht.example", IMAP, None, runtime.clock.now()
        )
        connection.execute(
            "INSERT INTO outbox (user_id, account_id, compose_token, message_id, envelope_from, recipients,"
            " wire, sent_copy, state, not_before, created_at)"
            " VALUES (1, ?, 'c', '<1@x>', 'a@x', '[]', x'', x'', 'held', ?, ?)",
            (account_id, at, at),
        )
    upkeep.backup(runtime, tmp_path / "copy.sqlite")
    with runtime.db.write() as connection:
        connection.execute("UPDATE outbox SET state = 'sent'")
    runtime.close()
    return runtime.settings


def states(settings: Settings) -> list[str]:
    """What becomes of the mail when the product starts now; nothing where it says that its file is lost."""
    try:
        runtime = build(settings)
    except StoreError as error:
        assert error.problem.code == "database_lost"
        return []
    try:
        with runtime.db.read() as connection:
            return [row["state"] for row in connection.execute("SELECT state FROM outbox")]
    finally:
        runtime.close()


def test_a_restore_that_is_killed_sends_nothing_twice(used: Settings, tmp_path: Path) -> None:
    whole = used.database_path.read_bytes()
    seen, codes = [], []
    for step in range(STEPS):
        used.database_path.write_bytes(whole)
        ended = subprocess.run(
            [sys.executable, "-c", KILLED_AT, str(tmp_path / "copy.sqlite"), str(step)],
            env=child_environment(used), capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        codes.append(ended.returncode)
        assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
        seen.append(states(used))
        if ended.returncode == 0:
            break
    assert codes[-1] == 0 and len(codes) > 5, codes
    assert seen[0] == ["sent"] and seen[-1] == ["uncertain"]
    assert ["held"] not in seen, seen


@pytest.mark.parametrize("kind", ["empty", "mailbox"])
def test_what_is_intact_and_no_backup_is_refused(used: Settings, tmp_path: Path, kind: str) -> None:
    other = tmp_path / "other.sqlite"
    if kind == "empty":
        other.touch()
    else:
        with sqlite3.connect(other) as connection:
            connection.execute("CREATE TABLE messages (id INTEGER PRIMARY KEY)")
    with pytest.raises(StoreError) as caught:
        upkeep.restore(used, other)
    assert caught.value.problem.code == "database_damaged"
    assert states(used) == ["sent"]


def test_a_backup_of_a_newer_version_replaces_nothing(used: Settings, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    with sqlite3.connect(copy) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('soinbox', 'm209901010000_later', '2099')"
        )
    with pytest.raises(StoreError) as caught:
        upkeep.restore(used, copy)
    assert caught.value.problem.code == "schema_newer"
    assert states(used) == ["sent"]
