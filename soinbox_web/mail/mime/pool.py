"""The reading children of one process: begun when needed, used again, shared fairly, replaced when dead."""

import atexit
import os
import threading
from collections import Counter, OrderedDict
from hashlib import sha256
from time import monotonic
from typing import Any

from soinbox_web.mail.mime.child import Broken, Child, Slow, Told

CHILDREN = 4
HALF = CHILDREN // 2  # that one user or account may hold
SECONDS = 1.75  # of CPU; what asking and telling take comes on top, and 2 s are the bound
WAIT = 10.0  # for a free child
REMEMBERED = 1_000  # failures
KEPT = 32_000  # bytes of what came before a failure


class Busy(Exception):
    """No child was free in time; another time it may be read."""


class Pool:
    """Asked from any thread."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.free = threading.Condition()
        self.idle: list[Child] = []
        self.held = Counter[str]()
        self.ended = Counter[int | None]()  # by the exit code of the child
        self.failed: OrderedDict[bytes, Broken] = OrderedDict()

    def ask(
        self, job: str, raw: bytes, given: Any = None, *, who: str = "", seconds: float | None = None
    ) -> Told:
        """The answer to a job, for `who` waits with others. Raises Broken (and remembers it) or Busy."""
        digest = sha256(raw)
        digest.update(repr((job, given)).encode())
        known = digest.digest()
        with self.free:
            if known in self.failed:
                before = self.failed[known]
                raise Broken(before.code, before.told)
        child = self._take(who)
        try:
            child = child if child is not None and child.alive else self._begin(child)
            return child.ask(job, raw, given, SECONDS if seconds is None else seconds)
        except BaseException as error:
            if child is not None:
                child.close()
                child = None
            if isinstance(error, Broken) and not isinstance(error, Slow):
                self._remember(known, error)
            raise
        finally:
            self._give_back(child, who)

    @staticmethod
    def _begin(dead: Child | None) -> Child:
        if dead is not None:
            dead.close()
        try:
            return Child()
        except (OSError, Broken) as error:
            raise Busy from error

    def _take(self, who: str) -> Child | None:
        """A place, and the child that is idle there if there is one."""
        end = monotonic() + WAIT
        with self.free:
            while self.held.total() >= CHILDREN or self.held[who] >= HALF:
                if not self.free.wait(end - monotonic()):
                    raise Busy
            self.held[who] += 1
            return self.idle.pop() if self.idle else None

    def _give_back(self, child: Child | None, who: str) -> None:
        with self.free:
            self.held[who] -= 1
            if not self.held[who]:
                del self.held[who]
            if child is not None:
                self.idle.append(child)
            self.free.notify_all()

    def _remember(self, known: bytes, error: Broken) -> None:
        told = error.told if error.told.size <= KEPT else None
        with self.free:
            self.ended[error.code] += 1
            self.failed[known] = Broken(error.code, told)
            if len(self.failed) > REMEMBERED:
                self.failed.popitem(last=False)

    def close(self) -> None:
        """End the children that are idle; one at work ends with its job, when its input does."""
        if self.owner != os.getpid():
            return
        with self.free:
            idle, self.idle = self.idle, []
        for child in idle:
            child.close()


_lock = threading.Lock()
_current: Pool | None = None


def pool() -> Pool:
    """The pool of this process: a forked child never shares its parent's."""
    global _current
    with _lock:
        if _current is None or _current.owner != os.getpid():
            _current = Pool()
            atexit.register(_current.close)
        return _current


def _begin_anew() -> None:
    """After a fork a lock may be held by a thread that is not here."""
    global _lock, _current
    _lock, _current = threading.Lock(), None


os.register_at_fork(after_in_child=_begin_anew)
