"""The one place where errors of sockets, TLS, imaplib and our SMTP dialogue become problems."""

import base64
import socket
import ssl
from collections.abc import Sequence

from imap_tools.errors import ImapToolsError, UnexpectedCommandStatusError

from soinbox_web.mail.discovery import providers
from soinbox_web.mail.imap.client import ImapAbort, ImapError
from soinbox_web.mail.net.wire import Overflow
from soinbox_web.model.diagnosis import Reading, SecretShape, read_refusal, service_of, shown
from soinbox_web.model.provider import Provider
from soinbox_web.model.server import DEFAULT_PORTS, Endpoint, Login, Protocol
from soinbox_web.problems import Problem, SoinboxError
from soinbox_web.problems.catalogue import LEAVES


class Refusal(Exception):
    """The server said no; `lines` are its own, as they came, the decisive one last."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        super().__init__("refused")
        self.lines = tuple(lines)


FOREIGN = (SoinboxError, Refusal, OSError, ImapError, ImapToolsError)
"""What `problem_of` understands; anything else is a mistake of ours and must surface as one."""


MAIL_SERVICES = ("IMAP", "SMTP", "POP3")
"""Services whose greeting may be quoted; the others' would turn us into a port scanner."""
HELPED = {"app_password_required", "oauth_required", "imap_disabled_by_user", "client_id_required"}
"""Causes whose way out is on the provider's own help page."""


def error_of(problem: Problem) -> SoinboxError:
    """The leaf of the error tree that carries `problem`."""
    return LEAVES[problem.code](problem)


def problem_of(
    error: BaseException,
    *,
    side: Protocol,
    stage: str,
    login: Login,
    provider: Provider | None = None,
    secret: str = "",
    token: bool = False,
) -> Problem:
    """What went wrong, for the person: never more than the evidence says.

    `stage` is where it happened; `secret` tells whether it can be an app password, and is cut out of what the
    server echoes.
    """
    provider = provider or providers.by_host(login.host)
    facts = _facts(side, login, provider)
    if isinstance(error, SoinboxError):
        found = error.problem
        if found.code in ("starttls_missing", "starttls_failed"):
            facts["suggestion"] = str(DEFAULT_PORTS[side, "ssl"])
        return found.at(
            side=side,
            stage=found.stage or stage,
            facts={**facts, **found.facts},
            help_url=found.help_url or _help_url(found.code, provider),
        )
    lines = _lines(error)
    if lines:
        clean = [_without(secret, line) for line in lines]
        shape = secret_shape(provider, secret, token=token)
        reading = read_refusal(side, stage, clean, provider=provider, shape=shape, security=login.security)
        return _from_reading(reading, side, stage, facts, provider)
    return Problem(_code(error, stage), side, stage, evidence=shown(str(error).encode()), facts=facts)


def secret_shape(provider: Provider | None, secret: str, *, token: bool = False) -> SecretShape:
    """Whether `secret` looks as this provider's app passwords do; `unknown` where that cannot be told."""
    if token:
        return "token"
    if not secret or provider is None or not provider.password_shape:
        return "unknown"
    if provider.policies[:1] != ("app_password",):
        return "unknown"
    return "fits" if providers.password_fits(provider, secret) else "differs"


def unexpected_greeting(side: Protocol, first: bytes) -> Exception:
    """What to raise for a first line that is no welcome; other services' banners are not quoted."""
    service = service_of(first)
    if not first:
        return ConnectionResetError("the server hung up without a word")
    if service == side.upper():
        return Refusal([first])
    if service == "TLS":
        return error_of(Problem("plain_on_tls_port"))
    evidence = shown(first) if service in MAIL_SERVICES else ""
    return error_of(Problem("wrong_service", evidence=evidence, facts={"service": service or "?"}))


def _from_reading(
    reading: Reading, side: Protocol, stage: str, facts: dict[str, str], provider: Provider | None
) -> Problem:
    local, at, _ = facts["username"].rpartition("@")
    if "username_form" in (reading.code, *reading.alternatives) and at:
        facts = {**facts, "suggestion": local}
    return Problem(
        reading.code,
        side,
        stage,
        evidence=reading.line,
        facts=facts,
        retry_after_seconds=reading.retry_after_seconds,
        alternatives=tuple(code for code in reading.alternatives if at or code != "username_form"),
        help_url=reading.link or _help_url(reading.code, provider),
    )


def _help_url(code: str, provider: Provider | None) -> str:
    return provider.help_url if provider and code in HELPED else ""


def _facts(side: Protocol, login: Login, provider: Provider | None) -> dict[str, str]:
    endpoint: Endpoint = login.endpoint
    return {
        "host": endpoint.host,
        "port": str(endpoint.port),
        "protocol": side.upper(),
        "username": login.username,
        "provider": provider.name if provider else endpoint.host,
        "suggestion": str(DEFAULT_PORTS[side, "ssl" if endpoint.security == "none" else endpoint.security]),
    }


def _lines(error: BaseException) -> tuple[bytes, ...]:
    """The server's own lines inside an error, or nothing when it carries none."""
    if isinstance(error, Refusal):
        return error.lines
    if isinstance(error, UnexpectedCommandStatusError):
        status, data = error.command_result
        return tuple(_bytes(status) + b" " + _bytes(part) for part in data or [b""])
    if isinstance(error, ImapAbort) and error.args:
        text = str(error.args[0]).rpartition(" => ")[2]
        return () if text.startswith(("socket error", "unexpected ")) else (b"* BYE " + text.encode(),)
    return ()


def _code(error: BaseException, stage: str) -> str:
    """The cause of an error that carries no word of the server."""
    match error:
        case Overflow():
            return "protocol_broken"
        case TimeoutError():
            return "timeout"
        case ssl.SSLCertVerificationError():
            return "cert_untrusted_chain"
        case ConnectionRefusedError():
            return "refused"
        case socket.gaierror():
            return "host_missing" if error.errno == socket.EAI_NONAME else "dns_failure"
        case OSError() | ImapAbort():
            return "dropped_during_login" if stage == "sign_in" else "server_unavailable"
    return "protocol_broken"


def _bytes(part: object) -> bytes:
    return part if isinstance(part, bytes) else str(part).encode()


def _without(secret: str, line: bytes) -> bytes:
    """The line without the secret, should the server have echoed it."""
    raw = secret.encode()
    for form in (raw, base64.b64encode(raw)):
        if len(raw) > 2:
            line = line.replace(form, b"***")
    return line
