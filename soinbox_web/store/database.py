"""One SQLite file: a connection per thread, consistent reads, short immediate writes."""

import json
import sqlite3
import threading
import time
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from soinbox_web.problems import Problem, StoreError

BUSY_SECONDS = 5.0
_INCREMENTAL = 2  # PRAGMA auto_vacuum
_CACHE = 4_000  # kB; with SQLite's 2,000 a search for two words in a million messages took twice as long
_KEPT_OPEN = 16  # rebuildable files of one thread; each has handles, and up to 4 MB of pages
_MUCH = 4_000  # pages of the log of a file whose writers make checkpoints themselves


class Database:
    """A SQLite file in WAL mode; `read()` is one snapshot, `write()` is BEGIN IMMEDIATE to COMMIT.

    `synchronous` is FULL for precious files and NORMAL for rebuildable ones. Connections belong to their
    thread; nested calls on one thread join the open transaction. `longest_write` is in seconds (tests assert
    that no write stays open over a network call).
    """

    def __init__(self, path: Path, *, synchronous: Literal["FULL", "NORMAL"] = "FULL") -> None:
        self.path = path
        self.longest_write = 0.0
        self._synchronous = synchronous
        self._local = threading.local()

    @property
    def rebuildable(self) -> bool:
        """A copy of what a server holds."""
        return self._synchronous == "NORMAL"

    def connection(self) -> sqlite3.Connection:
        """This thread's connection, opened at its first use."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = self._connect()
        if self.rebuildable:
            _thread.use(self)
        return found

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A consistent snapshot; StoreError when the file is damaged or cannot be read."""
        connection = self.connection()
        if _is_open(connection):
            yield connection
            return
        with _translated(self):
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                self._end(connection, "COMMIT")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction that is committed at the end and rolled back on any error; <= 50 ms, no network."""
        connection = self.connection()
        if _is_open(connection):
            if not getattr(self._local, "writing", False):
                raise RuntimeError("a read cannot be widened to a write")
            yield connection
            return
        with _translated(self):
            connection.execute("BEGIN IMMEDIATE")
            self._local.writing = True
            started = time.monotonic()
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                self._local.writing = False
                self.longest_write = max(self.longest_write, time.monotonic() - started)
                self._end(connection, "ROLLBACK")

    def _end(self, connection: sqlite3.Connection, statement: str) -> None:
        """End what is open; a connection that cannot is given up: it would see nothing new any more."""
        if _is_open(connection):
            try:
                connection.execute(statement)
            finally:
                if _is_open(connection):
                    self.close()

    def checkpoint(self) -> None:
        """Bring what was written into the file itself (a passive checkpoint): nobody waits for it.

        For who writes much: within a COMMIT, where SQLite does it unasked, it made the longest writes.
        """
        with _translated(self):
            self.connection().execute("PRAGMA wal_checkpoint(PASSIVE)")

    def data_version(self) -> int:
        """Changes when another connection has committed (PRAGMA data_version, some microseconds)."""
        with _translated(self):
            return int(self.connection().execute("PRAGMA data_version").fetchone()[0])

    def rest(self) -> bool:
        """Close this thread's connection unless it is at work."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is not None and _is_open(found):
            return False
        self.close()
        return True

    def close(self) -> None:
        """Close this thread's connection; another thread's ends with its last user, never under its feet."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is not None:
            self._local.connection = None
            found.close()

    def _connect(self) -> sqlite3.Connection:
        with _translated(self):
            connection = sqlite3.connect(
                self.path,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        if connection.execute("PRAGMA auto_vacuum").fetchone()[0] != _INCREMENTAL:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # takes the write lock, even unchanged
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={self._synchronous}")
        if self.rebuildable:
            connection.execute(f"PRAGMA wal_autocheckpoint={_MUCH}")
            connection.execute(f"PRAGMA cache_size=-{_CACHE}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA trusted_schema=OFF")


class _Thread(threading.local):
    """The rebuildable files that a thread has open, the one it used last at the end."""

    def __init__(self) -> None:
        self.keeps_all = False
        self._used: dict[int, weakref.ref[Database]] = {}

    def use(self, database: Database) -> None:
        fresh = self._used.pop(id(database), None) is None
        self._used[id(database)] = weakref.ref(database)
        if fresh and not self.keeps_all:
            for number, found in list(self._used.items())[:-_KEPT_OPEN]:
                other = found()
                if other is None or other.rest():
                    del self._used[number]


_thread = _Thread()


def keep_all_open() -> None:
    """For a thread that looks at many files in turn, again and again."""
    _thread.keeps_all = True


def _is_open(connection: sqlite3.Connection) -> bool:
    return connection.in_transaction


_BUSY, _LOCKED, _IO, _FULL = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
)
_NO_RIGHT = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SENSELESS = ("no such ", "malformed", "unsupported file format", "vtable constructor", "Could not decode")
_UNREADABLE = (UnicodeDecodeError, json.JSONDecodeError, zlib.error)  # a schema, a list, a body


@contextmanager
def _translated(database: Database) -> Iterator[None]:
    """SQLite's errors as problems (the edge of this room)."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError):
        raise  # a fault of ours
    except (sqlite3.Error, *_UNREADABLE) as error:
        problem = _problem(database, error)
        if problem is None:
            raise
        raise StoreError(problem) from error


def _is_displaced(path: Path) -> bool:
    """A folder is in the place of the file, or of what SQLite keeps beside it."""
    return any(path.with_name(path.name + suffix).is_dir() for suffix in ("", "-wal", "-shm"))


def _problem(database: Database, error: Exception) -> Problem | None:
    """What an error means for this file; None when it is a fault of ours.

    What makes no sense in a file that can be fetched again is damage: its schema and its values are ours. In
    the precious one only what SQLite itself calls so.
    """
    code = getattr(error, "sqlite_errorcode", 0) or 0
    primary, path, text = code & 0xFF, database.path, str(error)
    if primary in (_BUSY, _LOCKED):
        return Problem("database_locked", evidence=text)
    if primary == _FULL or (primary == _IO and code != sqlite3.SQLITE_IOERR_SHORT_READ):
        return Problem("disk_full", evidence=text)
    if primary in _NO_RIGHT and not _is_displaced(path):  # or too many open files: it may be sound
        return Problem("instance_unusable", evidence=text, facts={"path": str(path.parent)})
    damaged = code == sqlite3.SQLITE_IOERR_SHORT_READ or primary in (*_DAMAGED, *_NO_RIGHT)
    senseless = isinstance(error, _UNREADABLE) or text.startswith(_SENSELESS)
    if damaged or (database.rebuildable and senseless):
        return Problem("database_damaged", evidence=text[:200], facts={"path": path.name})
    return None
