"""TLS: a verified handshake with a deadline, and the name of the fault when there is none."""

import hmac
import selectors
import socket
import ssl
import warnings
from collections.abc import Callable
from pathlib import Path

from soinbox_web.clock import Clock
from soinbox_web.mail.net.certificate import Certificate, certificate_error, fingerprint, read_certificate
from soinbox_web.problems import (
    CertificateError,
    NetworkError,
    Problem,
    ProtocolError,
    ServerError,
    SoinboxError,
)

TICK = 0.1  # seconds between two looks at `cancelled`
LOOK_SECONDS = 3.0  # for the second handshake, or for a greeting in clear text
_OLD_VERSIONS = frozenset({"SSLv3", "TLSv1", "TLSv1.1"})
_OLD_REASONS = {
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "UNSUPPORTED_PROTOCOL",
    "WRONG_SSL_VERSION",
    "VERSION_TOO_LOW",
}
_NOT_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "PACKET_LENGTH_TOO_LONG"}
_GREETINGS = (b"* ", b"220", b"+OK", b"554", b"421")

Reopen = Callable[[], socket.socket]


class Cancelled(Exception):
    """The person gave up waiting; sockets are closed."""


def verifying_context(ca_file: Path | None) -> ssl.SSLContext:
    """Chain, name and date are checked; TLS 1.2 or later (RFC 8996); with the operator's extra anchors."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


def encrypt(
    sock: socket.socket,
    context: ssl.SSLContext,
    host: str,
    clock: Clock,
    *,
    timeout: float,
    reopen: Reopen,
    cancelled: Callable[[], bool],
    pin: str = "",
) -> ssl.SSLSocket:
    """`sock` verified for `host`, or the named fault; `sock` is closed when that fails.

    `reopen` gives another socket at the moment before TLS, for a look that verifies nothing and sends no
    secret. With `pin`, the SHA-256 of the server's certificate, that one is accepted and no other. Raises
    CertificateError cert_* or pin_mismatch, ProtocolError tls_too_old or tls_on_plain_port, NetworkError
    timeout, ServerError server_unavailable; Cancelled.
    """
    port = sock.getpeername()[1]
    try:
        if not pin:
            return handshake(sock, context, host, clock, timeout=timeout, cancelled=cancelled)
        unverified = _unverifying_context()
        return _pinned(
            handshake(sock, unverified, host, clock, timeout=timeout, cancelled=cancelled), host, pin
        )
    except ssl.SSLCertVerificationError as error:
        raise certificate_error(error, host, _look(reopen, host, clock)[0]) from error
    except OSError as error:
        raise _fault(error, host, port, clock, reopen) from error


def handshake(
    sock: socket.socket,
    context: ssl.SSLContext,
    host: str,
    clock: Clock,
    *,
    timeout: float,
    cancelled: Callable[[], bool],
) -> ssl.SSLSocket:
    """A handshake that ends in time however slowly the other side drips; raises OSError (ssl.SSLError)."""
    until = clock.monotonic() + timeout
    try:
        encrypted = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    except BaseException:
        sock.close()
        raise
    try:
        encrypted.settimeout(0)
        with selectors.DefaultSelector() as selector:
            selector.register(encrypted, selectors.EVENT_READ)
            while True:
                try:
                    encrypted.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    selector.modify(encrypted, selectors.EVENT_READ)
                except ssl.SSLWantWriteError:
                    selector.modify(encrypted, selectors.EVENT_WRITE)
                if cancelled():
                    raise Cancelled
                left = until - clock.monotonic()
                if left <= 0:
                    raise TimeoutError("the TLS handshake was not finished")
                selector.select(min(left, TICK))
        encrypted.settimeout(timeout)
        return encrypted
    except BaseException:
        encrypted.close()
        raise


def _unverifying_context() -> ssl.SSLContext:
    """For a certificate that is compared with a pinned one instead; TLS 1.2 or later."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _pinned(encrypted: ssl.SSLSocket, host: str, pin: str) -> ssl.SSLSocket:
    """The socket when its certificate is the pinned one; else closed, and CertificateError pin_mismatch."""
    der = encrypted.getpeercert(binary_form=True) or b""
    if hmac.compare_digest(fingerprint(der), pin):
        return encrypted
    encrypted.close()
    facts = {"host": host, "fingerprint": fingerprint(der)}
    raise CertificateError(Problem("pin_mismatch", stage="encrypt", facts=facts))


def _look(reopen: Reopen, host: str, clock: Clock) -> tuple[Certificate | None, str]:
    """Certificate and TLS version of a handshake that verifies nothing; (None, "") where it fails."""
    context = _unverifying_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    try:
        with handshake(
            reopen(), context, host, clock, timeout=LOOK_SECONDS, cancelled=lambda: False
        ) as encrypted:
            der = encrypted.getpeercert(binary_form=True)
            return (read_certificate(der) if der else None), encrypted.version() or ""
    except (OSError, SoinboxError):
        return None, ""


def _fault(error: OSError, host: str, port: int, clock: Clock, reopen: Reopen) -> SoinboxError:
    """A handshake that failed before there was a certificate to judge."""
    reason = getattr(error, "reason", None) or ""
    facts = {"host": host, "port": str(port)}
    problem = Problem("server_unavailable", stage="encrypt", evidence=str(error), facts=facts)
    if reason in _OLD_REASONS or (reason and reason not in _NOT_TLS and _is_old(reopen, host, clock)):
        return ProtocolError(problem.at(code="tls_too_old"))
    if reason in _NOT_TLS or _talks_first(reopen):
        return ProtocolError(problem.at(code="tls_on_plain_port"))
    if isinstance(error, TimeoutError):
        return NetworkError(problem.at(code="timeout"))
    return ServerError(problem)


def _is_old(reopen: Reopen, host: str, clock: Clock) -> bool:
    return _look(reopen, host, clock)[1] in _OLD_VERSIONS


def _talks_first(reopen: Reopen) -> bool:
    """True when the server greets in clear text, so that it expects no TLS here."""
    try:
        with reopen() as sock:
            sock.settimeout(LOOK_SECONDS)
            return sock.recv(8).startswith(_GREETINGS)
    except (OSError, SoinboxError):
        return False
