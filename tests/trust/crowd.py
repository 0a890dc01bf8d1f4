"""One attacker's browser, in a process of its own: so many requests at once, again and again.

It is as fast as somebody who holds a key down, and no faster: that ordinary requests without a pause fill
two cores is no news about bombs. What such a browser costs with ordinary mail is measured beside the bombs.
"""

import http.client
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from threading import Lock
from types import TracebackType
from typing import Self

AT_ONCE = 4  # requests of one browser
PAUSE = 0.2  # seconds between an answer and the next request in its place
PATIENCE = 10.0  # seconds until it gives up and asks for the next


@dataclass(frozen=True, slots=True)
class Asked:
    """One answer; status 0 is none within PATIENCE."""

    path: str
    status: int
    seconds: float


class Crowd:
    """The process; `ask` begins at once and is over `seconds` later, or when the last answer has come."""

    def __init__(self, port: int, cookie: str) -> None:
        self._port, self._cookie = port, cookie
        self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))

    def __enter__(self) -> Self:
        self._pool.submit(time.monotonic).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def ask(self, paths: Sequence[str], seconds: float) -> "Future[list[Asked]]":
        return self._pool.submit(_ask_all, self._port, self._cookie, tuple(paths), seconds)


def _ask_all(port: int, cookie: str, paths: tuple[str, ...], seconds: float) -> list[Asked]:
    end, following, lock, found = time.monotonic() + seconds, cycle(paths), Lock(), list[Asked]()

    def go_on() -> None:
        while time.monotonic() < end:
            with lock:
                path = next(following)
            found.append(_ask(port, cookie, path))
            time.sleep(PAUSE)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for each in [threads.submit(go_on) for _ in range(AT_ONCE)]:
            each.result()
    return found


def _ask(port: int, cookie: str, path: str) -> Asked:
    began, status = time.monotonic(), 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={"Cookie": cookie, "Sec-Fetch-Dest": "iframe"})
        answer = connection.getresponse()
        answer.read()
        status = answer.status
    except (OSError, http.client.HTTPException):
        pass
    finally:
        connection.close()
    return Asked(path, status, time.monotonic() - began)
