"""An IMAP connection: opened and secured step by step, signed in once, then everything imap-tools can do."""

import contextlib
import socket
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from imap_tools import BaseMailBox, MailMessage

from soinbox_web.mail import sasl
from soinbox_web.mail.diagnose import Refusal, error_of, unexpected_greeting
from soinbox_web.mail.imap.client import GREETING_LINE, ImapClient, ImapError, refuse_breaks
from soinbox_web.mail.net.network import Network
from soinbox_web.mail.net.opening import Timeouts, better_named, check_plain_allowed, open_socket, secure
from soinbox_web.mail.net.wire import Wire
from soinbox_web.mail.stages import Stages
from soinbox_web.model.provider import Provider
from soinbox_web.model.server import Login
from soinbox_web.model.stage import StageName
from soinbox_web.problems import Problem, SoinboxError

OUR_ID = '("name" "soinbox")'
GOODBYE_SECONDS = 2.0
LINGER_SECONDS = 0.2


class MailBox(BaseMailBox):
    """imap-tools on our capped client; it never marks a message as seen."""

    client: ImapClient

    def __init__(self, client: ImapClient) -> None:
        self._capped = client
        super().__init__()
        # No cycle: what a hostile server said goes with the connection, not with some later collection.
        self.folder.mailbox = self.idle.mailbox = weakref.proxy(self)

    def _get_mailbox_client(self) -> ImapClient:
        return self._capped

    def fetch(self, *args: Any, **options: Any) -> Iterator[MailMessage]:
        return super().fetch(*args, **{**options, "mark_seen": False})


@dataclass
class ImapConnection:
    """One connection; `capabilities` are in capitals and current. Use as a context manager, or `logout()`.

    `connect`, `sign_in` and `open_inbox` raise leaves of SoinboxError with stage and evidence; for errors of
    other commands (imaplib, imap_tools, OSError) `error()` gives the leaf. Cancelled may pass.
    """

    login: Login
    mailbox: MailBox
    stages: Stages

    opened = ""  # the folder that is open, as the server spells it
    utf8 = False  # the server spells folders in UTF-8 (RFC 6855), not in modified UTF-7
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
        stages = stages or Stages("imap", login, provider, clock=network.clock)
        with better_named("imap", login, network, timeouts):
            wire = Wire(open_socket(login, network, stages, timeouts), network.clock)
            try:
                client = ImapClient(wire, command_seconds=timeouts.command, prompt_seconds=timeouts.prompt)
                connection = cls(login, MailBox(client), stages)
                connection._greet(network, timeouts)
                return connection
            except BaseException:
                wire.close()
                raise

    @property
    def client(self) -> ImapClient:
        return self.mailbox.client

    @property
    def capabilities(self) -> tuple[str, ...]:
        return self.client.capabilities

    def sign_in(self, secret: str, *, token: bool = False) -> None:
        """One mechanism, one try; then ID, and the capabilities of the signed-in state."""
        with self.stages.at("sign_in", self.login.username):
            refuse_breaks(secret)
            self.stages.secret, self.stages.token = secret, token
            with self._evidence():
                status = self._authenticate(secret, token)
            if status != "OK":
                self.client.linger(LINGER_SECONDS)
                if self._challenged.too_narrow:
                    raise error_of(Problem("consent_missing", evidence=self._challenged.scope))
                raise Refusal(self.client.refusals)
            self.client.state = "AUTH"
            self.client.learn_capabilities()
            if "ID" in self.capabilities:
                self.client.answer("ID", OUR_ID)

    def open_inbox(self) -> int:
        """EXAMINE INBOX: look, change nothing. Returns the number of messages."""
        with self.stages.at("open_inbox"):
            with self._evidence():
                status = self.client.answer("EXAMINE", "INBOX")
            if status != "OK":
                raise Refusal(self.client.refusals)
            self.client.state, self.client.is_readonly = "SELECTED", True
            count = self.client.untagged_responses.get("EXISTS", [b"0"])[-1]
            return int(count) if isinstance(count, bytes) and count.isdigit() else 0

    def error(self, error: BaseException, stage: StageName = "open_inbox") -> SoinboxError:
        """The leaf for an error of a command (imaplib, imap_tools, OSError); `stage` is where it happened."""
        return error_of(self.stages.problem(error, stage))

    def logout(self) -> None:
        """Say goodbye, within 2 s, and close; never fails."""
        self.client.command_seconds = GOODBYE_SECONDS
        with contextlib.suppress(OSError, ImapError):
            self.client.logout()
        self.close()

    def hang_up(self) -> None:
        """End the line from another thread than the one that uses it; that one closes it."""
        self.client.wire.hang_up()

    def close(self) -> None:
        """Hang up at once."""
        self.client.wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.logout() if error is None else self.close()

    # Greeting and STARTTLS.

    def _greet(self, network: Network, timeouts: Timeouts) -> None:
        wire, security = self.client.wire, self.login.security
        with self.stages.at("greet"):
            wire.allow(timeouts.greeting)
            first = wire.line(GREETING_LINE)
            if not first.startswith((b"* OK", b"* PREAUTH")):
                raise unexpected_greeting("imap", first)
            if first.startswith(b"* PREAUTH"):
                raise error_of(Problem("starttls_failed" if security != "ssl" else "protocol_broken"))
            self.client.learn_capabilities()
        if security == "starttls":
            with self.stages.at("encrypt") as step:
                self._start_tls(network, timeouts)
                step.detail = str(wire.sock.version())  # type: ignore[attr-defined]
        elif security == "none":
            check_plain_allowed(self.login, network, self.stages, wire.sock)

    def _start_tls(self, network: Network, timeouts: Timeouts) -> None:
        if "STARTTLS" not in self.capabilities:
            raise error_of(Problem("starttls_missing"))
        if self.client.answer("STARTTLS") != "OK":
            raise error_of(Problem("starttls_failed", evidence=_first(self.client.refusals)))
        if self.client.wire.buffered:
            raise error_of(Problem("starttls_failed", evidence="data before the handshake"))

        def reopen() -> socket.socket:
            again = Wire(
                network.connect(self.login.host, self.login.port, timeout=timeouts.probe), network.clock
            )
            again.allow(timeouts.probe)
            again.line(GREETING_LINE)
            again.send(b"a STARTTLS\r\n")
            while not again.line(GREETING_LINE).startswith((b"a ", b"")):
                pass
            return again.sock

        self.client.wire.secure(
            secure(self.client.wire.sock, self.login, network, self.stages, timeouts, reopen)
        )
        self.client.secure()
        self.client.learn_capabilities()

    # Signing in.

    @contextlib.contextmanager
    def _evidence(self) -> Iterator[None]:
        """A server that hangs up after it has said why refuses; it does not just drop us."""
        try:
            yield
        except (OSError, ImapError):
            said = [line for line in self.client.refusals if not line.upper().startswith(b"* OK")]
            if said:
                raise Refusal(said) from None
            raise

    def _authenticate(self, secret: str, token: bool) -> str:
        """OK, NO or BAD; raises what `error()` understands when no mechanism fits (nothing is sent then)."""
        offered = {word.removeprefix("AUTH=") for word in self.capabilities if word.startswith("AUTH=")}
        mechanism = _mechanism(self.capabilities, offered, token, (self.login.username + secret).isascii())
        if mechanism is None:
            raise error_of(self._no_mechanism(offered, token))
        if mechanism == "LOGIN":
            words = (_quoted(self.login.username), _quoted(secret))
            return self.client.answer("LOGIN", *words)
        if mechanism == "PLAIN":
            message = sasl.plain(self.login.username, secret)
        else:
            login = self.login
            message = sasl.bearer(mechanism, login.username, secret, login.host, login.port)
        initial = (message,) if "SASL-IR" in self.capabilities else ()
        return self.client.answer(
            "AUTHENTICATE", mechanism, *initial, reply=self._reply(message, bool(initial))
        )

    def _reply(self, message: bytes, sent: bool) -> Callable[[bytes], bytes]:
        """What to say to a challenge: the message when not sent yet, else an empty line (RFC 7628)."""
        left = [] if sent else [message]

        def reply(challenge: bytes) -> bytes:
            if left:
                return left.pop()
            self._challenged = sasl.challenge(challenge)
            return b""

        return reply

    def _no_mechanism(self, offered: set[str], token: bool) -> Problem:
        names = ", ".join(sorted(offered)) or "—"
        facts = {"mechanisms": names}
        if not self.client.wire.encrypted and "LOGINDISABLED" in self.capabilities:
            return Problem("encryption_required", facts=facts)
        if offered and offered <= sasl.TOKEN_MECHANISMS and not token:
            return Problem("oauth_required", evidence=f"AUTH: {names}", facts=facts)
        return Problem("no_common_mechanism", evidence=f"AUTH: {names}", facts=facts)


def _mechanism(
    capabilities: tuple[str, ...], offered: set[str], token: bool, ascii_only: bool
) -> sasl.Mechanism | None:
    if token:
        return sasl.token_mechanism(offered)
    if "PLAIN" in offered and ("SASL-IR" in capabilities or not ascii_only):
        return "PLAIN"
    if offered and offered <= sasl.TOKEN_MECHANISMS:
        return None
    if "LOGINDISABLED" not in capabilities:
        return "LOGIN"
    return "PLAIN" if "PLAIN" in offered else None


def _quoted(word: str) -> bytes:
    return b'"' + word.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _first(lines: list[bytes]) -> str:
    return lines[0].decode("utf-8", "replace")[:500] if lines else ""
