"""Time that passes, and what of it threads and children waited for a processor, as the kernel counts it."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Passed:
    """`seconds` by the clock; `waited` for a processor; `worked`: CPU of the children."""

    seconds: float
    waited: float
    worked: float

    @property
    def judged(self) -> float:
        return self.seconds - min(self.waited, self.seconds)


class Clock:
    """Threads of this process by their kernel's number, children by theirs; from one lap to the next.

    Waits of several that fall together are counted once for each, so what is judged by them is bounded from
    below by CPU (see T3). A child is watched to its end: what it did is read some hundred times a second.
    """

    def __init__(self, threads: Sequence[int], children: Sequence[int] = ()) -> None:
        self._files = [Path(f"/proc/self/task/{each}/schedstat") for each in threads]
        self._children = [Path(f"/proc/{each}/schedstat") for each in children]
        self._seen: dict[Path, tuple[float, float]] = {}
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._go_on, daemon=True)
        self._note()
        self._last, self._before = time.perf_counter(), dict(self._seen)
        if children:
            self._watch.start()

    def _go_on(self) -> None:
        while not self._ended.wait(0.01):
            self._note(self._children)

    def _note(self, files: Sequence[Path] | None = None) -> None:
        for file in [*self._files, *self._children] if files is None else files:
            try:
                ran, waited, _ = file.read_text().split()
            except (OSError, ValueError):
                continue  # it has ended
            if file not in self._seen or int(ran) / 1e9 >= self._seen[file][0]:
                self._seen[file] = int(ran) / 1e9, int(waited) / 1e9

    def lap(self) -> Passed:
        """Since the last one. Of children the first lap is the only one."""
        if self._children:
            self._ended.set()
            self._watch.join()
        self._note()
        now = time.perf_counter()
        before, self._before, seconds = self._before, dict(self._seen), now - self._last
        self._last = now
        changes = {
            name: (at[0] - before[name][0], at[1] - before[name][1]) for name, at in self._seen.items()
        }
        waited = sum(change[1] for change in changes.values())
        worked = sum(changes[name][0] for name in self._children if name in changes)
        return Passed(seconds, waited, worked)
