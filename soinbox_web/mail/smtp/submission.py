"""An SMTP submission: connected and secured step by step, signed in once, each message handed over once."""

import contextlib
import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from soinbox_web.mail import sasl
from soinbox_web.mail.diagnose import Refusal, error_of, unexpected_greeting
from soinbox_web.mail.imap.client import refuse_breaks
from soinbox_web.mail.net.network import Network
from soinbox_web.mail.net.opening import Timeouts, better_named, check_plain_allowed, open_socket, secure
from soinbox_web.mail.net.wire import Wire
from soinbox_web.mail.smtp.delivery import BeforeDot, deliver
from soinbox_web.mail.smtp.dialogue import Dialogue, Reply
from soinbox_web.mail.stages import Stages
from soinbox_web.model.provider import Provider
from soinbox_web.model.server import Login
from soinbox_web.model.server_answer import shown
from soinbox_web.model.submission import SubmissionResult
from soinbox_web.problems import Problem, SoinboxError

GOODBYE_SECONDS = 2.0
_WORD = re.compile(rb"250[ -]([A-Za-z0-9-]+)[ =]?([ -~]*)")


@dataclass
class SmtpConnection:
    """One connection; `extensions` maps what EHLO offers (capitals) to its parameters.

    `connect` and `sign_in` raise leaves of SoinboxError with stage and evidence; Cancelled may pass. Use as a
    context manager, or `quit()`.
    """

    login: Login
    dialogue: Dialogue
    stages: Stages
    timeouts: Timeouts
    extensions: dict[str, str] = field(default_factory=dict)

    _challenged = sasl.Challenge()  # why a token was refused

    @classmethod
    def connect(
        cls,
        login: Login,
        network: Network,
        *,
        provider: Provider | None = None,
        stages: Stages | None = None,
        timeouts: Timeouts = Timeouts(),
    ) -> Self:
        """Connect, greet and encrypt as `login.security` says; no secret is sent yet."""
        stages = stages or Stages("smtp", login, provider, clock=network.clock)
        with better_named("smtp", login, network, timeouts):
            wire = Wire(open_socket(login, network, stages, timeouts), network.clock)
            try:
                connection = cls(login, Dialogue(wire, timeouts.command), stages, timeouts)
                connection._greet(network)
                return connection
            except BaseException:
                wire.close()
                raise

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What EHLO offers, a line each."""
        return tuple(f"{name} {words}".strip() for name, words in self.extensions.items())

    def sign_in(self, secret: str, *, token: bool = False) -> None:
        """One mechanism and one AUTH command, whatever the answer (RFC 4954)."""
        with self.stages.at("sign_in", self.login.username):
            refuse_breaks(secret)
            self.stages.secret, self.stages.token = secret, token
            reply = self._authenticate(secret, token)
            if reply.code != 235:
                if self._challenged.too_narrow:
                    raise error_of(Problem("consent_missing", evidence=self._challenged.scope))
                raise Refusal([reply.raw])

    def submit(
        self, envelope_from: str, recipients: Sequence[str], data: bytes, *, before_dot: BeforeDot
    ) -> SubmissionResult:
        """Hand over one message; see `mail.delivery.deliver`."""
        return deliver(self, envelope_from, recipients, data, before_dot)

    def quit(self) -> None:
        """Say goodbye, within 2 s, and close; never fails."""
        with contextlib.suppress(OSError, SoinboxError):
            self.dialogue.ask(b"QUIT", seconds=GOODBYE_SECONDS)
        self.close()

    def hang_up(self) -> None:
        """End the line from another thread than the one that uses it; that one closes it."""
        self.dialogue.wire.hang_up()

    def close(self) -> None:
        """Hang up at once."""
        self.dialogue.wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.quit() if error is None else self.close()

    # Greeting and STARTTLS.

    def _greet(self, network: Network) -> None:
        wire, security = self.dialogue.wire, self.login.security
        with self.stages.at("greet"):
            first = self.dialogue.greeting(self.timeouts.greeting)
            if not first.startswith(b"220") or b"FTP" in first.upper().split():
                raise unexpected_greeting("smtp", first)
            self._ehlo()
        if security == "starttls":
            with self.stages.at("encrypt") as step:
                step.detail = str(self._start_tls(network).version())
        elif security == "none":
            check_plain_allowed(self.login, network, self.stages, wire.sock)

    def _ehlo(self) -> None:
        reply = self.dialogue.ask(b"EHLO " + _our_name(self.dialogue.wire.sock))
        if reply.code != 250:
            raise Refusal([reply.raw])
        self.extensions = {}
        for line in reply.lines[1:]:
            if found := _WORD.fullmatch(line):
                name, words = (part.decode("ascii", "replace").upper() for part in found.groups())
                self.extensions[name] = f"{self.extensions.get(name, '')} {words}".strip()

    def _start_tls(self, network: Network) -> ssl.SSLSocket:
        wire = self.dialogue.wire
        if "STARTTLS" not in self.extensions:
            raise error_of(Problem("starttls_missing"))
        reply = self.dialogue.ask(b"STARTTLS")
        if reply.code != 220:
            raise error_of(Problem("starttls_failed", evidence=shown(reply.raw)))
        if wire.buffered:
            raise error_of(Problem("starttls_failed", evidence="data before the handshake"))

        def reopen() -> socket.socket:
            sock = network.connect(self.login.host, self.login.port, timeout=self.timeouts.probe)
            again = Dialogue(Wire(sock, network.clock), self.timeouts.probe)
            again.greeting(self.timeouts.probe)
            again.ask(b"EHLO " + _our_name(sock))
            again.ask(b"STARTTLS")
            return sock

        encrypted = secure(wire.sock, self.login, network, self.stages, self.timeouts, reopen)
        wire.secure(encrypted)
        self._ehlo()
        return encrypted

    # Signing in.

    def _authenticate(self, secret: str, token: bool) -> Reply:
        offered = set(self.extensions.get("AUTH", "").split())
        login, ask = self.login, self.dialogue.ask
        if token and (mechanism := sasl.token_mechanism(offered)):
            message = sasl.bearer(mechanism, login.username, secret, login.host, login.port)
            reply = ask(b"AUTH " + mechanism.encode() + b" " + message)
            if reply.code != 334:
                return reply
            self._challenged = sasl.challenge(reply.text)
            return ask(b"")
        if not token and "PLAIN" in offered:
            message = sasl.plain(login.username, secret)
            reply = ask(b"AUTH PLAIN " + message)
            return ask(message) if reply.code == 334 else reply
        if not token and "LOGIN" in offered:
            reply = ask(b"AUTH LOGIN")
            for word in (login.username, secret):
                if reply.code == 334:
                    reply = ask(sasl.login_step(word))
            return reply
        raise error_of(self._no_mechanism(offered, token))

    def _no_mechanism(self, offered: set[str], token: bool) -> Problem:
        names = ", ".join(sorted(offered))
        facts = {"mechanisms": names or "—"}
        if not offered and not self.dialogue.wire.encrypted and "STARTTLS" in self.extensions:
            return Problem("encryption_required", facts=facts)
        if not offered:
            return Problem("smtp_relay_only", facts=facts)
        if offered <= sasl.TOKEN_MECHANISMS and not token:
            return Problem("oauth_required", evidence=f"AUTH {names}", facts=facts)
        return Problem("no_common_mechanism", evidence=f"AUTH {names}", facts=facts)


def _our_name(sock: socket.socket) -> bytes:
    """An address literal (RFC 5321 section 4.1.3): it tells no more than the connection itself."""
    address: str = sock.getsockname()[0].partition("%")[0]
    return f"[IPv6:{address}]".encode() if ":" in address else f"[{address}]".encode()
