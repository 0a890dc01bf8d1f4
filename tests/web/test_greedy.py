"""Clients that are slow, greedy or false, against the real web server."""

import contextlib
import select
import socket
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from soinbox_web.model.message import MessageKey
from soinbox_web.services.pictures import token
from soinbox_web.serving.bodies import STRANGER
from soinbox_web.serving.head import MOST_BYTES, MOST_FIELDS, MOST_URL
from tests import seed
from tests.cast import ANNA
from tests.servers.soinbox import Soinbox

FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module")
def served(product: Callable[..., Soinbox]) -> Soinbox:
    found = product("web")
    found.add_member(ANNA.address, ANNA.name)
    return found


@contextlib.contextmanager
def line_to(served: Soinbox) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", served.port), timeout=40) as line:
        yield line


def status(line: socket.socket) -> int:
    """Of the next answer; 0 when the connection ends without."""
    got = b""
    try:
        while b"\r\n" not in got and (piece := line.recv(4096)):
            got += piece
    except OSError:
        pass
    return int(got.split()[1]) if got.startswith(b"HTTP/") else 0


def say(line: socket.socket, content: bytes) -> None:
    """As much as the other side still takes."""
    with contextlib.suppress(OSError):
        line.sendall(content)


def head(served: Soinbox, first: str, *more: bytes) -> bytes:
    return f"{first} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n".encode() + b"".join(more)


def memory(served: Soinbox) -> float:
    """MB of the largest process."""
    children = psutil.Process(served.pid).children(recursive=True)
    return max(each.memory_info().rss for each in children) / 1e6


@pytest.mark.parametrize("times", [1, 2, 400])
def test_a_large_header_is_refused_and_not_kept(served: Soinbox, times: int) -> None:
    before = memory(served)
    with line_to(served) as line:
        say(line, head(served, "GET /sign-in", b"X-Big: "))
        for _ in range(times):
            say(line, b"x" * 2 * MOST_BYTES)
        assert status(line) in (0, 431)  # 0: it went on sending into the end of the connection
        assert memory(served) < before + 20
    with line_to(served) as line:
        line.sendall(head(served, "GET /sign-in", b"X-Big: ", b"x" * (MOST_BYTES // 2), b"\r\n\r\n"))
        assert status(line) == 200


@pytest.mark.parametrize(
    ("request_line", "more", "expected"),
    [
        ("GET /sign-in?next=/" + "x" * 2 * MOST_URL, b"", 414),
        ("GET /sign-in", b"A: b\r\n" * (2 * MOST_FIELDS), 431),
        ("GET /sign-in", b"A: b\r\n" * (MOST_FIELDS // 2), 200),
    ],
)
def test_urls_and_fields_have_bounds(served: Soinbox, request_line: str, more: bytes, expected: int) -> None:
    with line_to(served) as line:
        say(line, head(served, request_line, more, b"\r\n"))
        assert status(line) == expected


@pytest.mark.parametrize("begin", [b"", b"\r\n", b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
def test_a_head_that_never_ends_is_given_up(served: Soinbox, begin: bytes) -> None:
    with line_to(served) as line:
        line.sendall(begin)
        began = time.monotonic()
        line.settimeout(1)
        while time.monotonic() - began < 30:
            try:
                line.sendall(b"\r\n" if begin == b"\r\n" else b"x" if begin else b"")
                if not line.recv(4096).startswith(b"HTTP/1.1 2"):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        assert 5 < time.monotonic() - began < 25


def test_a_body_in_chunks_is_read(served: Soinbox) -> None:
    with line_to(served) as line:
        chunk = b"address=getypt%40klant.example&password=x"
        line.sendall(head(served, "POST /sign-in", FORM, b"Transfer-Encoding: chunked\r\n\r\n"))
        line.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(chunk), chunk))
        answer = b""
        while b"</html>" not in answer and (piece := line.recv(65_536)):
            answer += piece
        assert answer.startswith(b"HTTP/1.1 422")  # a token is missing: the form is drawn again
        assert b"getypt@klant.example" in answer


@pytest.mark.parametrize("announced", [STRANGER.most + 1, 20_000_000, 10**15])
def test_strangers_send_little(served: Soinbox, announced: int) -> None:
    with line_to(served) as line:
        line.sendall(head(served, "POST /sign-in", FORM, b"Content-Length: %d\r\n" % announced))
        line.sendall(b"Expect: 100-continue\r\n\r\n")
        assert status(line) == 413


@pytest.mark.parametrize("times", [1, 2, 200])
def test_chunks_beyond_the_bound_are_refused(served: Soinbox, times: int) -> None:
    with line_to(served) as line:
        say(line, head(served, "POST /sign-in", FORM, b"Transfer-Encoding: chunked\r\n\r\n"))
        for _ in range(times * 5):
            say(line, b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
        assert status(line) in (0, 413)


def test_trailers_and_extensions_of_chunks_are_bounded(served: Soinbox) -> None:
    before = memory(served)
    for begin in (b"1;x=", b"1\r\nx\r\n0\r\nX-Trailer: "):
        with line_to(served) as line:
            say(line, head(served, "POST /sign-in", FORM, b"Transfer-Encoding: chunked\r\n\r\n", begin))
            for _ in range(400):
                say(line, b"x" * MOST_BYTES)
            assert status(line) in (0, 431)
    assert memory(served) < before + 20


def test_a_member_learns_on_a_page_that_a_file_is_too_large(served: Soinbox) -> None:
    cookie = served.cookie(served.add_member("bram@noordlicht.example", "Bram"))
    with line_to(served) as line:
        line.sendall(
            head(
                served,
                "POST /persons/import",
                b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 99000000\r\n",
                f"Cookie: {cookie['name']}={cookie['value']}\r\n\r\n".encode(),
            )
        )
        answer = b""
        while b"</html>" not in answer and (piece := line.recv(65_536)):
            answer += piece
        assert answer.startswith(b"HTTP/1.1 413") and b"</html>" in answer


def test_one_address_has_a_few_slow_bodies_and_they_end(served: Soinbox) -> None:
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(line_to(served)) for _ in range(4 * STRANGER.at_once)]
        for each in lines:
            each.sendall(head(served, "POST /sign-in", FORM, b"Content-Length: 1000\r\n\r\naddress="))
        found = [status(each) for each in lines]
        assert set(found) == {408, 429}
        assert found.count(408) <= 2 * STRANGER.at_once  # two processes


def test_who_stops_half_way_leaves_nothing_behind(served: Soinbox) -> None:
    for _ in range(4 * STRANGER.at_once):
        with line_to(served) as line:
            line.sendall(head(served, "POST /sign-in", FORM, b"Content-Length: 1000\r\n\r\naddress="))
    end = time.monotonic() + 20
    found = 0
    while found != 422 and time.monotonic() < end:
        with line_to(served) as line:
            line.sendall(head(served, "POST /sign-in", FORM, b"Content-Length: 9\r\n\r\naddress=x"))
            found = status(line)
    assert found == 422


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("evil.example", 421),
        ("localhost.evil.example:80", 421),
        ("", 421),
        ("localhost", 200),
        ("127.0.0.1", 200),
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/live"])
def test_another_name_is_not_answered(served: Soinbox, host: str, expected: int, path: str) -> None:
    with line_to(served) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert status(line) == (401 if path == "/live" and expected == 200 else expected)


@pytest.mark.parametrize("count", [100, 200])
def test_pictures_that_hang_hold_no_page(product: Callable[..., Soinbox], count: int) -> None:
    """Their host's name server never answers; a page comes while nearly all of them are still waited for."""
    with contextlib.ExitStack() as stack:
        silent = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        silent.bind(("127.0.0.1", 0))
        served = product("web", DNS_SERVERS=f"127.0.0.1:{silent.getsockname()[1]}")
        anna = served.add_member(ANNA.address, ANNA.name)
        key = MessageKey(seed.account(served.runtime, anna).id, "INBOX", seed.UIDVALIDITY, 1)
        lines = [stack.enter_context(line_to(served)) for _ in range(count)]
        for number, each in enumerate(lines):
            url = f"https://stil.example/{number}.png"
            each.sendall(head(served, f"GET /image/{token(served.runtime, anna.id, key, url=url)}", b"\r\n"))
        with line_to(served) as page:
            page.sendall(head(served, "GET /sign-in", b"\r\n"))
            assert status(page) == 200
        answered, _, _ = select.select(lines, [], [], 0)
        assert len(answered) <= count // 5


def test_a_wish_for_a_web_socket_is_answered_with_a_page(served: Soinbox) -> None:
    with line_to(served) as line:
        line.sendall(head(served, "GET /sign-in", b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"))
        assert status(line) == 400
