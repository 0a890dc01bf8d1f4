"""What the running product costs: memory and work of its processes, and the time of pages."""

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from tests.servers.soinbox import Soinbox


class Watch:
    """Looks at the product's processes twice a second."""

    def __init__(self, product: Soinbox) -> None:
        self._product = product
        self.curve: list[
            tuple[float, float, float, float]
        ] = []  # second; MB of web, mailroom, their children
        self.deaths = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        over = threading.Event()
        thread = threading.Thread(target=self._look, args=(over,), daemon=True)
        thread.start()
        yield
        over.set()
        thread.join()

    def _look(self, over: threading.Event) -> None:
        began, known = time.monotonic(), set[int]()
        while not over.wait(0.5):
            web, room, children, workers = 0.0, 0.0, 0.0, set[int]()
            for process in psutil.Process(self._product.pid).children():
                try:
                    words = process.cmdline()
                    below = process.children(recursive=True)
                    if "web" in words:
                        own = [
                            each
                            for each in process.children()
                            if "resource_tracker" not in str(each.cmdline())
                        ]
                        workers = {each.pid for each in own}
                        web = max((_mb(each) for each in own), default=0.0)
                        below = [each for each in below if each.pid not in workers]
                    else:
                        room = _mb(process)
                    children = max([children, *map(_mb, below)])
                except psutil.Error:
                    continue
            self.deaths += len(known - workers)
            known = workers
            self.curve.append((round(time.monotonic() - began, 1), web, room, children))


def worked(product: Soinbox) -> float:
    """Seconds of processor time that its processes have used."""
    total = 0.0
    for process in psutil.Process(product.pid).children(recursive=True):
        try:
            used = process.cpu_times()
        except psutil.Error:
            continue
        total += used.user + used.system
    return total


def _mb(process: psutil.Process) -> float:
    return round(process.memory_info().rss / 1e6, 1)


def p95(times: list[float]) -> float:
    """Of all pages that a steady reader would have asked for: one that takes long keeps others waiting.

    Who asks again only after an answer sees one slow page where ten readers see ten; so for each page that
    took longer than usual those are counted that would have been asked for meanwhile.
    """
    usual = max(statistics.median(times), 1.0)
    every = sorted(each - usual * n for each in times for n in range(int(each / usual) or 1))
    return round(every[len(every) * 95 // 100], 1)
