"""Every answer of the real web server carries the headers of a page, refusals before any page too."""

import socket
from collections.abc import Callable

import httpx
import pytest

from soinbox_web.sealed import headers
from soinbox_web.serving.head import MOST_BYTES, MOST_FIELDS, MOST_URL
from tests.servers.soinbox import Soinbox

FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module")
def served(product: Callable[..., Soinbox]) -> Soinbox:
    return product("web")


def heads(served: Soinbox, begin: str, more: bytes) -> tuple[int, dict[str, list[str]]]:
    """Status and fields of the answer to what is said; of the first, where there are several."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=40) as line:
        line.sendall(f"{begin}\r\nHost: 127.0.0.1:{served.port}\r\n".encode() + more)
        got = b""
        while b"\r\n\r\n" not in got and (piece := line.recv(4096)):
            got += piece
    first, *fields = got.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    found: dict[str, list[str]] = {}
    for name, _, value in (field.partition(": ") for field in fields):
        found.setdefault(name.lower(), []).append(value)
    return int(first.split()[1]), found


@pytest.mark.parametrize(
    ("status", "begin", "more"),
    [
        (303, "GET /sign-in HTTP/1.1", b"\r\n"),
        (404, "GET /static/nothing.css HTTP/1.1", b"\r\n"),
        (401, "GET /live HTTP/1.1", b"\r\n"),
        (413, "POST /sign-in HTTP/1.1", FORM + b"Content-Length: 99000000\r\n\r\n"),
        (408, "POST /sign-in HTTP/1.1", FORM + b"Content-Length: 100\r\n\r\na="),
        (414, "GET /" + "x" * MOST_URL + " HTTP/1.1", b"\r\n"),
        (431, "GET /sign-in HTTP/1.1", b"A: b\r\n" * (MOST_FIELDS + 1) + b"\r\n"),
        (408, "GET /sign-in HTTP/1.1", b"X-Slow: "),
        (400, "this is no request", b"\r\n"),
    ],
)
def test_whatever_is_answered(served: Soinbox, status: int, begin: str, more: bytes) -> None:
    assert len(begin) + len(more) < MOST_BYTES
    told, found = heads(served, begin, more)
    assert told == status
    assert {name: len(found.get(name, ())) for name in headers()} == dict.fromkeys(headers(), 1)


def test_behind_https_all_of_it_is_for_https_only(product: Callable[..., Soinbox]) -> None:
    served = product("web", PUBLIC_URL="https://post.noordlicht.example")
    for path in ("/sign-in", "/live", "/" + "x" * MOST_URL):
        answer = httpx.get(served.url + path, headers={"Host": "post.noordlicht.example"})
        assert answer.headers.get_list("strict-transport-security") == ["max-age=31536000"]
