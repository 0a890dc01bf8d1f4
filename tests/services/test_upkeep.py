"""Backup, restore, check and rotation, as an operator meets them."""

from pathlib import Path

import pytest

from soinbox_web.clock import timestamp
from soinbox_web.model.server import Login
from soinbox_web.problems import StoreError
from soinbox_web.runtime import Runtime, build
from soinbox_web.services import upkeep
from soinbox_web.store import accounts, instance_lock, outbox
from soinbox_web.store.outbox import Recipient

IMAP = Login("imap.noordlicht.example", 993, "ssl", "anna@noordlicht.example")


@pytest.fixture
def account_id(runtime: Runtime) -> int:
    now = runtime.clock.now()
    at = timestamp(now)
    with runtime.db.write() as connection:
        connection.execute("INSERT INTO persons (created_at, updated_at) VALUES (?, ?)", (at, at))
        connection.execute(
            "INSERT INTO users (address, name, password_hash, person_id, created_at)"
            " VALUES ('anna@noordlicht.example', 'Anna', '', 1, ?)",
            (at,),
        )
        account_id = accounts.insert(connection, 1, "anna@noordlicht.example", IMAP, None, now)
        account = accounts.read(connection, account_id)
        accounts.seal_secret(connection, runtime.vault, account, "imap", "lampje")
        connection.execute(
            "INSERT INTO outbox (user_id, account_id, compose_token, message_id, envelope_from, recipients,"
            " wire, sent_copy, state, not_before, created_at)"
            " VALUES (1, ?, 'c', '<1@x>', 'a@x', '[]', x'', x'', 'held', ?, ?)",
            (account_id, at, at),
        )
        connection.execute(
            "INSERT INTO sessions (user_id, token_hash, created_at, last_seen_at) VALUES (1, 'h', ?, ?)",
            (at, at),
        )
    return account_id


def secret(runtime: Runtime, account_id: int) -> str:
    with runtime.db.read() as connection:
        return accounts.open_secret(connection, runtime.vault, accounts.read(connection, account_id), "imap")


def test_rotation_seals_everything_again(runtime: Runtime, account_id: int) -> None:
    before = runtime.vault.kid
    assert upkeep.rotate_key(runtime) == 1
    assert runtime.vault.kid != before
    assert secret(runtime, account_id) == "lampje"
    assert upkeep.sealed_with_old_keys(runtime) == 0


def test_secrets_that_no_longer_open_do_not_stop_a_rotation(runtime: Runtime, account_id: int) -> None:
    """Those of a lost key, and one that was sealed for another server, stand before all others."""
    with runtime.db.write() as connection:
        known = accounts.read(connection, account_id)
        foreign = accounts.open_secret(connection, runtime.vault, known, "imap")
        for number in range(250):
            login = Login("imap.noordlicht.example", 993, "ssl", f"{number}@noordlicht.example")
            made = accounts.read(
                connection, accounts.insert(connection, 1, login.username, login, None, runtime.clock.now())
            )
            accounts.seal_secret(connection, runtime.vault, made, "imap", foreign)
        connection.execute(
            "UPDATE account_secrets SET sealed = 'lost' || substr(sealed, 9) WHERE account_id < 200"
        )
        connection.execute(
            "UPDATE account_secrets SET sealed = (SELECT sealed FROM account_secrets WHERE account_id = 201)"
            " WHERE account_id = 200"
        )
        last = connection.execute("SELECT max(account_id) FROM account_secrets").fetchone()[0]
    assert upkeep.rotate_key(runtime) == last - 200
    assert secret(runtime, last) == "lampje"
    with pytest.raises(StoreError):
        secret(runtime, 200)


def test_a_restored_instance_sends_nothing_twice(runtime: Runtime, account_id: int, tmp_path: Path) -> None:
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        outbox.claim(connection, 1, "test", now)
        outbox.hold(connection, 1, [Recipient("b@x.example"), Recipient("c@x.example", "delayed")], now, now)
    upkeep.backup(runtime, tmp_path / "copy.sqlite")
    with runtime.db.write() as connection:
        connection.execute("UPDATE outbox SET state = 'sent'")
    runtime.close()
    report = upkeep.restore(runtime.settings, tmp_path / "copy.sqlite")
    assert (report["outbox_uncertain"], report["sessions_ended"], report["accounts_without_key"]) == (1, 1, 0)
    again = build(runtime.settings, runtime.clock)
    with again.db.read() as connection:
        (row,) = outbox.uncertain(connection)
        assert [each.state for each in row.recipients] == ["uncertain", "uncertain"], "nobody is tried again"
        assert accounts.read(connection, account_id).generation == 2
    assert secret(again, account_id) == "lampje"
    again.close()


def test_a_backup_restored_beside_another_key_ring_asks_for_the_password(
    runtime: Runtime, account_id: int, tmp_path: Path
) -> None:
    upkeep.backup(runtime, tmp_path / "copy.sqlite")
    assert b"lampje" not in (tmp_path / "copy.sqlite").read_bytes()
    runtime.close()
    runtime.settings.key_ring_path.unlink()
    assert upkeep.restore(runtime.settings, tmp_path / "copy.sqlite")["accounts_without_key"] == 1
    again = build(runtime.settings, runtime.clock)
    with again.db.read() as connection:
        assert accounts.read(connection, account_id).state == "needs_password"
    again.close()


def test_a_damaged_backup_is_refused_and_the_instance_stays(
    runtime: Runtime, account_id: int, tmp_path: Path
) -> None:
    bad = tmp_path / "copy.sqlite"
    upkeep.backup(runtime, bad)
    content = bytearray(bad.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    bad.write_bytes(content)
    with pytest.raises(StoreError):
        upkeep.restore(runtime.settings, bad)
    assert secret(runtime, account_id) == "lampje"


def test_whoever_uses_the_instance_forbids_a_restore(runtime: Runtime, tmp_path: Path) -> None:
    upkeep.backup(runtime, tmp_path / "copy.sqlite")
    with pytest.raises(StoreError) as caught:
        upkeep.restore(runtime.settings, tmp_path / "copy.sqlite")
    assert caught.value.problem.code == "instance_running"
    runtime.close()
    upkeep.restore(runtime.settings, tmp_path / "copy.sqlite")


def test_a_check_reads_nothing_that_is_being_replaced(runtime: Runtime) -> None:
    """Closing a file that was renamed deletes the log of the one that has its name now."""
    runtime.close()
    with instance_lock.alone(runtime.settings.instance), pytest.raises(StoreError) as caught:
        upkeep.check(runtime.settings)
    assert caught.value.problem.code == "instance_restoring"
    assert upkeep.check(runtime.settings)["ok"]


def test_check_names_the_damaged_file(runtime: Runtime, account_id: int) -> None:
    with runtime.mailbox(account_id, 1).read():
        pass
    assert upkeep.check(runtime.settings)["ok"]
    runtime.close()
    path = runtime.mailbox_path(account_id, 1)
    path.write_bytes(b"nothing that SQLite knows" * 1000)
    found = upkeep.check(runtime.settings)
    assert not found["ok"]
    assert [file["name"] for file in found["files"] if not file["ok"]] == [path.name]


def test_check_tells_of_a_key_ring_that_opens_nothing(runtime: Runtime, account_id: int) -> None:
    runtime.settings.key_ring_path.unlink()
    runtime.close()
    again = build(runtime.settings)
    try:
        found = upkeep.check(runtime.settings)
        assert [file["name"] for file in found["files"] if not file["ok"]] == ["secret.key"]
        assert "opens 1 of the stored passwords" in upkeep.keyless_words(again)
    finally:
        again.close()


def test_a_backup_where_none_can_be_written(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        upkeep.backup(runtime, tmp_path / "nowhere" / "copy.sqlite")
    assert caught.value.problem.code == "file_unwritable"
