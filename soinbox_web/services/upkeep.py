"""Keeping an instance well: backup, restore, check, migrate, key rotation."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from soinbox_web.clock import SystemClock
from soinbox_web.problems import Problem, StoreError
from soinbox_web.runtime import Runtime, assert_not_lost
from soinbox_web.settings import Settings
from soinbox_web.store import accounts, instance_lock, upkeep
from soinbox_web.store import backup as copies
from soinbox_web.store.database import Database
from soinbox_web.store.migrations import migrate as run_migrations
from soinbox_web.store.vault import Vault, rotate_ring

BATCH = 100


def backup(runtime: Runtime, file: Path) -> None:
    """A checked copy of the precious database; it never holds the key ring."""
    copies.copy(runtime.db, file)


def restore(settings: Settings, file: Path) -> dict[str, int]:
    """Put a backup in place of the database; what was set back, as counts.

    Unsent mail becomes *uncertain*, open server actions are cancelled, sessions end, mailbox files are thrown
    away, accounts whose key is missing need their password again (trust.md section 5): all before it is put
    in place, so that none of it is undone by an end in between. StoreError database_damaged when the file is
    not an intact backup, schema_newer, instance_running while anything of soinbox runs.
    """
    _assert_backup(file)
    settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    with instance_lock.alone(settings.instance) as lock:
        fresh, report = _settled_copy(settings, file)
        shutil.rmtree(settings.instance / "mailboxes", ignore_errors=True)
        _replace(settings.database_path, fresh)
        instance_lock.mark_made(lock)
    return report


def _assert_backup(file: Path) -> None:
    checked = Database(file)
    try:
        found = copies.check(checked.connection())
        if found == "ok" and not upkeep.is_precious(checked.connection()):
            found = "not a backup of soinbox"
    finally:
        checked.close()
    if found != "ok":
        raise StoreError(Problem("database_damaged", evidence=found, facts={"path": file.name}))


def _settled_copy(settings: Settings, file: Path) -> tuple[Path, dict[str, int]]:
    """A copy of `file` beside the database, of this version, with all set back; and its counts."""
    fresh = settings.database_path.with_suffix(".restoring")
    for path in _with_log(fresh):  # of a restore that was cut short
        path.unlink(missing_ok=True)
    shutil.copyfile(file, fresh)
    fresh.chmod(0o600)
    database = Database(fresh)
    try:
        run_migrations(database, SystemClock().now())
        report = _settle(database, Vault.open(settings.key_ring_path))
        copies.close_log(database)
    finally:
        database.close()
    return fresh, report


def _replace(current: Path, fresh: Path) -> None:
    """`fresh` becomes the precious file, whole or not at all; the one before stays beside it."""
    for path in _with_log(current):
        if path.exists():
            path.replace(path.with_name(path.name.replace(current.stem, f"{current.stem}.before-restore", 1)))
    fresh.replace(current)


def _with_log(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]


def _settle(database: Database, vault: Vault) -> dict[str, int]:
    now = SystemClock().now()
    with database.write() as connection:
        report = upkeep.settle_after_restore(connection, now)
        keyless = upkeep.secrets_without_key(connection, vault.kids)
        for account_id, side in keyless:
            accounts.record_attempt(connection, account_id, side, now, Problem("key_missing", side=side))  # type: ignore[arg-type]
    return {**report, "accounts_without_key": len({account_id for account_id, _ in keyless})}


def check(settings: Settings) -> dict[str, Any]:
    """contract.md's `check`: every database file, whether it is intact, and whether the key ring opens it.

    `running` names what ought to run and does not, while anything of the product runs: one that is stopped,
    in whatever way, is no unsound instance.
    StoreError instance_restoring while a restore runs.
    """
    runs = instance_lock.in_use(settings.instance)
    with _kept(settings):
        return _checked(settings, runs=runs)


@contextmanager
def _kept(settings: Settings) -> Iterator[None]:
    """Nothing is replaced meanwhile: who closes a file last deletes the log beside its name, a new one's too.

    Where even that cannot be had there is the more to check.
    """
    with ExitStack() as held:
        try:
            held.enter_context(instance_lock.share(settings.instance))
        except StoreError as error:
            if error.problem.code == "instance_restoring":
                raise
        yield


def _checked(settings: Settings, *, runs: bool) -> dict[str, Any]:
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
    down = _down(settings) if files[0]["ok"] and runs else {}
    running = [{"name": name, "ok": False, "detail": detail} for name, detail in down.items()]
    return {"ok": all(file["ok"] for file in files) and not down, "files": files, "running": running}


def _down(settings: Settings) -> dict[str, str]:
    """What ought to run on this instance and does not."""
    database = Database(settings.database_path)
    try:
        with database.read() as connection:
            return upkeep.down(connection, SystemClock().now())
    except StoreError as error:
        return {database.path.name: error.problem.code}
    finally:
        database.close()


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
    with instance_lock.share(settings.instance):
        assert_not_lost(settings)
        database = Database(settings.database_path)
        try:
            return run_migrations(database, SystemClock().now())
        finally:
            database.close()


def take_in_key_ring(runtime: Runtime) -> int:
    """Accounts that had lost the key of their passwords, and have it again, are tried again; how many."""
    with runtime.db.write() as connection:
        lost = {account_id for account_id, _ in upkeep.secrets_without_key(connection, runtime.vault.kids)}
        back = [account for account in accounts.all(connection) if account.id not in lost]
        found = 0
        for account in back:
            for side, status in (("imap", account.imap_status), ("smtp", account.smtp_status)):
                if status.problem is not None and status.problem.code == "key_missing":
                    well = replace(status, problem=None, next_retry_at=None, consecutive_failures=0)
                    accounts.set_status(connection, account.id, side, well)  # type: ignore[arg-type]
                    found += 1
    return found


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
