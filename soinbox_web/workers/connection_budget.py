"""How many connections the mailroom opens: one for each account, and few more to a host for errands."""

import threading
from collections import Counter

OF_HOST = 20  # errands at once at one host, whatever the number of its accounts


class Budget:
    """Counts the connections for errands by host; from any thread."""

    def __init__(self, of_host: int = OF_HOST) -> None:
        self._of_host = of_host
        self._open: Counter[str] = Counter()
        self._guard = threading.Lock()

    def take(self, host: str) -> bool:
        """False when the host has as many as it may have."""
        with self._guard:
            if self._open[host] >= self._of_host:
                return False
            self._open[host] += 1
            return True

    def give(self, host: str) -> None:
        with self._guard:
            self._open[host] -= 1
