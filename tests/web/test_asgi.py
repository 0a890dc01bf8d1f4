"""The bridge between uvicorn and Flask: whole answers in order, and no further ahead than the reader."""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from soinbox_web.asgi import Bridge

SCOPE = {
    "type": "http", "method": "GET", "path": "/", "raw_path": b"/", "root_path": "", "query_string": b"",
    "headers": [], "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 80), "client": None,
}  # fmt: skip


def ask(app: Any) -> list[dict[str, Any]]:
    """Every message of one answer."""
    heard: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        heard.append(message)

    async def exchange() -> None:
        await Bridge(app, workers=2)(SCOPE, receive, send)

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


def test_a_fault_of_the_application_is_not_swallowed() -> None:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        ask(app)
