"""A browser that only fetches, and the pages that every mail client in the comparison must answer."""

import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from itertools import cycle
from typing import Protocol
from urllib.parse import urlencode

import httptools

from bench.measures import median_ms

CLIENTS = 8
PARALLEL_SECONDS = 4.0
PAGE = 50  # rows
WORDS = ("offerte", "factuur", "klant", "hotel")  # each in about a tenth of the subjects


class _Answer:
    """What httptools tells of one answer."""

    def __init__(self) -> None:
        self.body: list[bytes] = []
        self.headers: list[tuple[str, str]] = []
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        self.body.append(body)

    def on_message_complete(self) -> None:
        self.complete = True


class Browser:
    """One kept connection with its cookies; any status but the expected one is an error.

    Lean on purpose: it shares the cores with the servers that it measures.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.location = ""  # of the last answer
        self._cookies: dict[str, str] = {}
        self._line: socket.socket | None = None

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> bytes:
        return self._ask("GET", path, headers or {}, b"", (200,))

    def post(
        self,
        path: str,
        form: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        expected: tuple[int, ...] = (200,),
    ) -> bytes:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, {**kind, **(headers or {})}, urlencode(form).encode(), expected)

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, expected: tuple[int, ...]
    ) -> bytes:
        given = {"Host": f"127.0.0.1:{self.port}", **headers}
        if self._cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        if method == "POST":
            given["Content-Length"] = str(len(body))
            given["Origin"] = f"http://127.0.0.1:{self.port}"
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        status, answer = self._exchange(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        self.location = ""
        for name, value in answer.headers:
            if name == "set-cookie":
                self._keep(value)
            elif name == "location":
                self.location = value
            elif name == "connection" and value.lower() == "close":
                self.close()
        content = b"".join(answer.body)
        if status not in expected:
            raise RuntimeError(f"{method} {path} was answered {status}: {content[:600]!r}")
        return content

    def _exchange(self, request: bytes) -> tuple[int, _Answer]:
        """Send and read; a kept connection that the server has closed meanwhile is opened again, once."""
        kept = self._line is not None
        try:
            return self._read(request)
        except ConnectionError:
            self.close()
            if not kept:
                raise
            return self._read(request)

    def _read(self, request: bytes) -> tuple[int, _Answer]:
        if self._line is None:
            self._line = socket.create_connection(("127.0.0.1", self.port), timeout=120)
            self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._line.sendall(request)
        answer = _Answer()
        parser = httptools.HttpResponseParser(answer)
        while not answer.complete:
            chunk = self._line.recv(262_144)
            if not chunk:
                raise ConnectionError("closed in the middle of an answer")
            parser.feed_data(chunk)
        return parser.get_status_code(), answer

    def _keep(self, header: str) -> None:
        name, _, value = header.partition(";")[0].strip().partition("=")
        if value and value != "-del-":
            self._cookies[name] = value
        else:
            self._cookies.pop(name, None)


class Reader(Protocol):
    """Somebody signed in to a mail client; each page is checked and raises when it is not whole."""

    def list_rows(self) -> list[str]:
        """The newest 50 rows; the names by which their messages are shown."""

    def search(self, word: str) -> None:
        """The first 50 messages that have this word."""

    def show(self, name: str) -> None:
        """One message with its text."""

    def close(self) -> None:
        """End the connection."""


def need_rows(found: int, wanted: int, page: bytes) -> None:
    """RuntimeError when a page has not exactly its rows."""
    if found != wanted:
        raise RuntimeError(f"{found} rows instead of {wanted}: {page[:600]!r}")


def first(pattern: str, page: bytes) -> str:
    """What the group of the pattern holds; RuntimeError when the page has no such thing."""
    found = re.search(pattern, page.decode("utf-8", "replace"))
    if found is None:
        raise RuntimeError(f"no {pattern} in {page[:600]!r}")
    return found[1]


def measure(sign_in: Callable[[], Reader], times: int) -> dict[str, float]:
    """p50 in ms of each page by one reader, then list requests a second of eight at once.

    Lists and searches were asked for before they count. Messages are shown that this person has not opened
    yet, each once, and then the same ones again; at most a page of them.
    """
    reader = sign_in()
    try:
        for _ in range(3):
            *names, warm = reader.list_rows()
            reader.show(warm)
        for word in WORDS:
            reader.search(word)
        names = names[:times]
        words, shown = cycle(WORDS), cycle(names)
        return {
            "list": median_ms(times, reader.list_rows),
            "search": median_ms(times, lambda: reader.search(next(words))),
            "show": median_ms(len(names), lambda: reader.show(next(shown))),
            "show again": median_ms(len(names), lambda: reader.show(next(shown))),
            "throughput": together(sign_in),
        }
    finally:
        reader.close()


def together(sign_in: Callable[[], Reader]) -> float:
    """List requests a second of eight readers, each signed in by itself and on a line of its own."""
    readers = [sign_in() for _ in range(CLIENTS)]
    for reader in readers:
        reader.list_rows()
    answered, failures = [0] * CLIENTS, []
    start = threading.Barrier(CLIENTS + 1)

    def work(place: int) -> None:
        start.wait()
        end = time.perf_counter() + PARALLEL_SECONDS
        try:
            while time.perf_counter() < end:
                readers[place].list_rows()
                answered[place] += 1
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(place,), daemon=True) for place in range(CLIENTS)]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - began
    for reader in readers:
        reader.close()
    if failures:
        raise failures[0]
    return sum(answered) / taken
