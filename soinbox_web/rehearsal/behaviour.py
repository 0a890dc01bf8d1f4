"""How a scripted server behaves: all that it says, and where it stalls, cuts or misleads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from soinbox_web.rehearsal.certificates import Identity

Tls = Literal["implicit", "starttls", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """The answer to a sign-in: bytes sent before, the answer without its tag, bytes sent after, then the end.

    `answer` None: the password decides. `before` and `after` are whole lines, with their CRLF.
    """

    answer: bytes | None = None
    before: bytes = b""
    after: bytes = b""
    close: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What both protocols share.

    `answers`, `delays` (seconds), `close_at` and `stall_at` name a moment by its command in capitals, and
    by these besides: GREETING, TLS (the handshake), SIGN_IN, and for SMTP BODY (in the middle of the message)
    and DOT (message received whole, not yet answered). An answer stands without IMAP tag and CRLF.
    `greeting` is sent as it is (its CRLF included); b"" is silence. `injected` follows the consent to
    STARTTLS in the same packet. `passwords` None: every password is right. `challenge` is the JSON that tells
    why a token is refused; b"" for none.
    """

    tls: Tls = "none"
    certificate: Identity | None = None
    old_tls: bool = False
    greeting: bytes | None = None
    sign_in: SignIn = SignIn()
    passwords: Mapping[str, str] | None = None
    answers: Mapping[str, bytes] = field(default_factory=dict)
    delays: Mapping[str, float] = field(default_factory=dict)
    close_at: str = ""
    reset: bool = False
    stall_at: str = ""
    injected: bytes = b""
    challenge: bytes = b'{"status":"401","schemes":"Bearer"}'

    def accepts(self, username: str, secret: str) -> bool:
        return self.passwords is None or self.passwords.get(username) == secret


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapBehaviour(Behaviour):
    """An IMAP server; `untagged` are whole lines sent before the answer to a command."""

    capabilities: tuple[str, ...] = (
        *("IMAP4rev1", "ID", "IDLE", "SASL-IR", "UIDPLUS", "LITERAL+", "AUTH=PLAIN", "AUTH=LOGIN"),
    )
    clear_capabilities: tuple[str, ...] = ("IMAP4rev1", "STARTTLS", "LOGINDISABLED")
    refusal: bytes = b"NO [AUTHENTICATIONFAILED] Authentication failed."
    untagged: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpBehaviour(Behaviour):
    """A submission server; `recipients` gives the answer to RCPT by address."""

    extensions: tuple[str, ...] = (
        *("SIZE 26214400", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "AUTH PLAIN LOGIN"),
    )
    clear_extensions: tuple[str, ...] = ("SIZE 26214400", "8BITMIME", "STARTTLS")
    refusal: bytes = b"535 5.7.8 Error: authentication failed"
    recipients: Mapping[str, bytes] = field(default_factory=dict)
