"""The watch: whatever works in the mailroom is begun again when it ends by an error, later each time."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from soinbox_web.clock import Clock
from soinbox_web.model import backoff
from soinbox_web.store.fallen import Fallen
from soinbox_web.workers.account_state import AccountState
from soinbox_web.workers.scheduler import Life, Wait

LASTING = 60.0  # seconds; what has lasted so long is well, and its next end is a first one again

log = logging.getLogger("soinbox.mailroom")


class Falls:
    """How often in a row something ended by an error."""

    __slots__ = ("_again", "_begun", "_clock", "count", "part")

    def __init__(self, clock: Clock, name: str) -> None:
        self._clock = clock
        self._begun = clock.monotonic()
        self._again: datetime | None = None
        self.part = name
        self.count = 0

    @property
    def lasts(self) -> bool:
        return self._clock.monotonic() - self._begun >= LASTING

    def begin(self) -> None:
        self._begun = self._clock.monotonic()

    def fell(self, error: BaseException) -> float:
        """Seconds until it is to begin again."""
        self.count = 1 if self.lasts else self.count + 1
        log.error("%s ended: %s", self.part, type(error).__name__, exc_info=error)
        seconds = backoff.begin_again(self.count)
        self._again = self._clock.now() + timedelta(seconds=seconds)
        self.begin()
        return seconds

    def told(self) -> Fallen | None:
        """What is to be said of it while it does not last."""
        return None if self._again is None or self.lasts else Fallen(self.part, self.count, self._again)


class Watch:
    """The workers of one mailroom, each in a thread of its own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._every: list[Falls] = []

    def begin(self, name: str, work: Callable[[], None], stop: threading.Event) -> threading.Thread:
        thread = threading.Thread(target=self.keep, args=(name, work, stop), name=name, daemon=True)
        thread.start()
        return thread

    def keep(self, name: str, work: Callable[[], None], stop: threading.Event) -> None:
        """Let a worker work in this thread until `stop` is set."""
        falls = Falls(self._clock, name)
        self._every.append(falls)
        while not stop.is_set():
            falls.begin()
            try:
                work()
            except Exception as error:
                stop.wait(falls.fell(error))

    def fallen(self) -> list[Fallen]:
        """The workers that have ended by an error lately."""
        return [told for each in self._every if (told := each.told())]


def living(post: AccountState, name: str, begin: Callable[[], Life]) -> Life:
    """One of a post's lives, begun again until it ends by itself; its bell begins it at once."""
    falls = Falls(post.runtime.clock, f"{name} of account {post.account_id}")
    while True:
        falls.begin()
        try:
            yield from begin()
            return
        except Exception as error:
            seconds = falls.fell(error)
        post.fell()
        if post.stopped:
            return
        yield Wait(seconds)
