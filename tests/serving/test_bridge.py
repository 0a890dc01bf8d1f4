"""The bridge between uvicorn and Flask: whole answers in order, and no further ahead than the reader."""

import asyncio
import contextlib
import socket
import time
import tracemalloc
import urllib.request
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from soinbox_web.fair import FairPool
from soinbox_web.serving.bodies import IN_MEMORY, Bound, Scope
from soinbox_web.serving.bridge import HELD, LARGE, Asker, Bridge
from tests.servers.soinbox import Soinbox

SCOPE = {
    "type": "http", "method": "GET", "path": "/", "raw_path": b"/", "root_path": "", "query_string": b"",
    "headers": [], "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 80), "client": None,
}  # fmt: skip


BOUND = Bound(1_000_000, seconds=2, at_once=2, in_all=3)


def bridge(app: Any, bound: Bound = BOUND, threads: int = 2) -> Bridge:
    pool = FairPool(threads, "test")

    async def whose(scope: Scope) -> Asker:
        return Asker(scope["client"], bound, pool)

    return Bridge(app, whose)


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
        await bridge(app)({**SCOPE, "headers": headers}, receive, send)

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
    assert [body.get("more_body", False) for body in bodies] == [False]


def test_an_answer_goes_in_pieces_at_the_pace_of_its_reader() -> None:
    content, taken = bytes(range(256)) * 2_000, []

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [content]

    _, *bodies = ask(app)
    taken = [body["body"] for body in bodies]
    assert b"".join(taken) == content
    assert max(map(len, taken)) <= 65_536
    assert [body["more_body"] for body in bodies] == [True] * (len(taken) - 1) + [False]


def test_readers_who_take_nothing_hold_no_thread() -> None:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"x" * 200_000]

    async def exchange() -> None:
        served, never, taken = bridge(app, threads=2), asyncio.Event(), asyncio.Event()

        def staying() -> Any:
            heard = iter([{"type": "http.request", "body": b"", "more_body": False}])

            async def receive() -> dict[str, Any]:
                for message in heard:
                    return message
                await never.wait()
                raise AssertionError("nobody leaves")

            return receive

        async def takes_nothing(message: dict[str, Any]) -> None:
            await never.wait()

        async def takes_all(message: dict[str, Any]) -> None:
            if not message.get("more_body", True):
                taken.set()

        slow = [asyncio.ensure_future(served({**SCOPE}, staying(), takes_nothing)) for _ in range(8)]
        await asyncio.sleep(0)
        await asyncio.wait_for(served({**SCOPE}, staying(), takes_all), 10)
        assert taken.is_set()
        for each in slow:
            each.cancel()

    _run(exchange())


def test_strangers_of_many_addresses_keep_nobody_from_signing_in() -> None:
    """Who has a network of addresses can take every place of a slow body; a form comes with its head."""

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [environ["wsgi.input"].read()]

    async def exchange() -> None:
        served, never = bridge(app), asyncio.Event()

        async def asked(client: str, body: bytes, length: int) -> list[dict[str, Any]]:
            heard: list[dict[str, Any]] = []
            left = [body]

            async def receive() -> dict[str, Any]:
                if not left:
                    await never.wait()
                return {"type": "http.request", "body": left.pop(), "more_body": len(body) < length}

            async def send(message: dict[str, Any]) -> None:
                heard.append(message)

            headers = [(b"content-length", b"%d" % length)]
            await served({**SCOPE, "client": (client, 1), "headers": headers}, receive, send)
            return heard

        slow = [asyncio.ensure_future(asked(f"192.0.2.{n}", b"x", 9)) for n in range(BOUND.in_all)]
        await asyncio.wait(slow, timeout=BOUND.seconds / 2)
        assert not [each for each in slow if each.done()]
        start, body = await asked("192.0.2.9", b"password=lampje", 15)
        assert (start["status"], body["body"]) == (200, b"password=lampje")
        for each in slow:
            each.cancel()

    _run(exchange())


def test_large_answers_that_wait_for_their_readers_take_no_memory() -> None:
    size = HELD // 8

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"x" * size]

    async def exchange() -> None:
        served, waiting, go_on = bridge(app), asyncio.Semaphore(0), asyncio.Event()
        got = Counter[int]()

        async def read(number: int) -> None:
            heard = iter([{"type": "http.request", "body": b"", "more_body": False}])

            async def receive() -> dict[str, Any]:
                return next(heard, None) or await asyncio.Future()

            async def send(message: dict[str, Any]) -> None:
                if "body" not in message:
                    waiting.release()
                    await go_on.wait()
                got[number] += len(message.get("body", b""))

            await served({**SCOPE}, receive, send)

        before = tracemalloc.get_traced_memory()[0]
        readers = [asyncio.ensure_future(read(number)) for number in range(6)]
        for _ in readers:
            await waiting.acquire()
        assert tracemalloc.get_traced_memory()[0] - before < LARGE
        go_on.set()
        await asyncio.gather(*readers)
        assert list(got.values()) == [size] * 6

    tracemalloc.start()
    try:
        _run(exchange())
    finally:
        tracemalloc.stop()


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


@pytest.mark.parametrize("size", [1, IN_MEMORY, IN_MEMORY + 1])
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
