"""A bell that one thread rings and another waits for, alone or together with a socket."""

import os
import select
import threading
from typing import Protocol


class Readable(Protocol):
    """Anything poll can wait for."""

    def fileno(self) -> int: ...


class Wakeup:
    """`ring` wakes whoever is in `wait`, now or at its next call."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._rung = threading.Event()
        self._guard = threading.Lock()

    def ring(self) -> None:
        with self._guard:
            if not self._rung.is_set() and self._write >= 0:
                self._rung.set()
                os.write(self._write, b".")

    @property
    def rung(self) -> bool:
        return self._rung.is_set()

    def wait(self, seconds: float, also: Readable | None = None) -> tuple[bool, bool]:
        """(rung, the other is readable) as soon as one is true, or (False, False) after `seconds`."""
        poll = select.poll()
        poll.register(self._read, select.POLLIN)
        if also is not None:
            poll.register(also.fileno(), select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll(max(0.0, seconds) * 1000)}
        rung = self._read in ready
        if rung:
            with self._guard:
                os.read(self._read, 16)
                self._rung.clear()
        return rung, bool(ready - {self._read})

    def close(self) -> None:
        with self._guard:
            os.close(self._read)
            os.close(self._write)
            self._write = -1
