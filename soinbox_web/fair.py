"""Threads that many clients share: none has more than its part, and none waits behind another's queue."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from soinbox_web.threads import Threads

MOST_WAITING = 100  # jobs of one client that have no thread yet
MOST_WAITING_IN_ALL = 2_000


class Full(Exception):
    """So much is waiting already that this job is not taken."""


@dataclass(eq=False, slots=True)
class _Job:
    shares: dict[Hashable, int]
    call: Callable[[], Any]
    future: "Future[Any]" = field(default_factory=Future)

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self.call())
        except BaseException as error:
            self.future.set_exception(error)


class FairPool:
    """`submit` runs jobs on threads (of `pool`); clients that wait get theirs in turn."""

    def __init__(
        self, threads: int, name: str, *, waiting: int = MOST_WAITING, pool: Threads | None = None
    ) -> None:
        self.threads = threads
        self._waiting = waiting
        self._pool = pool or Threads(threads, thread_name_prefix=name)
        self._guard = threading.Lock()
        self._lent = 0
        self._running: Counter[Hashable] = Counter()  # threads of each client and group
        self._queues: dict[Hashable, deque[_Job]] = {}  # the client whose turn it is comes first

    @property
    def half(self) -> int:
        """The most threads that one client may have."""
        return max(1, self.threads // 2)

    def submit(
        self,
        client: Hashable,
        run: Callable[..., Any],
        *given: Any,
        shares: Mapping[Hashable, int] | None = None,
    ) -> "Future[Any]":
        """Run a job of `client` soon; Full when too many wait.

        `shares` are further groups that the job belongs to, with the threads that each may have at once.
        """
        self._pool.catch_up()
        job = _Job({client: self.half, **(shares or {})}, partial(run, *given))
        with self._guard:
            queue = self._queues.setdefault(client, deque())
            if len(queue) >= self._waiting:
                self._forget_cancelled(client)
            if len(queue) >= self._waiting or sum(map(len, self._queues.values())) >= MOST_WAITING_IN_ALL:
                raise Full
            queue.append(job)
            self._start()
        return job.future

    def _start(self) -> None:
        """Lend what threads are free, one to each client in turn."""
        while self._lent < self.threads and (job := self._next()) is not None:
            self._lent += 1
            self._running.update(job.shares.keys())
            self._pool.submit(self._run, job)

    def _next(self) -> "_Job | None":
        for client in list(self._queues):
            queue = self._queues.pop(client)
            job = next((each for each in queue if self._may_run(each)), None)
            if job is not None:
                queue.remove(job)
            if queue:
                self._queues[client] = queue  # behind the others
            if job is not None:
                return job
        return None

    def _may_run(self, job: "_Job") -> bool:
        return all(self._running[group] < most for group, most in job.shares.items())

    def _forget_cancelled(self, client: Hashable) -> None:
        queue = self._queues[client]
        left = [job for job in queue if not job.future.cancelled()]
        queue.clear()
        queue.extend(left)

    def _run(self, job: "_Job") -> None:
        try:
            job.run()
        finally:
            with self._guard:
                self._lent -= 1
                self._running.subtract(job.shares.keys())
                self._running = +self._running
                self._start()
