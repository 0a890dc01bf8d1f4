"""Probes without credentials: greeting and capabilities of the usual host names, and their certificates."""

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from soinbox_web.mail.discovery.domains import registrable, same_owner
from soinbox_web.mail.discovery.providers import is_known_host
from soinbox_web.mail.discovery.published import SCORES
from soinbox_web.mail.net.network import Network, Purpose
from soinbox_web.mail.net.wire import Wire
from soinbox_web.model.server import Candidate, Endpoint, Protocol, Security
from soinbox_web.problems import CertificateError, SoinboxError

PROBE_SECONDS = 4.0
STAGGER = 0.1  # seconds between two starts
MAX_PER_SIDE = 8  # sockets
LINE = 8192

_PREFIXES: dict[Protocol, tuple[str, ...]] = {"imap": ("imap.", "mail.", ""), "smtp": ("smtp.", "mail.", "")}
_PORTS: dict[Protocol, tuple[tuple[int, Security], ...]] = {
    "imap": ((993, "ssl"), (143, "starttls")),
    "smtp": ((465, "ssl"), (587, "starttls")),
}


@dataclass(frozen=True, slots=True)
class Probe:
    """One server to try; a lower rank is tried earlier and preferred."""

    protocol: Protocol
    endpoint: Endpoint
    rank: int


def plan(domain: str, mx_hosts: Iterable[str], protocols: Iterable[Protocol]) -> list[Probe]:
    """What to try, best first: usual names with TLS, then STARTTLS; the MX host only where it is theirs."""
    mx = next((host for host in mx_hosts if same_owner(host, domain)), None)
    probes: list[Probe] = []
    for protocol in protocols:
        hosts = [f"{prefix}{domain}" for prefix in _PREFIXES[protocol]] + ([mx] if mx else [])
        endpoints = [
            Endpoint(host, port, security)
            for port, security in _PORTS[protocol]
            for host in dict.fromkeys(hosts)
        ]
        probes += [Probe(protocol, e, rank) for rank, e in enumerate(endpoints[:MAX_PER_SIDE])]
    return sorted(probes, key=lambda probe: probe.rank)


@dataclass(frozen=True, slots=True)
class Prober:
    """Knocks for one address; `until` is a `clock.monotonic()` value."""

    network: Network
    domain: str
    mx_hosts: tuple[str, ...]
    until: float
    cancelled: Callable[[], bool]

    def knock(self, probe: Probe, *, again: bool = True) -> Candidate | None:
        """The server as a candidate; None when nothing of that kind answers there.

        A certificate with another fault than its name keeps the candidate, so that sign-in names the fault;
        for another name of the same owner that name is tried once and proposed.
        """
        own = same_owner(probe.endpoint.host, self.domain)
        candidate = Candidate(
            probe.protocol,
            probe.endpoint.host,
            probe.endpoint.port,
            probe.endpoint.security,
            source="probe",
            trusted=own or is_known_host(probe.endpoint.host),
            score=SCORES["probe"] + 5 * own,
        )
        try:
            self._talk(probe.protocol, probe.endpoint)
        except CertificateError as error:
            name = self._proper_name(error, probe.endpoint.host) if again else None
            if name is not None:
                other = replace(probe, endpoint=replace(probe.endpoint, host=name))
                found = self.knock(other, again=False)
                return found and replace(found, score=found.score + 1)
            return None if error.problem.code == "cert_name_mismatch" and not own else candidate
        except (SoinboxError, OSError):
            return None
        return replace(candidate, score=candidate.score + 10)

    def fits(self, candidate: Candidate) -> bool:
        """True when the server greets as it should behind a certificate for its name; else raises."""
        self._talk(candidate.protocol, candidate.endpoint)
        return True

    def speaks_pop(self, endpoint: Endpoint) -> bool:
        """True when a POP3 server greets there (RFC 1939)."""
        try:
            with self._open(endpoint, "pop") as sock:
                return self._line(Wire(sock, self.network.clock)).startswith(b"+OK")
        except (SoinboxError, OSError):
            return False

    def _talk(self, protocol: Protocol, endpoint: Endpoint) -> None:
        """Greeting and capabilities over verified TLS; raises OSError or SoinboxError for anything else."""
        if endpoint.security == "ssl":
            with self._open(endpoint, "mail") as sock:
                _hello(protocol, Wire(sock, self.network.clock), self._line)
            return
        sock = self._before_tls(protocol, endpoint)
        again = lambda: self._before_tls(protocol, endpoint)  # noqa: E731
        with self._tls(sock, endpoint.host, again) as encrypted:
            wire = Wire(encrypted, self.network.clock)
            wire.allow(self._left())
            _capabilities(protocol, wire, self._line)

    def _open(self, endpoint: Endpoint, purpose: Purpose) -> socket.socket:
        sock = self.network.connect(
            endpoint.host,
            endpoint.port,
            timeout=self._left(),
            purpose=purpose,
            cancelled=self.cancelled,
        )
        return self._tls(sock, endpoint.host, None) if endpoint.security == "ssl" else sock

    def _before_tls(self, protocol: Protocol, endpoint: Endpoint) -> socket.socket:
        """A socket that has just been promised STARTTLS."""
        sock = self._open(endpoint, "mail")
        try:
            wire = Wire(sock, self.network.clock)
            if b"STARTTLS" not in _hello(protocol, wire, self._line).upper():
                raise ConnectionError("STARTTLS is not offered")
            wire.send(b"a2 STARTTLS\r\n" if protocol == "imap" else b"STARTTLS\r\n")
            if not self._line(wire).upper().startswith(b"A2 OK" if protocol == "imap" else b"220"):
                raise ConnectionError("STARTTLS is refused")
        except BaseException:
            sock.close()
            raise
        return sock

    def _tls(
        self, sock: socket.socket, host: str, again: Callable[[], socket.socket] | None
    ) -> socket.socket:
        return self.network.tls(sock, host, timeout=self._left(), reopen=again, cancelled=self.cancelled)

    def _line(self, wire: Wire) -> bytes:
        """One line, read in steps that hear `cancelled`."""
        wire.allow(self._left())
        while not wire.readable(0.1):
            self._left()
            if self.cancelled():
                raise ConnectionError("cancelled")
        return wire.line(LINE)

    def _left(self) -> float:
        left = min(PROBE_SECONDS, self.until - self.network.clock.monotonic())
        if left <= 0:
            raise TimeoutError("the time for probes is over")
        return left

    def _proper_name(self, error: CertificateError, host: str) -> str | None:
        """A name in the certificate that belongs to the address's domain or to its mail hoster."""
        if error.problem.code != "cert_name_mismatch":
            return None
        owners = {registrable(self.domain), *map(registrable, self.mx_hosts)}
        names = error.problem.facts.get("names", "").split(", ")
        return next((n for n in names if "*" not in n and n != host and registrable(n) in owners), None)


def _hello(protocol: Protocol, wire: Wire, line: Callable[[Wire], bytes]) -> bytes:
    """What the server offers after a proper greeting."""
    greeting = line(wire)
    if not greeting.startswith(b"* OK" if protocol == "imap" else b"220"):
        raise ConnectionError("another service")
    while protocol == "smtp" and greeting.startswith(b"220-"):
        greeting = line(wire)
    return _capabilities(protocol, wire, line)


def _capabilities(protocol: Protocol, wire: Wire, line: Callable[[Wire], bytes]) -> bytes:
    wire.send(b"a1 CAPABILITY\r\n" if protocol == "imap" else b"EHLO [127.0.0.1]\r\n")
    offered = b""
    for _ in range(50):
        answer = line(wire)
        offered += answer
        if protocol == "smtp" and not answer.startswith(b"250"):
            raise ConnectionError("another service")
        if answer.startswith((b"a1 ", b"250 ")) or not answer:
            break
    if protocol == "imap" and b"IMAP4" not in offered.upper():
        raise ConnectionError("another service")
    return offered
