"""One SQLite file: a connection per thread, consistent reads, short immediate writes."""

import sqlite3
import threading
import time
import weakref
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

    def connection(self) -> sqlite3.Connection:
        """This thread's connection, opened at its first use."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = self._connect()
        if self._synchronous == "NORMAL":
            _thread.use(self)
        return found

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A consistent snapshot; StoreError when the file is damaged or cannot be read."""
        connection = self.connection()
        if _is_open(connection):
            yield connection
            return
        with _translated(self.path):
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
        with _translated(self.path):
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
        with _translated(self.path):
            self.connection().execute("PRAGMA wal_checkpoint(PASSIVE)")

    def data_version(self) -> int:
        """Changes when another connection has committed (PRAGMA data_version, some microseconds)."""
        with _translated(self.path):
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
        with _translated(self.path):
            connection = sqlite3.connect(
                self.path,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            )
            connection.row_factory = sqlite3.Row
            if connection.execute("PRAGMA auto_vacuum").fetchone()[0] != _INCREMENTAL:
                connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # takes the write lock, even unchanged
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={self._synchronous}")
            if self._synchronous == "NORMAL":
                connection.execute(f"PRAGMA wal_autocheckpoint={_MUCH}")
                connection.execute(f"PRAGMA cache_size=-{_CACHE}")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA trusted_schema=OFF")
            return connection


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


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """SQLite's errors as problems (the edge of this room)."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "locked" in text or "busy" in text:
            raise StoreError(Problem("database_locked", evidence=text)) from error
        if "full" in text or "disk I/O" in text:
            raise StoreError(Problem("disk_full", evidence=text)) from error
        if "unable to open" in text:  # no right, or too many open files: nothing is wrong with this one
            facts = {"path": str(path.parent)}
            raise StoreError(Problem("instance_unusable", evidence=text, facts=facts)) from error
        if "malformed" in text:
            raise StoreError(Problem("database_damaged", evidence=text, facts={"path": path.name})) from error
        raise
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise
        raise StoreError(
            Problem("database_damaged", evidence=str(error), facts={"path": path.name})
        ) from error
