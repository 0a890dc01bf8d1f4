"""A running step of set-up: threads of its own, stages written as they happen, Cancel heard at any time."""

import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

from soinbox_web.fair import FairPool, Full
from soinbox_web.mail.net.network import Cancelled
from soinbox_web.model.setup_attempt import SetupAttempt, Step
from soinbox_web.model.stage import Stage
from soinbox_web.problems import Problem, SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.store import setup_attempts
from soinbox_web.store.detection_cache import DetectionCache

log = logging.getLogger(__name__)

_JOBS = FairPool(12, "setup")
_SCRIBE = FairPool(1, "setup-scribe")  # its clients are attempts
LOOK_EVERY = 0.2  # seconds between two looks whether the person has cancelled


class Work:
    """What discovery and sign-in report to, from whichever thread they use.

    One scribe thread does the writing, so that short-lived threads open no database connection. What finds no
    room with it, while the database is slow, is left out: a stage on the page, a look.
    """

    def __init__(self, runtime: Runtime, attempt: SetupAttempt) -> None:
        self.runtime = runtime
        self.attempt = attempt
        self._gone = threading.Event()
        self._looked = runtime.clock.monotonic()
        self._asked: set[Future[Any]] = set()  # of the scribe

    def progress(self, stage: Stage) -> None:
        """Write a stage that began or ended."""
        self._ask(self._note, stage, self.runtime.clock.now())

    def cancelled(self) -> bool:
        """The person has cancelled; known within some tenths of a second."""
        now = self.runtime.clock.monotonic()
        if now - self._looked >= LOOK_EVERY:
            self._looked = now
            self._ask(self._look)
        return self._gone.is_set()

    def flush(self) -> None:
        """Wait until what was reported is written."""
        wait(set(self._asked))

    def finish(self, **values: Any) -> None:
        """Leave the running step, unless the person has left it already."""
        self.flush()
        with self.runtime.db.write() as connection:
            if setup_attempts.step_of(connection, self.attempt.token) == self.attempt.step:
                setup_attempts.update(
                    connection, self.attempt.token, self.runtime.clock.now(), claimed_at=None, **values
                )

    def _ask(self, write: Callable[..., None], *given: Any) -> None:
        with contextlib.suppress(Full):
            asked = _SCRIBE.submit(self.attempt.token, write, *given)
            self._asked.add(asked)
            asked.add_done_callback(self._asked.discard)

    def _note(self, stage: Stage, at: Any) -> None:
        with self.runtime.db.write() as connection:
            setup_attempts.note_stage(connection, self.attempt.token, stage, at)

    def _look(self) -> None:
        with self.runtime.db.read() as connection:
            if setup_attempts.step_of(connection, self.attempt.token) != self.attempt.step:
                self._gone.set()


class ScribeCache:
    """The detection cache for threads that come and go: the scribe asks and writes for them."""

    def __init__(self, runtime: Runtime) -> None:
        self._cache = DetectionCache(runtime.db, runtime.clock)

    def get(self, source: str, domain: str) -> tuple[bool, str | None]:
        try:
            found: tuple[bool, str | None] = _SCRIBE.submit(domain, self._cache.get, source, domain).result()
        except Full:
            return False, None
        return found

    def put(self, source: str, domain: str, answer: str | None) -> None:
        with contextlib.suppress(Full):
            _SCRIBE.submit(domain, self._cache.put, source, domain, answer)


def begin(
    runtime: Runtime, attempt: SetupAttempt, job: Callable[[Work], None], *, again: Step = "advanced"
) -> "Future[None]":
    """Run `job` on a thread of the pool; whatever it raises becomes the attempt's problem.

    So does a pool in which too many wait already: the person tries again from the step `again`.
    """
    work = Work(runtime, attempt)
    try:
        return _JOBS.submit(attempt.user_id, _run, work, job)
    except Full:
        work.finish(step=again, problems=(Problem("setup_busy", side="app"),))
        nothing: Future[None] = Future()
        nothing.set_result(None)
        return nothing


def _run(work: Work, job: Callable[[Work], None]) -> None:
    try:
        job(work)
    except Cancelled:
        pass
    except SoinboxError as error:
        work.finish(step="advanced", problems=(error.problem,))
    except Exception as error:  # shown as a problem: a job has nobody else to tell
        log.exception("set-up failed unexpectedly")
        work.finish(step="advanced", problems=(Problem("unexpected", facts={"kind": type(error).__name__}),))
