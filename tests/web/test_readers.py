"""Connections of people who do not read what they asked for, against uvicorn with our protocol."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from soinbox_web.serving import head
from tests.waiting import until

MOST = 20
CONTENT = b"x" * 10_000_000


async def app(scope: Any, receive: Any, send: Any) -> None:
    size = int(scope["path"][1:])
    told = [(b"content-length", b"%d" % size)]
    await send({"type": "http.response.start", "status": 200, "headers": told})
    for start in range(0, size, 65_536):
        more = start + 65_536 < size
        piece = CONTENT[start : min(start + 65_536, size)]
        await send({"type": "http.response.body", "body": piece, "more_body": more})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[uvicorn.Server]:
    monkeypatch.setattr(head, "MOST_CONNECTIONS", MOST)
    monkeypatch.setattr(head, "UNREAD_SECONDS", 1.0, raising=False)
    config = uvicorn.Config(
        app, port=0, http="soinbox_web.serving.head:BoundedHead", ws="none", lifespan="off", log_config=None,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    found = uvicorn.Server(config)
    thread = threading.Thread(target=found.run)
    thread.start()
    until(lambda: found.started, seconds=20)
    yield found
    found.should_exit = True
    thread.join()


@contextlib.contextmanager
def reader(server: uvicorn.Server, request: str) -> Iterator[socket.socket]:
    """Somebody who asks, and so far reads nothing."""
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        line.settimeout(20)
        line.connect(("127.0.0.1", server.servers[0].sockets[0].getsockname()[1]))
        line.sendall(request.encode())
        yield line


@pytest.mark.parametrize("more", ["", "GET /10 HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_readers_who_take_nothing_make_room(server: uvicorn.Server, more: str) -> None:
    asked = "GET /10000000 HTTP/1.1\r\nHost: a\r\n\r\n" + more
    with contextlib.ExitStack() as lines:
        for _ in range(MOST):
            lines.enter_context(reader(server, asked))
        until(lambda: len(server.server_state.connections) == MOST, seconds=20)
        for _ in range(2 * MOST):
            with reader(server, "GET /5 HTTP/1.1\r\nHost: a\r\n\r\n") as line:
                assert line.recv(100).startswith(b"HTTP/1.1 200")


def test_a_reader_at_work_is_not_cut_off(server: uvicorn.Server) -> None:
    with reader(server, "GET /10000000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") as line:
        got = 0
        while piece := line.recv(1_000_000):
            got += len(piece)
        assert got > 10_000_000


def test_who_reads_nothing_of_a_last_answer_is_not_waited_for(
    server: uvicorn.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system's buffers do not take stays with us, up to 64 kB, when all has been said."""
    monkeypatch.setattr(head, "MOST_CONNECTIONS", 1_000)
    with contextlib.ExitStack() as lines:
        for size in range(20_000, 6_000_000, 40_000):
            asked = f"GET /{size} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            lines.enter_context(reader(server, asked))
        until(lambda: left_open(server), seconds=20)
        until(lambda: not left_open(server), seconds=20)


def left_open(server: uvicorn.Server) -> list[Any]:
    known = [each for each in server.server_state.connections if each.cycle is not None]
    return [each for each in known if each.cycle.response_complete and each.transport.get_write_buffer_size()]
