"""The addresses that misbehave on purpose: what the servers do, and what the product should name."""

import dataclasses
from dataclasses import dataclass

from soinbox_web.rehearsal.behaviour import ImapBehaviour, SignIn, SmtpBehaviour, Tls
from soinbox_web.rehearsal.certificates import Authority, Fault

DOMAIN = "misbehaves.example"
PASSWORD = "licht-uit"  # opens the mailbox of those whose IMAP behaves
_GOOD_IMAP, _GOOD_SMTP = ImapBehaviour(), SmtpBehaviour()
_REFUSED = b"NO [AUTHENTICATIONFAILED] "


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`<name>@misbehaves.example`, on the host `<name>.misbehaves.example`, by STARTTLS.

    `expect` is the code of the problem, "" when set-up succeeds. `imap` None: a real mailbox, so the fault is
    on the sending side. `address` is where the host's name leads when nobody of ours listens there; "" there:
    the name does not exist. `note` says what happens when no problem is expected.
    """

    name: str
    expect: str
    imap: ImapBehaviour | None = _GOOD_IMAP
    smtp: SmtpBehaviour = _GOOD_SMTP
    tls: Tls = "starttls"
    fault: Fault = "none"
    old_tls: bool = False
    address: str | None = None
    note: str = ""

    @property
    def mail_address(self) -> str:
        return f"{self.name}@{DOMAIN}"

    @property
    def host(self) -> str:
        return f"{self.name}.{DOMAIN}"

    def behaviours(self, ca: Authority) -> tuple[ImapBehaviour | None, SmtpBehaviour]:
        """Both with the case's own line security and certificate."""
        identity = ca.issue(self.host, fault=self.fault) if self.tls != "none" else None
        line = {"tls": self.tls, "certificate": identity, "old_tls": self.old_tls}
        imap = dataclasses.replace(self.imap, **line) if self.imap else None  # type: ignore[arg-type]
        return imap, dataclasses.replace(self.smtp, **line)  # type: ignore[arg-type]


def _says(answer: bytes, **more: bytes) -> ImapBehaviour:
    return ImapBehaviour(sign_in=SignIn(answer=answer, before=more.get("before", b"")))


def _smtp_says(answer: bytes) -> SmtpBehaviour:
    return SmtpBehaviour(sign_in=SignIn(answer=answer))


CASES = (
    # the sign-in
    Case(name="wrong-password", expect="credentials_wrong", imap=_says(_REFUSED + b"Authentication failed.")),
    Case(
        name="app-password",
        expect="app_password_required",
        imap=_says(b"NO [ALERT] Application-specific password required"),
    ),
    Case(
        name="imap-off",
        expect="imap_disabled_by_user",
        imap=_says(b"NO [ALERT] Your account is not enabled for IMAP use. Please visit your mail settings."),
    ),
    Case(
        name="oauth-only",
        expect="oauth_required",
        imap=ImapBehaviour(
            capabilities=("IMAP4rev1", "LOGINDISABLED", "SASL-IR", "AUTH=XOAUTH2", "AUTH=OAUTHBEARER"),
            sign_in=SignIn(answer=b"NO Basic authentication is disabled."),
        ),
        smtp=SmtpBehaviour(extensions=("8BITMIME", "AUTH XOAUTH2")),
    ),
    Case(
        name="web-login",
        expect="web_login_required",
        imap=_says(
            b"NO [ALERT] Please log in via your web browser",
            before=b"* NO [WEBALERT https://misbehaves.example/confirm] Web login required.\r\n",
        ),
    ),
    Case(
        name="locked",
        expect="account_locked",
        imap=_says(b"NO [AUTHORIZATIONFAILED] Your account has been locked."),
    ),
    Case(
        name="expired-password",
        expect="password_expired",
        imap=_says(b"NO [EXPIRED] Your password has expired."),
    ),
    Case(
        name="no-mechanism",
        expect="no_common_mechanism",
        imap=ImapBehaviour(capabilities=("IMAP4rev1", "LOGINDISABLED", "AUTH=GSSAPI")),
    ),
    # the server
    Case(
        name="unavailable",
        expect="server_unavailable",
        imap=_says(b"NO [UNAVAILABLE] Temporary authentication failure."),
    ),
    Case(
        name="busy",
        expect="too_many_connections",
        imap=_says(b"NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded"),
    ),
    Case(name="throttled", expect="rate_limited", imap=_says(b"NO [LIMIT] Rate limit hit. Try again later.")),
    Case(name="full", expect="over_quota", imap=_says(b"NO [OVERQUOTA] Quota exceeded (mailbox is full).")),
    Case(name="dropped", expect="dropped_during_login", imap=ImapBehaviour(close_at="SIGN_IN")),
    Case(
        name="no-inbox",
        expect="inbox_missing",
        imap=ImapBehaviour(
            answers={
                "EXAMINE": b"NO [NONEXISTENT] Mailbox doesn't exist: INBOX",
                "SELECT": b"NO [NONEXISTENT] Mailbox doesn't exist: INBOX",
            }
        ),
    ),
    Case(
        name="slow",
        expect="",
        note="works, slowly",
        imap=ImapBehaviour(delays={"GREETING": 1.0, "STARTTLS": 0.5, "CAPABILITY": 0.5, "SIGN_IN": 2.0}),
        smtp=SmtpBehaviour(delays={"GREETING": 1.0, "SIGN_IN": 1.5}),
    ),
    # the network
    Case(name="refused", expect="refused", address="127.0.78.78"),
    Case(name="no-such-host", expect="host_missing", address=""),
    Case(name="private", expect="private_blocked", address="10.11.12.13"),
    Case(name="silent", expect="timeout", imap=ImapBehaviour(stall_at="GREETING")),
    Case(name="wrong-service", expect="wrong_service", imap=ImapBehaviour(greeting=b"+OK POP3 ready\r\n")),
    # the line
    Case(name="starttls-missing", expect="starttls_missing", tls="none"),
    Case(
        name="starttls-refused",
        expect="starttls_failed",
        imap=ImapBehaviour(answers={"STARTTLS": b"NO TLS is not available right now"}),
        smtp=SmtpBehaviour(answers={"STARTTLS": b"454 4.7.0 TLS not available"}),
    ),
    Case(name="tls-only", expect="plain_on_tls_port", tls="implicit"),
    Case(name="expired-certificate", expect="cert_expired", fault="expired"),
    Case(name="future-certificate", expect="cert_not_yet_valid", fault="not_yet_valid"),
    Case(name="wrong-name", expect="cert_name_mismatch", fault="wrong_name"),
    Case(name="self-signed", expect="cert_self_signed", fault="self_signed"),
    Case(name="unknown-issuer", expect="cert_untrusted_chain", fault="unknown_ca"),
    Case(name="half-chain", expect="cert_untrusted_chain", fault="missing_intermediate"),
    Case(name="old-tls", expect="tls_too_old", old_tls=True),
    # sending only
    Case(
        name="smtp-refuses",
        expect="credentials_wrong",
        imap=None,
        smtp=_smtp_says(b"535 5.7.8 Error: authentication failed"),
    ),
    Case(
        name="smtp-off",
        expect="smtp_auth_disabled",
        imap=None,
        smtp=_smtp_says(
            b"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."
        ),
    ),
    Case(
        name="relay-only", expect="smtp_relay_only", imap=None, smtp=SmtpBehaviour(extensions=("8BITMIME",))
    ),
    Case(
        name="bounces",
        expect="",
        note="sending: every recipient is refused",
        imap=None,
        smtp=SmtpBehaviour(answers={"RCPT": b"550 5.1.1 No such recipient here"}),
    ),
    Case(
        name="greylists",
        expect="",
        note="sending: every recipient is put off",
        imap=None,
        smtp=SmtpBehaviour(answers={"RCPT": b"450 4.2.0 Greylisted, come back later"}),
    ),
    Case(
        name="uncertain",
        expect="",
        note="sending: cut before the last answer",
        imap=None,
        smtp=SmtpBehaviour(close_at="DOT"),
    ),
)
