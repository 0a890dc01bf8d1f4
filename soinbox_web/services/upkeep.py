"""Keeping an instance well: backup, restore, check, migrate, key rotation."""

import shutil
from pathlib import Path
from typing import Any

from soinbox_web.clock import SystemClock
from soinbox_web.problems import Problem, StoreError
from soinbox_web.runtime import Runtime, build
from soinbox_web.settings import Settings
from soinbox_web.store import accounts, upkeep
from soinbox_web.store import backup as copies
from soinbox_web.store.database import Database
from soinbox_web.store.migrations import migrate as run_migrations
from soinbox_web.store.vault import Vault, rotate_ring

BATCH = 100


def backup(runtime: Runtime, file: Path) -> None:
    """A checked copy of the precious database; it never holds the key ring."""
    copies.copy(runtime.db, file)


def backup_words(settings: Settings, file: Path) -> str:
    """What a person is told after a backup."""
    return f"{file}: intact. The key ring is not in it; keep a copy of {settings.key_ring_path} apart."


def restore(settings: Settings, file: Path) -> dict[str, int]:
    """Put a backup in place of the database; what was set back, as counts.

    Unsent mail becomes *uncertain*, open server actions are cancelled, sessions end, mailbox files are thrown
    away, accounts whose key is missing need their password again (trust.md section 5). StoreError
    database_damaged when the file is not an intact backup, instance_running while the product runs.
    """
    checked = Database(file)
    try:
        found = copies.check(checked.connection())
    finally:
        checked.close()
    if found != "ok":
        raise StoreError(Problem("database_damaged", evidence=found, facts={"path": file.name}))
    settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    current = settings.database_path
    if current.exists():
        running = Database(current)
        try:
            with running.read() as connection:
                if upkeep.has_live_mailroom(connection, SystemClock().now()):
                    raise StoreError(Problem("instance_running"))
        finally:
            running.close()
        current.replace(current.with_suffix(".before-restore.sqlite"))
    for suffix in ("-wal", "-shm"):
        current.with_name(current.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(file, current)
    current.chmod(0o600)
    shutil.rmtree(settings.instance / "mailboxes", ignore_errors=True)
    runtime = build(settings)
    try:
        now = runtime.clock.now()
        with runtime.db.write() as connection:
            report = upkeep.settle_after_restore(connection, now)
            keyless = upkeep.secrets_without_key(connection, runtime.vault.kids)
            for account_id, side in keyless:
                accounts.record_attempt(connection, account_id, side, now, Problem("key_missing", side=side))  # type: ignore[arg-type]
        return {**report, "accounts_without_key": len({account_id for account_id, _ in keyless})}
    finally:
        runtime.close()


def check(settings: Settings) -> dict[str, Any]:
    """contract.md's `check`: every database file, whether it is intact, and whether the key ring opens it."""
    files = []
    for path in [settings.database_path, *sorted((settings.instance / "mailboxes").glob("*.sqlite"))]:
        if not path.exists():
            files.append({"name": path.name, "ok": False, "detail": "missing"})
            continue
        database = Database(path)
        try:
            found = copies.check(database.connection())
        except StoreError as error:
            found = error.problem.evidence
        finally:
            database.close()
        files.append({"name": path.name, "ok": found == "ok", "detail": "" if found == "ok" else found})
    fault = _key_ring_fault(settings, readable=bool(files[0]["ok"]))
    files.append({"name": settings.key_ring_path.name, "ok": not fault, "detail": fault})
    return {"ok": all(file["ok"] for file in files), "files": files}


def _key_ring_fault(settings: Settings, *, readable: bool) -> str:
    """What is wrong with the key ring, if anything; `readable`: the precious database can be asked."""
    try:
        kids = Vault.read(settings.key_ring_path).kids
    except StoreError:
        return "cannot be read"
    if not readable:
        return ""
    database = Database(settings.database_path)
    try:
        return _keyless(database, kids)
    finally:
        database.close()


def _keyless(database: Database, kids: list[str]) -> str:
    with database.read() as connection:
        count = len(upkeep.secrets_without_key(connection, kids))
    return f"opens {count} of the stored passwords no longer" if count else ""


def keyless_words(runtime: Runtime) -> str:
    """What the operator is told at the start when the key ring is not the one that was there; or ""."""
    fault = _keyless(runtime.db, runtime.vault.kids)
    advice = "put the one back that was there before, or these accounts ask for their passwords again"
    return f"{runtime.settings.key_ring_path} {fault}: {advice}." if fault else ""


def assert_sound(runtime: Runtime) -> None:
    """A quick look at the precious database before anything starts; StoreError database_damaged."""
    found = copies.check(runtime.db.connection(), quick=True)
    if found != "ok":
        raise StoreError(Problem("database_damaged", evidence=found, facts={"path": runtime.db.path.name}))


def migrate(settings: Settings) -> list[str]:
    """Bring the schema up to date by hand; the names of what was applied."""
    database = Database(settings.database_path)
    try:
        return run_migrations(database, SystemClock().now())
    finally:
        database.close()


def sealed_with_old_keys(runtime: Runtime) -> int:
    """How many stored secrets (of the next batch) still wait for the newest key."""
    with runtime.db.read() as connection:
        return len(upkeep.sealed_by_other_keys(connection, runtime.vault.kid, BATCH))


def rotate_key(runtime: Runtime) -> int:
    """Add a key to the ring and seal every stored secret with it, in batches; how many were sealed.

    A secret that no longer opens stays as it is: its account asks for it again.
    """
    rotate_ring(runtime.settings.key_ring_path)
    runtime.vault = Vault.open(runtime.settings.key_ring_path)
    count, last = 0, (0, "")
    while True:
        with runtime.db.write() as connection:
            rows = upkeep.sealed_by_other_keys(connection, runtime.vault.kid, BATCH, last)
            for last in rows:
                account_id, side = last
                account = accounts.read(connection, account_id)
                secret = accounts.stored_secret(connection, runtime.vault, account, side)  # type: ignore[arg-type]
                if secret:
                    accounts.seal_secret(connection, runtime.vault, account, side, secret)  # type: ignore[arg-type]
                    count += 1
        if len(rows) < BATCH:
            return count
