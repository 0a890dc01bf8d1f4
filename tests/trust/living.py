"""Faults that meet the running mailroom at a step of one of its workers, and how soon mail flows after them.

A step is a statement to a database or bytes over TLS; steps of one kind say the same of the same table. From
a worker's first of a kind on the fault is everywhere in the process, for some seconds; then it is gone, and
somebody uses a watch.
"""

import re
import resource
import signal
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soinbox_web.model.message import MessageKey
from soinbox_web.services import sending, sync
from soinbox_web.store import actions, folders, messages
from soinbox_web.store.database import Database
from soinbox_web.workers import mailroom
from tests.trust.faults import Verdict
from tests.trust.scene import letter
from tests.trust.sending_scene import ADDRESS, Scene, customer

LASTS = 3.0  # seconds
GOAL = 60.0
PATIENCE = 2 * GOAL
PRECIOUS = "of the precious database"
WORKERS = ("mailroom", "outbox", "janitor", "heartbeat", "accounts")  # "mailroom": the lives of accounts


@dataclass(frozen=True)
class Kind:
    """`hits(statement, precious)` says what a statement meets while it is on; `line`: bytes meet it too."""

    name: str
    hits: Callable[[str, bool], BaseException | None] = lambda *_: None
    line: Callable[[], BaseException | None] = lambda: None
    files: bool = False  # no file can be opened

    def meets(self, step: str) -> bool:
        """Whether a step of this kind would notice at once."""
        if step.startswith("bytes"):
            return self.files or self.line() is not None
        return self.files or self.hits(step, step.endswith(PRECIOUS)) is not None


WRITES = ("INSERT", "UPDATE", "DELETE", "COMMIT", "REPLACE")


def _full(statement: str, _: bool) -> BaseException | None:
    return sqlite3.OperationalError("database or disk is full") if statement.startswith(WRITES) else None


def _locked(of_precious: bool) -> Callable[[str, bool], BaseException | None]:
    def hits(statement: str, precious: bool) -> BaseException | None:
        if statement.startswith("BEGIN IMMEDIATE") and precious is of_precious:
            return sqlite3.OperationalError("database is locked")
        return None

    return hits


KINDS = (
    Kind("disk full", _full),
    Kind("precious database locked", _locked(True)),
    Kind("mailbox file locked", _locked(False)),
    Kind("I/O error", lambda *_: sqlite3.OperationalError("disk I/O error")),
    Kind("out of memory", lambda *_: MemoryError(), MemoryError),
    Kind("lost connection", line=lambda: ConnectionResetError(104, "Connection reset by peer")),
    Kind("too many open files", files=True),
)


def step_of(statement: str, precious: bool) -> str:
    """Its kind: what is done to which table of which file."""
    table = _TABLE.search(statement)
    named = f"{statement.split(None, 1)[0]} {table[1]}" if table else " ".join(statement.split()[:2])
    return f"{named} {PRECIOUS if precious else 'of the mailbox file'}"


_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+(\w+)", re.IGNORECASE)


class Injection:
    """Notes the kinds of steps of each worker; the fault begins at the first step `at` of `worker`."""

    def __init__(
        self, kind: Kind | None = None, worker: str = "", at: str = "", lasts: float = LASTS
    ) -> None:
        self.kind = kind
        self.steps: dict[str, dict[str, None]] = {each: {} for each in WORKERS}  # in the order they came
        self.begun = threading.Event()
        self.ended = threading.Event()
        self._worker, self._at, self._lasts = worker, at, lasts
        self._guard = threading.Lock()

    def statement(self, statement: str, precious: bool) -> None:
        self._step(step_of(statement, precious))
        if self.on and self.kind and (error := self.kind.hits(statement, precious)):
            raise error

    def line(self, of: str) -> None:
        self._step(of)
        if self.on and self.kind and (error := self.kind.line()):
            raise error

    @property
    def on(self) -> bool:
        return self.begun.is_set() and not self.ended.is_set()

    def _step(self, step: str) -> None:
        name = threading.current_thread().name
        worker = next((each for each in WORKERS if name.startswith(each)), "")
        if worker:
            self.steps[worker].setdefault(step)
        if worker == self._worker and step == self._at:
            with self._guard:
                if not self.begun.is_set():
                    self.begin()

    def begin(self) -> None:
        allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        if self.kind and self.kind.files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) - 1, most))

        def end() -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
            self.ended.set()

        timer = threading.Timer(self._lasts, end)
        timer.start()
        self.begun.set()


class _Connection:
    """A connection whose statements are steps."""

    def __init__(self, connection: sqlite3.Connection, injection: Injection, precious: bool) -> None:
        self._connection, self._injection, self._precious = connection, injection, precious

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        self._injection.statement(statement.lstrip(), self._precious)
        return self._connection.execute(statement, *values)

    def executemany(self, statement: str, *values: Any) -> sqlite3.Cursor:
        self._injection.statement(statement.lstrip(), self._precious)
        return self._connection.executemany(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def faulty(injection: Injection) -> type[Database]:
    class Faulty(Database):
        def _connect(self) -> sqlite3.Connection:
            precious = self.path.parent.name != "mailboxes"
            return _Connection(super()._connect(), injection, precious)  # type: ignore[return-value]

    return Faulty


@contextmanager
def on_the_line(injection: Injection) -> Iterator[None]:
    """What goes over TLS is steps, while the block runs."""

    class Socket(ssl.SSLSocket):
        def recv(self, *arguments: Any) -> bytes:
            injection.line("bytes that come")
            return super().recv(*arguments)

        def sendall(self, data: Any, flags: int = 0) -> None:
            injection.line("bytes that go")
            super().sendall(data, flags)

    ssl.SSLContext.sslsocket_class = Socket
    try:
        yield
    finally:
        ssl.SSLContext.sslsocket_class = ssl.SSLSocket


class Running:
    """The mailroom of a scene in threads of this process, and what somebody sees of it."""

    def __init__(self, scene: Scene, injection: Injection) -> None:
        self.scene, self.injection = scene, injection
        scene.restore("first")
        for place in ("new", "cur"):
            for each in (scene.server.maildir(ADDRESS, "INBOX") / place).glob("*"):
                each.unlink()
        scene.server.deliver(ADDRESS, letter(1))
        self.watching = scene.runtime()
        self._plant()
        sync.sync_once(self.watching, scene.account_id)
        self.work(2)
        self.flag()
        self.runtime = scene.runtime()
        self.runtime._database = faulty(injection)
        self.runtime.db = self.runtime._database(self.runtime.settings.database_path)
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=mailroom.run, args=(self.runtime, self._stop), name="accounts", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(30)
        self.runtime.close()
        self.watching.close()

    def work(self, number: int) -> None:
        """A mail arrives, one is sent, one is flagged."""
        self.scene.server.deliver(ADDRESS, letter(number))
        draft = self.scene.written(self.watching, number)
        sending.queue(self.watching, self.scene.user_id, draft)
        with self.watching.db.write() as connection:
            connection.execute("UPDATE outbox SET not_before = created_at WHERE state = 'held'")

    def flag(self) -> None:
        account = self.scene.account_id
        found = self.first()
        with self.watching.db.write() as connection:
            actions.add(
                connection, self.scene.user_id, "flag",
                MessageKey(account, "INBOX", found["uidvalidity"], found["uid"]),
                self.watching.clock.now(), arguments={"add": ["\\Flagged"], "remove": []},
            )  # fmt: skip

    def first(self) -> Any:
        with self.watching.mailbox(self.scene.account_id, 1).read() as connection:
            inbox = folders.by_name(connection, "INBOX")
            assert inbox is not None
            row = messages.page(connection, inbox.id)[0]
            return {"uid": row["uid"], "uidvalidity": inbox.uidvalidity}

    def has(self, number: int) -> bool:
        with self.watching.mailbox(self.scene.account_id, 1).read() as connection:
            inbox = folders.by_name(connection, "INBOX")
            rows = messages.page(connection, inbox.id) if inbox else []
            return any(row["subject"] == f"Bericht {number}" for row in rows)

    def sent(self, number: int) -> int:
        every = [each for message in self.scene.smtp.messages for each in message.recipients]
        return every.count(customer(number))

    def tidied(self) -> bool:
        with self.watching.db.read() as connection:
            return not connection.execute("SELECT 1 FROM detection_cache WHERE domain = 'old'").fetchone()

    def lacking(self, *numbers: int) -> list[str]:
        """What of it is not so."""
        found = [f"mail {n} did not arrive" for n in numbers if not self.has(n)]
        found += [f"mail {n} was not sent" for n in numbers if not self.sent(n)]
        return found + ([] if self.tidied() else ["nothing is tidied"])

    def _plant(self) -> None:
        """Something for the janitor."""
        with self.watching.db.write() as connection:
            connection.execute(
                "INSERT INTO detection_cache (source, domain, stored_at) VALUES ('ispdb', 'old', '2020')"
            )

    def flows(self, *numbers: int) -> bool:
        """These mails have arrived and were sent, the server knows all that was done, old things are gone."""
        with self.watching.db.read() as connection:
            open_ = connection.execute("SELECT 1 FROM actions WHERE state IN ('open', 'claimed')").fetchone()
        done = all(self.has(number) and self.sent(number) for number in numbers)
        return done and open_ is None and self.tidied()


def steps(scene: Scene) -> dict[str, list[str]]:
    """The kinds of steps of each worker until all that waits is done, without a fault."""
    with running(scene, Injection()) as run:
        if not _wait(lambda: run.flows(2) and all(run.injection.steps.values()), PATIENCE):
            raise RuntimeError("without a fault it is not done")
        return {worker: list(found) for worker, found in run.injection.steps.items()}


def met(scene: Scene, kind: Kind, worker: str, at: str, lasts: float = LASTS) -> Verdict:
    """One run; its `seconds` are those from the end of the fault until mail flows again."""
    injection = Injection(kind, worker, at, lasts)
    verdict = Verdict(f"{kind.name} at {at}, {worker}", kind.name)
    with running(scene, injection) as run:
        if not injection.begun.wait(20.0):
            verdict.name += " (which did not come: begun without it)"  # another worker came first this time
            injection.begin()
        injection.ended.wait()
        _measure(run, verdict)
    return verdict


def really_locked(scene: Scene, lasts: float = 70.0) -> Verdict:
    """Another connection holds the precious database for much longer than anybody waits."""

    @contextmanager
    def lock() -> Iterator[None]:
        other = sqlite3.connect(scene.settings.database_path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
        other.close()

    return _really(scene, f"precious database locked for {lasts:.0f} s", lock(), lasts)


def really_full(scene: Scene, lasts: float = 20.0) -> Verdict:
    """No file of this process can grow any more, as on a full disk (RLIMIT_FSIZE)."""

    @contextmanager
    def full() -> Iterator[None]:
        allowed, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, most))
        yield
        resource.setrlimit(resource.RLIMIT_FSIZE, (allowed, most))
        signal.signal(signal.SIGXFSZ, before)

    return _really(scene, f"disk full for {lasts:.0f} s", full(), lasts)


def _really(scene: Scene, name: str, fault: AbstractContextManager[None], lasts: float) -> Verdict:
    """The fault meets a mailroom at rest; mail arrives while it lasts, and the server ends before it does."""
    verdict = Verdict(name, "real faults")
    with running(scene, Injection()) as run:
        if not _wait(lambda: run.flows(2), PATIENCE):
            raise RuntimeError("without a fault it is not done")
        with fault:
            scene.server.deliver(ADDRESS, letter(4))
            time.sleep(lasts / 2)
            scene.server.kill()
            time.sleep(lasts / 2)
        scene.server.start()
        _measure(run, verdict)
        if not _wait(lambda: run.has(4), PATIENCE):
            verdict.wrong.append("what came during the fault did not arrive")
    return verdict


def _measure(run: Running, verdict: Verdict) -> None:
    began = time.monotonic()
    run.work(3)
    run.flag()
    if not _wait(lambda: run.flows(2, 3), PATIENCE):
        verdict.wrong += run.lacking(2, 3)
    verdict.seconds = time.monotonic() - began
    if verdict.seconds > GOAL:
        verdict.wrong.append(f"mail flows after {verdict.seconds:.0f} s only")
    verdict.wrong += [f"mail {n} was sent twice" for n in (2, 3) if run.sent(n) > 1]


@contextmanager
def running(scene: Scene, injection: Injection) -> Iterator[Running]:
    run = Running(scene, injection)
    with on_the_line(injection):
        run.start()
        try:
            yield run
        finally:
            run.close()


def _wait(holds: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
