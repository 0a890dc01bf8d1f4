"""The watcher: one thread a process that polls every watched file's change number and wakes listeners."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from sqlite3 import Connection, Row

from soinbox_web.problems import SoinboxError, StoreError
from soinbox_web.runtime import Runtime
from soinbox_web.store import accounts, changes
from soinbox_web.store.database import Database, keep_all_open

POLL = 0.025  # seconds; a poll costs some microseconds
PAUSE = 1.0  # seconds after a fault that nobody thought of
PRECIOUS = (0, 0)
log = logging.getLogger(__name__)

File = tuple[int, int]  # account and generation; (0, 0) is the precious file
Vector = dict[File, int]

ALL_EVENTS = ("account-changed", "folder-changed", "message-changed", "outbox-changed", "setup-changed")
_EVENTS = {
    "account": ("account-changed", "folder-changed"),
    "action": ("folder-changed",),
    "outbox": ("outbox-changed",),
    "request": ("message-changed",),
    "status": ("account-changed", "folder-changed"),
    "setup": ("setup-changed",),
    "setup_attempt": ("setup-changed",),
    "body": ("message-changed", "folder-changed"),
    "draft": ("outbox-changed",),
}


class Listener:
    """One stream: whose it is, the events not sent yet, and how far it has heard."""

    def __init__(self, user_id: int, ring: Callable[[], object]) -> None:
        self.user_id = user_id
        self.accounts: dict[int, int] = {}
        self.heard: Vector = {}
        self._ring = ring
        self._names: set[str] = set()
        self._lock = threading.Lock()

    @property
    def vector(self) -> str:
        """`account.generation.change` of every file it hears, the precious one first."""
        return write_vector(self.heard)

    @property
    def waiting(self) -> bool:
        return bool(self._names)

    def hear(self, names: Iterable[str], file: File, number: int) -> None:
        """Note events and how far this file is; wakes the stream when there is something to send."""
        with self._lock:
            self._names.update(names)
            self.heard[file] = number
            wake = bool(self._names)
        if wake:
            self._ring()

    def take(self) -> tuple[list[str], str]:
        """The events to send now, and the vector that is true after them."""
        with self._lock:
            names, self._names = sorted(self._names), set()
            return names, write_vector(self.heard)


class Watcher:
    """Started at the first listener, in the process that serves it (after the fork)."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._listeners: set[Listener] = set()
        self._versions: dict[File, int] = {}
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def join(self, listener: Listener, since: str) -> None:
        """Tell the listener what happened after the vector `since`, then go on telling."""
        known = read_vector(since)
        with self._lock:
            listener.accounts = accounts_of(self._runtime, listener.user_id)
            for file in _files(listener):
                with _or_rebuilt(file):
                    self._catch_up(listener, file, known.get(file))
            if self._thread is None and not self._stop.is_set():
                thread = threading.Thread(target=self._run, name="watcher", daemon=True)
                thread.start()  # where no thread can begin now, the next listener tries again
                self._thread = thread
            self._listeners.add(listener)

    def leave(self, listener: Listener) -> None:
        with self._lock:
            self._listeners.discard(listener)

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        keep_all_open()
        while not self._stop.wait(POLL):
            with self._lock:
                watched = {file for listener in self._listeners for file in _files(listener)}
            for file in watched:
                try:
                    self._look(file)
                except SoinboxError:
                    continue  # a file that is being replaced; the next round sees the new one
                except Exception as error:  # whatever it is, the streams of all others go on
                    log.error("watcher: %s", type(error).__name__, exc_info=error)
                    self._stop.wait(PAUSE)

    def _look(self, file: File) -> None:
        version = _database(self._runtime, file).data_version()
        if self._versions.get(file) == version:
            return
        self._versions[file] = version
        with self._lock:
            for listener in [each for each in self._listeners if file in _files(each)]:
                self._catch_up(listener, file, listener.heard.get(file))

    def _catch_up(self, listener: Listener, file: File, known: int | None) -> None:
        with _database(self._runtime, file).read() as connection:
            latest = changes.latest(connection)
            names = _names(connection, listener, file, known, latest)
        listener.hear(names, file, latest)
        if file == PRECIOUS and "account-changed" in names:
            listener.accounts = accounts_of(self._runtime, listener.user_id)
            for fresh in [each for each in _files(listener) if each not in listener.heard]:
                with _or_rebuilt(fresh):
                    self._catch_up(listener, fresh, None)


def current_vector(runtime: Runtime, user_id: int) -> str:
    """How far everything is that this user's pages show; taken before a page is drawn."""
    files = [PRECIOUS, *accounts_of(runtime, user_id).items()]
    vector: Vector = {}
    for file in files:
        with _or_rebuilt(file), _database(runtime, file).read() as connection:
            vector[file] = changes.latest(connection)
    return write_vector(vector)


@contextmanager
def _or_rebuilt(file: File) -> Iterator[None]:
    """A mailbox file that cannot be read is left out; all of it is told when another takes its place."""
    try:
        yield
    except StoreError:
        if file == PRECIOUS:
            raise


def accounts_of(runtime: Runtime, user_id: int) -> dict[int, int]:
    """The generation of each of a user's accounts."""
    with runtime.db.read() as connection:
        return {account.id: account.generation for account in accounts.of_user(connection, user_id)}


def write_vector(vector: Vector) -> str:
    return "-".join(f"{a}.{g}.{n}" for (a, g), n in sorted(vector.items()))


def read_vector(text: str) -> Vector:
    """The vector that `write_vector` wrote; what cannot be read is left out, so all of it is told."""
    found: Vector = {}
    for entry in text.split("-")[:200]:
        parts = entry.split(".")
        if len(parts) == 3 and all(p.isascii() and p.isdigit() and len(p) < 19 for p in parts):
            found[int(parts[0]), int(parts[1])] = int(parts[2])
    return found


def _files(listener: Listener) -> list[File]:
    return [PRECIOUS, *listener.accounts.items()]


def _database(runtime: Runtime, file: File) -> Database:
    return runtime.db if file == PRECIOUS else runtime.mailbox(*file)


def _names(
    connection: Connection, listener: Listener, file: File, known: int | None, latest: int
) -> set[str]:
    if known is None or known > latest or (known < latest and known + 1 < changes.oldest(connection)):
        return set(ALL_EVENTS)
    names: set[str] = set()
    for row in changes.since(connection, known) if known < latest else ():
        if file != PRECIOUS or _concerns(row, listener):
            names.update(_EVENTS.get(row["topic"], ("folder-changed",)))
    return names


def _concerns(row: Row, listener: Listener) -> bool:
    if row["user_id"] is not None:
        return bool(row["user_id"] == listener.user_id)
    return row["account_id"] in listener.accounts
