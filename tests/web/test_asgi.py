"""The bridge between uvicorn and Flask: whole answers in order, and no further ahead than the reader."""

import asyncio
import contextlib
import socket
import time
import urllib.request
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from soinbox_web.asgi import AHEAD, Bridge
from tests.servers.soinbox import Soinbox

SCOPE = {
    "type": "http", "method": "GET", "path": "/", "raw_path": b"/", "root_path": "", "query_string": b"",
    "headers": [], "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 80), "client": None,
}  # fmt: skip


def ask(
    app: Any,
    headers: Sequence[tuple[bytes, bytes]] = (),
    body: Sequence[bytes] = (b"",),
    *,
    leaves: bool = False,
) -> list[dict[str, Any]]:
    """Every message of one answer; who `leaves` does so after what is there of the body."""
    heard: list[dict[str, Any]] = []
    left = list(body)

    async def receive() -> dict[str, Any]:
        if not left:
            return {"type": "http.disconnect"}
        piece = left.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(left) or leaves}

    async def send(message: dict[str, Any]) -> None:
        heard.append(message)

    async def exchange() -> None:
        await Bridge(app, workers=2)({**SCOPE, "headers": headers}, receive, send)

    _run(exchange())
    return heard


def _run(exchange: Coroutine[Any, Any, None]) -> None:
    """In a thread of its own: this one may have a loop already (Playwright's)."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, exchange).result()


@pytest.mark.parametrize("pieces", [0, 1, 2, 3, 50])
def test_an_answer_is_whole_and_in_order(pieces: int) -> None:
    content = [b"%d " % number for number in range(pieces)]

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return content

    start, *bodies = ask(app)
    assert (start["type"], start["status"]) == ("http.response.start", 200)
    assert b"".join(body["body"] for body in bodies) == b"".join(content)
    assert [body.get("more_body", False) for body in bodies] == [True] * pieces + [False]


def test_a_slow_reader_holds_a_long_answer_up() -> None:
    made, taken, furthest = 0, 0, 0

    def pieces() -> Iterator[bytes]:
        nonlocal made, furthest
        for _ in range(60):
            made += 1
            furthest = max(furthest, made - taken)
            yield b"x"

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return pieces()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal taken
        await asyncio.sleep(0.005)
        taken += len(message.get("body", b""))

    async def exchange() -> None:
        await Bridge(app, workers=2)(SCOPE, receive, send)

    _run(exchange())
    assert taken == made == 60
    assert furthest < 20


def test_whoever_sends_slowly_holds_nobody_up(product: Callable[..., Soinbox]) -> None:
    served = product("web")
    with contextlib.ExitStack() as slow:
        for length in [1_000] * 60 + [1_000_000] * 60:  # more than there are threads
            line = slow.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            line.sendall(
                b"POST /first-administrator HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: %d\r\n"
                b"Content-Type: application/x-www-form-urlencoded\r\n\r\ncode=" % (served.port, length)
            )
        time.sleep(0.5)
        with urllib.request.urlopen(f"{served.url}/sign-in", timeout=5) as page:
            assert page.status == 200


@pytest.mark.parametrize("size", [1, AHEAD, AHEAD + 1])
def test_a_body_in_pieces_comes_whole(size: int) -> None:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [environ["wsgi.input"].read(size)]

    sent = bytes(number % 251 for number in range(size))
    pieces = [sent[start : start + 40_000] for start in range(0, size, 40_000)]
    headers = [(b"content-length", b"%d" % size)]
    _, *bodies = ask(app, headers, pieces)
    assert b"".join(body["body"] for body in bodies) == sent


def test_whoever_leaves_before_the_body_ends_is_not_answered() -> None:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        raise AssertionError("half a body is none")

    assert ask(app, [(b"content-length", b"9")], [b"half"], leaves=True) == []


def test_a_fault_of_the_application_is_not_swallowed() -> None:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        ask(app)
