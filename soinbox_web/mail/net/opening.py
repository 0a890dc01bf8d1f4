"""What IMAP and SMTP share before anybody speaks: the socket, TLS, and the leave to go without it."""

import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from soinbox_web.mail.diagnose import MAIL_SERVICES, error_of
from soinbox_web.mail.imap.client import refuse_breaks
from soinbox_web.mail.net.network import Network
from soinbox_web.mail.net.wire import Wire
from soinbox_web.mail.stages import Stages
from soinbox_web.model.diagnosis import service_of, shown
from soinbox_web.model.server import Login, Protocol
from soinbox_web.problems import CertificateError, Problem, SoinboxError


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds for each step of opening a connection, and for an ordinary command after it.

    `prompt`: until an IMAP server brings something of use, where it need not look through a mailbox first.
    """

    connect: float = 6.0
    tls: float = 6.0
    greeting: float = 8.0
    probe: float = 3.0
    command: float = 60.0
    prompt: float = 25.0
    dot: float = 600.0  # for the answer to the final dot (RFC 5321 section 4.5.3.2.6)


def open_socket(login: Login, network: Network, stages: Stages, timeouts: Timeouts) -> socket.socket:
    """A connected socket, over TLS already when security is `ssl`; leaves of SoinboxError, Cancelled."""
    with stages.at("connect", f"{login.host}:{login.port}"):
        refuse_breaks(login.host, field="host")
        refuse_breaks(login.username, field="username")
        sock = network.connect(
            login.host,
            login.port,
            timeout=timeouts.connect,
            ports=_table_ports(stages),
            cancelled=stages.cancelled,
            note=stages.notes.append,
        )
    if login.security != "ssl":
        return sock
    with stages.at("encrypt") as step:
        encrypted = secure(sock, login, network, stages, timeouts)
        step.detail = str(encrypted.version())
    return encrypted


def secure(
    sock: socket.socket,
    login: Login,
    network: Network,
    stages: Stages,
    timeouts: Timeouts,
    reopen: Callable[[], socket.socket] | None = None,
) -> ssl.SSLSocket:
    """Verified TLS. `reopen` is given after STARTTLS (see Network.tls), where clear text is a failure."""
    try:
        return network.tls(
            sock, login.host, timeout=timeouts.tls, reopen=reopen, cancelled=stages.cancelled, pin=login.pin
        )
    except SoinboxError as error:
        if error.problem.code == "tls_on_plain_port" and reopen is not None:
            raise error_of(error.problem.at(code="starttls_failed")) from error
        raise


@contextlib.contextmanager
def better_named(side: Protocol, login: Login, network: Network, timeouts: Timeouts) -> Iterator[None]:
    """Errors of connecting get a better name where one more look, without secrets, tells more."""
    try:
        yield
    except SoinboxError as error:
        better = _better(error.problem, side, login, network, timeouts)
        if better is error.problem:
            raise
        raise error_of(better) from error


def _better(problem: Problem, side: Protocol, login: Login, network: Network, timeouts: Timeouts) -> Problem:
    silent = problem.stage if problem.code == "timeout" else None
    if silent == "greet" and login.security != "ssl" and _speaks_tls(login, network, timeouts.probe):
        return problem.at(code="plain_on_tls_port")
    if silent == "connect" and network.way_out_is_blocked(login.port, timeout=timeouts.probe):
        return problem.at(code="egress_blocked")
    if problem.code == "tls_on_plain_port":
        words = _first_words(login, network, timeouts.probe)
        service = service_of(words)
        if service not in ("", side.upper()):
            evidence = shown(words) if service in MAIL_SERVICES else ""
            facts = {**problem.facts, "service": service}
            return problem.at(code="wrong_service", evidence=evidence, facts=facts)
    return problem


def check_plain_allowed(login: Login, network: Network, stages: Stages, sock: socket.socket) -> None:
    """Raise encryption_required unless the operator allows this host and port without TLS."""
    address = ipaddress.ip_address(sock.getpeername()[0].partition("%")[0])
    if not network.settings.allow_plain.permits(login.host, address, login.port):
        with stages.at("encrypt", "none"):
            raise error_of(Problem("encryption_required"))


def _first_words(login: Login, network: Network, seconds: float) -> bytes:
    """What the port says in clear before anything is asked; b"" when it is silent or gone."""
    try:
        wire = Wire(network.connect(login.host, login.port, timeout=seconds), network.clock)
        with contextlib.closing(wire):
            wire.allow(seconds)
            return wire.line(4096)
    except (OSError, SoinboxError):
        return b""


def _speaks_tls(login: Login, network: Network, seconds: float) -> bool:
    """True when a TLS handshake is answered on the port, whatever the certificate; no secret is sent."""

    def once_is_enough() -> socket.socket:
        raise OSError

    try:
        sock = network.connect(login.host, login.port, timeout=seconds)
        network.tls(sock, login.host, timeout=seconds, reopen=once_is_enough).close()
    except (OSError, SoinboxError) as error:
        return isinstance(error, CertificateError)
    return True


def _table_ports(stages: Stages) -> frozenset[int]:
    """Ports that the provider's entry in our own table names."""
    if stages.provider is None:
        return frozenset()
    host = stages.login.host
    return frozenset(c.port for c in stages.provider.candidates if c.host == host)
