"""Threads that are lent for work, on a machine that may refuse to begin one."""

import logging
from concurrent.futures import ThreadPoolExecutor

log = logging.getLogger("soinbox.threads")


class Threads(ThreadPoolExecutor):
    """A pool whose work is kept when no thread can begin: one that is there takes it, or a later one."""

    def __init__(self, most: int, thread_name_prefix: str) -> None:
        super().__init__(most, thread_name_prefix)
        self._short = False

    def _adjust_thread_count(self) -> None:
        """Called when work is in the queue already."""
        try:
            super()._adjust_thread_count()
            self._short = False
        except (RuntimeError, MemoryError, OSError) as error:  # too many threads, or no room for their stacks
            log.warning("no further thread: %s", type(error).__name__)
            self._short = True

    def catch_up(self) -> None:
        """Try again to begin the thread that could not begin; to be called now and then."""
        if self._short and not self._shutdown:
            self.submit(_nothing)


def _nothing() -> None:
    pass
