"""The one door to the network: every socket is resolved, judged, pinned and timed here."""

import errno
import selectors
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterable
from functools import cached_property
from ipaddress import ip_address
from itertools import zip_longest
from typing import Literal

import dns.resolver

from soinbox_web.clock import Clock, SystemClock
from soinbox_web.mail.net import host_names
from soinbox_web.mail.net.host_names import DNS_LIFETIME, host_name
from soinbox_web.mail.net.https import fetch
from soinbox_web.mail.net.tls import TICK, Cancelled, encrypt, verifying_context
from soinbox_web.model.public_address import IPAddress, is_public
from soinbox_web.problems import NetworkError, Problem
from soinbox_web.settings import Settings

__all__ = ["Cancelled", "Network", "Purpose", "never"]

Purpose = Literal["mail", "https", "http", "pop", "picture"]
PORTS: dict[Purpose, frozenset[int]] = {
    "mail": frozenset({143, 993, 465, 587}),
    "https": frozenset({443}),
    "http": frozenset({80}),
    "pop": frozenset({110, 995}),
    "picture": frozenset({443}),
}
WEB: frozenset[Purpose] = frozenset({"https", "http"})  # what set-up looks up
HEAD_START = 0.25  # seconds between two attempts of one connection (RFC 8305)
MAX_ADDRESSES = 6  # tried of one host
_NO_ROUTE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def never() -> bool:
    return False


class Network:
    """Sockets for mail and https under the operator's settings; may be shared between threads."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()

    def resolver(self, lifetime: float = DNS_LIFETIME) -> dns.resolver.Resolver:
        """Asks `settings.dns_servers`, else the machine's own; NetworkError dns_failure without any."""
        return host_names.make_resolver(self.settings.dns_servers, lifetime)

    def resolve(self, host: str, *, lifetime: float = DNS_LIFETIME) -> tuple[IPAddress, ...]:
        """The addresses of `host`, not yet judged; NetworkError dns_failure or host_missing."""
        return host_names.resolve(host, self.settings.dns_servers, self.clock, lifetime)

    def connect(
        self,
        host: str,
        port: int,
        *,
        timeout: float = 10.0,
        purpose: Purpose = "mail",
        deadline: float | None = None,
        ports: frozenset[int] = frozenset(),
        cancelled: Callable[[], bool] = never,
        note: Callable[[Problem], None] | None = None,
    ) -> socket.socket:
        """A connected socket to a judged and pinned address of `host`, with `timeout` set on it.

        `deadline` (a `clock.monotonic()` value) may end the attempt before `timeout`; `ports` are further
        ports that the provider table names; `note` hears of ipv6_only_failure. Raises NetworkError
        private_blocked (nothing was sent), dns_failure, host_missing, refused, timeout; Cancelled.
        """
        name = host_name(host)
        until = self.clock.monotonic() + timeout
        if deadline is not None:
            until = min(until, deadline)
        left = until - self.clock.monotonic()
        addresses = self.resolve(name, lifetime=max(0.1, min(DNS_LIFETIME, left)))
        usual = port in PORTS[purpose] or port in ports
        if not all(self._may_reach(name, address, port, usual, purpose) for address in addresses):
            raise _failure("private_blocked", name, port)
        sock, six_failed = self._race(name, addresses, port, until, cancelled)
        sock.settimeout(timeout)
        if note and six_failed and sock.family == socket.AF_INET:
            note(_failure("ipv6_only_failure", name, port).problem)
        return sock

    def is_far(self, sock: socket.socket) -> bool:
        """The peer is across the internet, where bytes are dearer than cycles."""
        return is_public(ip_address(sock.getpeername()[0].partition("%")[0]))

    def _may_reach(self, host: str, address: IPAddress, port: int, usual: bool, purpose: Purpose) -> bool:
        """The operator's exemptions hold for what they name; where pictures lie, senders choose."""
        if usual and is_public(address):
            return True
        allowed = self.settings.allow_hosts
        return purpose != "picture" and allowed.permits(host, address, port, web=purpose in WEB)

    def way_out_is_blocked(self, port: int, *, timeout: float = 3.0) -> bool:
        """True when `port` times out to two of the operator's control hosts: the fault is on our side."""
        silent = 0
        for host, _ in self.settings.control_hosts[:2]:
            try:
                self.connect(host, port, timeout=timeout, ports=frozenset({port})).close()
            except NetworkError as error:
                silent += error.problem.code == "timeout"
        return silent == 2

    @cached_property
    def tls_context(self) -> ssl.SSLContext:
        """The one client context; it always verifies."""
        return verifying_context(self.settings.ca_file)

    def tls(
        self,
        sock: socket.socket,
        host: str,
        *,
        timeout: float = 10.0,
        reopen: Callable[[], socket.socket] | None = None,
        cancelled: Callable[[], bool] = never,
        pin: str = "",
    ) -> ssl.SSLSocket:
        """`sock` encrypted and verified for `host`, with `timeout` set on it; closed when that fails.

        A fault is named by a second, unverified handshake that carries no secret, on a socket that `reopen`
        gives at the moment before TLS (after STARTTLS; without it the same peer is connected once more).
        `pin` counts only where the operator allows pinning. Raises what `mail.tls.encrypt` raises.
        """
        peer = sock.getpeername()
        return encrypt(
            sock,
            self.tls_context,
            host_name(host),
            self.clock,
            timeout=timeout,
            reopen=reopen or (lambda: socket.create_connection(peer[:2], timeout=min(timeout, 3.0))),
            cancelled=cancelled,
            pin=pin if self.settings.allow_pinning else "",
        )

    def http_get(
        self,
        url: str,
        *,
        timeout: float = 3.0,
        max_redirects: int = 3,
        max_bytes: int = 256_000,
        cancelled: Callable[[], bool] = never,
        purpose: Purpose = "https",
    ) -> tuple[int, bytes, str]:
        """Status, body and content type of one GET: no cookies, no proxies, at most `max_bytes`.

        `purpose` is that of its redirects as well; `timeout` is for the whole of it, redirects included.
        Raises what `connect` and `tls` raise, and ProtocolError wrong_service when the answer breaks HTTP or
        a limit.
        """
        return fetch(
            self,
            url,
            until=self.clock.monotonic() + timeout,
            max_redirects=max_redirects,
            max_bytes=max_bytes,
            cancelled=cancelled,
            purpose=purpose,
        )

    def _race(
        self,
        host: str,
        addresses: Iterable[IPAddress],
        port: int,
        until: float,
        cancelled: Callable[[], bool],
    ) -> tuple[socket.socket, bool]:
        """Happy Eyeballs (RFC 8305): IPv6 first, the next address 250 ms later or when one fails.

        The bool says that an IPv6 address failed which our own network could reach.
        """
        waiting = deque(_interleaved(addresses)[:MAX_ADDRESSES])
        trying: set[socket.socket] = set()
        failures: list[int] = []
        six_failed = False
        next_start = self.clock.monotonic()
        with selectors.DefaultSelector() as selector:
            try:
                while (waiting or trying) and (now := self.clock.monotonic()) < until:
                    if cancelled():
                        raise Cancelled
                    if waiting and (now >= next_start or not trying):
                        next_start = now + HEAD_START
                        sock, error = _start(waiting.popleft(), port)
                        if error in (0, errno.EINPROGRESS):
                            trying.add(sock)
                            selector.register(sock, selectors.EVENT_WRITE)
                        else:
                            six_failed |= sock.family == socket.AF_INET6 and error not in _NO_ROUTE
                            sock.close()
                            failures.append(error)
                        continue
                    pause = min(until - now, next_start - now if waiting else TICK, TICK)
                    for key, _ in selector.select(max(0.0, pause)):
                        sock = key.fileobj  # type: ignore[assignment]  # only sockets are registered
                        trying.remove(sock)
                        selector.unregister(sock)
                        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                        if not error:
                            return sock, six_failed
                        six_failed |= sock.family == socket.AF_INET6 and error not in _NO_ROUTE
                        sock.close()
                        failures.append(error)
                raise _verdict(host, port, failures)
            finally:
                for sock in trying:
                    sock.close()


def _failure(code: str, host: str, port: int, evidence: str = "") -> NetworkError:
    facts = {"host": host, "port": str(port)}
    return NetworkError(Problem(code, stage="connect", evidence=evidence, facts=facts))


def _interleaved(addresses: Iterable[IPAddress]) -> list[IPAddress]:
    unique = list(dict.fromkeys(addresses))
    six, four = ([a for a in unique if a.version == version] for version in (6, 4))
    return [address for pair in zip_longest(six, four) for address in pair if address is not None]


def _start(address: IPAddress, port: int) -> tuple[socket.socket, int]:
    """A socket on its way to `address`, and the error number so far."""
    sock = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return sock, sock.connect_ex((str(address), port))
    except OSError as error:
        return sock, error.errno or errno.EIO


def _verdict(host: str, port: int, failures: list[int]) -> NetworkError:
    """What a connection that came to nothing says."""
    if errno.ECONNREFUSED in failures or errno.ECONNRESET in failures:
        return _failure("refused", host, port, "connection refused")
    return _failure("timeout", host, port, errno.errorcode.get(failures[-1], "") if failures else "time-out")
