"""HTTP over the one door: a transport for httpx whose sockets come from `Network`, and one bounded GET."""

import socket
import ssl
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from soinbox_web.clock import Clock
from soinbox_web.problems import NetworkError, Problem, ProtocolError

MAX_COMPRESSED = 64_000
USER_AGENT = "soinbox"
_REDIRECTS = {301, 302, 303, 307, 308}


class Door(Protocol):
    """What is needed of `mail.net.Network`."""

    clock: Clock
    settings: Any

    @property
    def connect(self) -> Callable[..., socket.socket]: ...

    @property
    def tls(self) -> Callable[..., ssl.SSLSocket]: ...


class NetworkTransport(httpx.BaseTransport):
    """All of httpx's traffic through the door, ended at `until` (`clock.monotonic()`)."""

    def __init__(
        self, door: Door, until: float, cancelled: Callable[[], bool], purpose: str = "https"
    ) -> None:
        unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the door brings its own
        backend = _Backend(door, until, cancelled, purpose)
        self._pool = httpcore.ConnectionPool(ssl_context=unused, network_backend=backend, max_connections=2)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            answer = self._pool.handle_request(
                httpcore.Request(
                    request.method, str(request.url), headers=request.headers.raw, content=request.stream
                )
            )
        except (httpcore.ProtocolError, httpcore.NetworkError) as error:
            raise _broken(type(error).__name__) from error
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        self._pool.close()


def fetch(
    door: Door,
    url: str,
    *,
    until: float,
    max_redirects: int,
    max_bytes: int,
    cancelled: Callable[[], bool],
    purpose: str = "https",
) -> tuple[int, bytes, str]:
    """Status, body and content type of a GET that follows redirects itself, each judged anew.

    A redirect from https to http is refused; http itself needs `settings.allow_http_autoconfig`.
    """
    with NetworkTransport(door, until, cancelled, purpose) as transport:
        for _ in range(max_redirects + 1):
            _check_scheme(door, url)
            headers = {"Accept-Encoding": "gzip", "User-Agent": USER_AGENT, "Accept": "*/*"}
            try:
                request = httpx.Request("GET", url, headers=headers)
            except (httpx.InvalidURL, ValueError) as error:
                raise _broken("address of the page") from error
            response = transport.handle_request(request)
            try:
                target = response.headers.get("location")
                if response.status_code not in _REDIRECTS or not target:
                    body = _body(response, max_bytes)
                    return response.status_code, body, response.headers.get("content-type", "")
            finally:
                response.close()
            url = _following(url, target)
    raise _broken("too many redirects")


def _following(url: str, target: str) -> str:
    try:
        following = urljoin(url, target)
        if urlsplit(url).scheme == "https" and urlsplit(following).scheme != "https":
            raise _broken("redirect from https to another scheme")
    except ValueError as error:
        raise _broken("redirect") from error
    return following


def _check_scheme(door: Door, url: str) -> None:
    scheme = urlsplit(url).scheme
    if scheme != "https" and not (scheme == "http" and door.settings.allow_http_autoconfig):
        raise _broken("not https")


def _body(response: httpx.Response, max_bytes: int) -> bytes:
    """The body, at most `max_bytes`; a compressed one at most 64 kB before and `max_bytes` after."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip"):
        raise _broken("content encoding")
    zipped = encoding.endswith("gzip")
    limit = min(MAX_COMPRESSED, max_bytes) if zipped else max_bytes
    raw = bytearray()
    try:
        for chunk in response.iter_raw():
            raw += chunk
            if len(raw) > limit:
                raise _broken("too big")
    except httpcore.ProtocolError as error:
        raise _broken(type(error).__name__) from error
    if not zipped:
        return bytes(raw)
    unzip = zlib.decompressobj(31)
    try:
        plain = unzip.decompress(bytes(raw), max_bytes)
    except zlib.error as error:
        raise _broken("gzip") from error
    if unzip.unconsumed_tail:
        raise _broken("too big")
    return plain


def _broken(what: str) -> ProtocolError:
    return ProtocolError(Problem("wrong_service", stage="lookup", evidence=f"HTTP: {what}"))


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._answer.stream, Iterable)
        yield from self._answer.stream

    def close(self) -> None:
        self._answer.close()


class _Backend(httpcore.NetworkBackend):
    def __init__(self, door: Door, until: float, cancelled: Callable[[], bool], purpose: str) -> None:
        self._door, self._until, self._cancelled = door, until, cancelled
        self._purpose = purpose

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        plain = self._purpose == "https" and port == 80 and self._door.settings.allow_http_autoconfig
        left = self._until - self._door.clock.monotonic()
        sock = self._door.connect(
            host,
            port,
            timeout=max(0.1, left),
            purpose="http" if plain else self._purpose,
            deadline=self._until,
            cancelled=self._cancelled,
        )
        return _Stream(sock, self._door, self._until, self._cancelled)


class _Stream(httpcore.NetworkStream):
    """A socket whose every read and write ends at the common deadline."""

    def __init__(self, sock: socket.socket, door: Door, until: float, cancelled: Callable[[], bool]) -> None:
        self._sock, self._door, self._until, self._cancelled = sock, door, until, cancelled

    def _set_time_left(self) -> None:
        left = self._until - self._door.clock.monotonic()
        if left <= 0 or self._cancelled():
            raise TimeoutError("deadline")
        self._sock.settimeout(left)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            self._set_time_left()
            return self._sock.recv(max_bytes)
        except OSError as error:
            raise self._failed(error) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            self._set_time_left()
            self._sock.sendall(buffer)
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        self._sock.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = max(0.1, self._until - self._door.clock.monotonic())
        host = server_hostname or ""
        encrypted = self._door.tls(self._sock, host, timeout=left, cancelled=self._cancelled)
        return _Stream(encrypted, self._door, self._until, self._cancelled)

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object" and isinstance(self._sock, ssl.SSLSocket):
            return self._sock
        return self._sock if info == "socket" else None

    def _failed(self, error: OSError) -> NetworkError:
        code = "timeout" if isinstance(error, TimeoutError) else "refused"
        return NetworkError(Problem(code, stage="lookup", evidence=type(error).__name__))
