"""The long-lived things, built once a process: settings, clock, precious database, vault, mailbox files."""

import errno
import resource
import shutil
import stat
import threading
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from soinbox_web import memory
from soinbox_web.clock import Clock, SystemClock
from soinbox_web.problems import Problem, StoreError
from soinbox_web.settings import Settings
from soinbox_web.store import instance_lock, locks, mailbox_schema
from soinbox_web.store.account_secrets import AccountSecrets, TokenMemory
from soinbox_web.store.database import Database
from soinbox_web.store.migrations import migrate
from soinbox_web.store.vault import Vault

FILES = 65_536  # open at once, where the system lets us: each thread opens each mailbox that it reads


@dataclass
class Runtime:
    """What every service is handed as its first argument."""

    settings: Settings
    clock: Clock
    db: Database
    vault: Vault
    lock: FileIO
    _database: type[Database] = Database
    _tokens: TokenMemory = field(default_factory=TokenMemory)
    _mailboxes: dict[tuple[int, int], Database] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @property
    def secrets(self) -> AccountSecrets:
        """What accounts sign in with."""
        return AccountSecrets(self.db, self.vault, self._tokens, self.clock)

    def mailbox_path(self, account_id: int, generation: int) -> Path:
        return self.settings.instance / "mailboxes" / f"{account_id}-{generation}.sqlite"

    def mailbox(self, account_id: int, generation: int) -> Database:
        """The rebuildable file of one account; made when it is not there. Only the mailroom writes it.

        StoreError database_damaged, disk_full or instance_unusable.
        """
        with self._guard:
            found = self._mailboxes.get((account_id, generation))
            if found is None:
                self._let_go_of_replaced(account_id, generation)
                path = self.mailbox_path(account_id, generation)
                _make_file(path)
                found = self._mailboxes[account_id, generation] = self._database(path, synchronous="NORMAL")
                with found.write() as connection:
                    mailbox_schema.create(connection)
            return found

    def _let_go_of_replaced(self, account_id: int, generation: int) -> None:
        """Files that another process has deleted take their place on the disk while they are open here."""
        for key, database in list(self._mailboxes.items()):
            older = key[0] == account_id and key[1] < generation
            if older or not database.path.exists():
                del self._mailboxes[key]  # its connections end with their last user

    def forget_mailbox(self, account_id: int, generation: int) -> None:
        """Close and delete a mailbox file (account removed, file damaged, generation changed)."""
        with self._guard:
            found = self._mailboxes.pop((account_id, generation), None)
        if found is not None:
            found.close()
        path = self.mailbox_path(account_id, generation)
        for each in (path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")):
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each)
            else:
                each.unlink(missing_ok=True)

    def release(self, account_id: int | None = None) -> None:
        """A thread that ends gives its connections back: the precious file's and those of one account."""
        self.db.close()
        with self._guard:
            found = [database for key, database in self._mailboxes.items() if key[0] == account_id]
        for database in found:
            database.close()

    def close(self) -> None:
        """Close every database, and let go of the instance."""
        for database in [self.db, *self._mailboxes.values()]:
            database.close()
        self.lock.close()


def build(
    settings: Settings,
    clock: Clock | None = None,
    *,
    database: type[Database] = Database,
    lock: FileIO | None = None,
) -> Runtime:
    """Open (or make) the instance: folders 0700, files 0600, schema migrated, key ring read.

    It is in use until the runtime is closed; `lock`: it is held already. StoreError says what stands in the
    way: instance_unusable, instance_restoring, database_lost, database_damaged, schema_newer, key_missing.
    """
    memory.give_back()
    clock = clock or SystemClock()
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
    if resource.RLIM_INFINITY != allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    _make_folders(settings)
    lock = lock or instance_lock.share(settings.instance)
    try:
        assert_not_lost(settings)
        db = database(settings.database_path)
        migrate(db, clock.now())
        runtime = Runtime(settings, clock, db, Vault.open(settings.key_ring_path), lock, database)
        instance_lock.mark_made(lock)
    except BaseException as error:
        lock.close()
        if isinstance(error, OSError):
            raise _unusable(settings.instance, error) from error
        raise
    return runtime


def _make_file(path: Path) -> None:
    """Where nothing is; what else is in its place cannot be one of our files."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            facts = {"path": path.name}
            raise StoreError(Problem("database_damaged", evidence="not a file", facts=facts))
    except FileNotFoundError:
        try:
            path.touch(0o600)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StoreError(Problem("disk_full", evidence=error.strerror or "")) from error
            raise _unusable(path.parent, error) from error
    except OSError as error:
        raise _unusable(path.parent, error) from error


def _make_folders(settings: Settings) -> None:
    try:
        for folder in (settings.instance, settings.instance / "mailboxes"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(settings.instance, error) from error


def assert_not_lost(settings: Settings) -> None:
    """Make the precious file in a folder where nothing was; StoreError database_lost where it is missing."""
    path = settings.database_path
    try:
        if path.exists() and (path.is_dir() or path.stat().st_size):
            return
        left = instance_lock.was_made(settings.instance) or any((settings.instance / "mailboxes").iterdir())
        if left:
            raise StoreError(Problem("database_lost", facts={"path": str(path)}))
        path.touch(0o600)
    except OSError as error:
        raise _unusable(settings.instance, error) from error


def _unusable(folder: Path, error: OSError) -> StoreError:
    """Named is what the system refused, else the folder it was to be in."""
    return locks.unusable(Path(error.filename or folder), error)
