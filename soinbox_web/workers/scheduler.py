"""The loop: here every account waits for its line, its bell or a time; a thread is lent for work only.

A *life* is a generator: it runs in some thread of the pool until it yields a `Wait`, and goes on, perhaps in
another thread, when what it waits for has come. So a thousand quiet accounts cost no thread.
"""

import contextlib
import heapq
import itertools
import logging
import os
import select
import threading
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Protocol

from soinbox_web.clock import Clock
from soinbox_web.threads import Threads

THREADS = 32
OF_ONE_SERVER = 12  # jobs at once: one that hangs must not take every thread

Lane = str | int
"""A server's name, or a user's number."""

log = logging.getLogger("soinbox.mailroom")


class Line(Protocol):
    """Anything that becomes readable; `waiting` when something was read already and poll cannot see it."""

    def fileno(self) -> int: ...

    @property
    def waiting(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Wait:
    """`seconds` at most, or until the bell rings or `line` can be read."""

    seconds: float
    line: Line | None = None


@dataclass(frozen=True, slots=True)
class Woken:
    """Why a life goes on; both False when its time was over."""

    rung: bool = False
    readable: bool = False


Life = Generator[Wait, Woken, None]


@dataclass(eq=False, slots=True)
class Bell:
    """`ring` wakes the life that it belongs to, now or at its next wait; from any thread."""

    loop: "Scheduler"
    lanes: tuple[Lane, ...]
    life: Life | None = None
    after: Callable[[], None] = lambda: None  # what a thread does when a piece of work is over
    rung: bool = False
    waiting: Wait | None = None
    begun: bool = False
    descriptor: int = -1  # of the line that is watched for it
    turn: int = 0  # of the wait, so that an old deadline is told from a new one
    over: bool = False  # the life has ended

    def ring(self) -> None:
        self.rung = True
        self.loop.wake(self)


class Scheduler:
    """`run` in a thread of its own; everything else may be called from anywhere."""

    def __init__(self, clock: Clock, threads: int = THREADS, of_one_server: int = OF_ONE_SERVER) -> None:
        self._clock = clock
        self._of_one_server, self._of_one_user = of_one_server, max(1, threads // 2)
        self._pool = Threads(threads, thread_name_prefix="mailroom")
        self._guard = threading.Lock()
        self._told: deque[Bell] = deque()  # parked or rung since the loop looked
        self._news: deque[Bell] = deque()  # the same, taken over by its thread
        self._lanes: dict[Lane, int] = {}  # jobs that run
        self._queued: dict[Lane, deque[tuple[Bell, Woken]]] = {}  # by the lane that was full
        self._poll = select.epoll()
        self._lines: dict[int, Bell] = {}
        self._deadlines: list[tuple[float, int, int, Bell]] = []
        self._order = itertools.count()
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._poll.register(self._read, select.EPOLLIN)
        self._closed = False

    def bell(self, server: str, user: int | None = None) -> Bell:
        """A bell for a life to come; those at one server, or of one user, share a part of the threads."""
        return Bell(self, (server,) if user is None else (server, user))

    def begin(self, bell: Bell, life: Life, after: Callable[[], None]) -> None:
        """Let a life run; `after` is called in its thread whenever it waits again or has ended."""
        bell.life, bell.after = life, after
        self._go_on(bell, Woken())

    def wake(self, bell: Bell) -> None:
        """Look at this bell soon."""
        with self._guard:
            if self._closed:
                return
            self._told.append(bell)
            if len(self._told) == 1:
                os.write(self._write, b".")

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; after an error it may be called again, and goes on where it stood."""
        while not stop.is_set():
            self._pool.catch_up()
            for descriptor, _ in self._poll.poll(self._until_next()):
                if descriptor == self._read:
                    self._hear()
                elif (bell := self._lines.get(descriptor)) is not None:
                    self._resume(bell, Woken(readable=True))
            self._look_at_news()
            self._meet_deadlines()

    def close(self) -> None:
        """After `run` has ended: no life goes on any more."""
        with self._guard:
            self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._poll.close()
        os.close(self._read)
        os.close(self._write)

    # In the thread of the loop.

    def _until_next(self) -> float:
        if not self._deadlines:
            return 1.0
        return min(1.0, max(0.0, self._deadlines[0][0] - self._clock.monotonic()))

    def _hear(self) -> None:
        with self._guard:
            self._news.extend(self._told)
            self._told.clear()
            os.read(self._read, 16)

    def _look_at_news(self) -> None:
        while self._news:
            self._look(self._news[0])
            self._news.popleft()  # not before: an error in between loses no life

    def _look(self, bell: Bell) -> None:
        if bell.waiting is None:
            return  # at work: its next wait finds the bell rung
        if bell.rung:
            self._resume(bell, Woken(rung=True))
            return
        line = bell.waiting.line
        try:
            watched = line is None or (not line.waiting and self._watch(bell, line))
        except Exception:  # closed meanwhile, or whatever it is: its life finds out
            watched = False
        if watched:
            self._park(bell, bell.waiting)
        else:
            self._resume(bell, Woken(readable=True))

    def _watch(self, bell: Bell, line: Line) -> bool:
        if bell.descriptor < 0:
            descriptor = line.fileno()
            self._poll.register(descriptor, select.EPOLLIN | select.EPOLLRDHUP)
            self._lines[descriptor], bell.descriptor = bell, descriptor
        return True

    def _park(self, bell: Bell, wait: Wait) -> None:
        bell.turn += 1
        end = self._clock.monotonic() + max(0.0, wait.seconds)
        heapq.heappush(self._deadlines, (end, next(self._order), bell.turn, bell))

    def _meet_deadlines(self) -> None:
        now = self._clock.monotonic()
        while self._deadlines and self._deadlines[0][0] <= now:
            _, _, turn, bell = self._deadlines[0]
            if bell.turn == turn and bell.waiting is not None:
                self._resume(bell, Woken())
            heapq.heappop(self._deadlines)

    def _resume(self, bell: Bell, woken: Woken) -> None:
        if bell.descriptor >= 0:
            del self._lines[bell.descriptor]
            with contextlib.suppress(OSError, ValueError):  # closed meanwhile: epoll has forgotten it
                self._poll.unregister(bell.descriptor)
            bell.descriptor = -1
        bell.waiting = None
        bell.turn += 1
        if woken.rung:
            bell.rung = False
        self._go_on(bell, woken)

    # Threads.

    def _go_on(self, bell: Bell, woken: Woken) -> None:
        with self._guard:
            if self._closed:
                return
            self._lend(bell, woken)

    def _lend(self, bell: Bell, woken: Woken) -> None:
        """A thread, or a place in the queue of a lane that is full."""
        for lane in bell.lanes:
            if self._is_full(lane):
                self._queued.setdefault(lane, deque()).append((bell, woken))
                return
        for lane in bell.lanes:
            self._lanes[lane] = self._lanes.get(lane, 0) + 1
        self._pool.submit(self._work, bell, woken)

    def _is_full(self, lane: Lane) -> bool:
        most = self._of_one_server if isinstance(lane, str) else self._of_one_user
        return self._lanes.get(lane, 0) >= most

    def _work(self, bell: Bell, woken: Woken) -> None:
        """One piece of a life, in a thread of the pool; what goes wrong after it does not end it."""
        assert bell.life is not None
        wait: Wait | None = None
        try:
            try:
                wait = bell.life.send(woken) if bell.begun else next(bell.life)
                bell.begun = True
            finally:
                bell.after()
        except StopIteration:
            pass
        except BaseException:  # nothing of a life may end the thread that it was lent
            log.exception("a piece of a life ended")
        finally:
            self._give_way(bell)
        if wait is None:
            bell.over = True
            return
        bell.waiting = wait
        self.wake(bell)

    def _give_way(self, bell: Bell) -> None:
        """The next of each of its lanes takes this one's place, or waits in another lane that is full."""
        with self._guard:
            for lane in bell.lanes:
                self._lanes[lane] -= 1
                if not self._lanes[lane]:
                    del self._lanes[lane]
            for lane in bell.lanes:
                queue = self._queued.get(lane, deque())
                while queue and not self._closed and not self._is_full(lane):
                    self._lend(*queue.popleft())
                if not queue or self._closed:
                    self._queued.pop(lane, None)
