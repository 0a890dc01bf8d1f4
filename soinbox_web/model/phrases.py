"""What servers write when they refuse, as anchored patterns: the providers' own words, then anybody's.

A pattern is matched from the first character of the text, after status and bracketed code; `$` ends it where
more words could turn its meaning. The answers were gathered from public threads of the providers' users.
"""

import re
from dataclasses import dataclass, field

from soinbox_web.model.server import Protocol


@dataclass(frozen=True, slots=True)
class Phrase:
    """One pattern and its meaning; the attributes after `alternatives` limit where it counts.

    `of` holds link domains of the providers whose words they are; `token` tells whether an OAuth token (True)
    or a password (False) was refused.
    """

    pattern: str
    code: str
    alternatives: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    side: Protocol | None = None
    status: str = ""
    token: bool | None = None
    matches: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "matches", re.compile(self.pattern, re.IGNORECASE))


GOOGLE = ("google.com",)
MICROSOFT = ("microsoft.com", "outlook.com", "office.com", "live.com")
YANDEX = ("yandex.com", "yandex.ru")
NETEASE = ("163.com", "126.com", "yeah.net", "netease.com")

PROVIDER_PHRASES = (
    Phrase(r"IMAP access is not allowed for this account\b", "imap_disabled_by_admin", of=GOOGLE),
    Phrase(r"(?:LOGIN|AUTHENTICATE) failed\.?$", "oauth_required", of=MICROSOFT, status="NO", token=False),
    Phrase(
        r"AUTHENTICATE failed\.?$",
        "token_revoked",
        ("consent_missing", "imap_disabled_by_user"),
        of=MICROSOFT,
        status="NO",
        token=True,
    ),
    Phrase(
        r"Authentication unsuccessful(?:$| \[)", "oauth_required", of=MICROSOFT, status="535", token=False
    ),
    Phrase(
        r"Authentication unsuccessful, the user credentials were incorrect\b",
        "oauth_required",
        of=MICROSOFT,
        status="535",
        token=False,
    ),
    Phrase(r"Command Error\. 1[02]\.?$", "server_unavailable", of=MICROSOFT, status="BAD", token=False),
    Phrase(
        r"Command Error\. 1[02]\.?$",
        "token_revoked",
        ("server_unavailable",),
        of=MICROSOFT,
        status="BAD",
        token=True,
    ),
    Phrase(
        r"(?:LOGIN )?Invalid credentials or IMAP is disabled\b",
        "imap_disabled_by_user",
        ("app_password_required", "credentials_wrong"),
        of=YANDEX,
        side="imap",
    ),
    Phrase(r"(?:SELECT |EXAMINE )?Unsafe Login\b", "client_id_required", of=NETEASE, side="imap"),
)

CLEAR_PHRASES = (
    Phrase(r"Application-specific password required\b", "app_password_required"),
    Phrase(r"Please log in via your web browser\b", "web_login_required"),
    Phrase(r"Log ?in to your account via a web browser\b", "web_login_required"),
    Phrase(r"Web login required\b", "web_login_required"),
    Phrase(
        r"IMAP access is not allowed for this account\b", "imap_disabled_by_admin", ("imap_disabled_by_user",)
    ),
    Phrase(r"IMAP access is disabled for your domain\b", "imap_disabled_by_admin"),
    Phrase(
        r"Your account is not enabled for IMAP use\b", "imap_disabled_by_user", ("imap_disabled_by_admin",)
    ),
    Phrase(r"You are yet to enable IMAP for your account\b", "imap_disabled_by_user"),
    Phrase(r"(?:Authentication unsuccessful, )?basic authentication is disabled\b", "oauth_required"),
    Phrase(
        r"(?:Authentication unsuccessful, )?SmtpClientAuthentication is disabled for the (?:tenant|mailbox)",
        "smtp_auth_disabled",
        side="smtp",
    ),
    Phrase(r"User is authenticated but not connected\b", "authenticated_not_connected", side="imap"),
    Phrase(r"Maximum number of connections\b", "too_many_connections", side="imap"),
    Phrase(r"Too many (?:simultaneous |concurrent )?connections\b", "too_many_connections"),
    Phrase(
        r"Too many (?:bad |failed )?(?:login|auth|authentication) (?:attempts|failures)\b", "rate_limited"
    ),
    Phrase(r"Request is throttled\b", "rate_limited"),
    Phrase(r"Rate limit hit\b", "rate_limited"),
    Phrase(
        r"Plaintext authentication (?:not allowed|disallowed) (?:without|on non-secure)\b",
        "encryption_required",
    ),
    Phrase(r"Must issue a STARTTLS command first\b", "encryption_required", side="smtp"),
)
"""The cause in so many words; these outrank a response code."""

FAINT_PHRASES = (
    Phrase(r"Temporary authentication failure\b", "server_unavailable"),
    Phrase(r"(?:The )?Service is temporarily (?:not available|unavailable)\b", "server_unavailable"),
    Phrase(r"(?:Internal (?:server )?error|Server (?:error|busy|shutting down))\b", "server_unavailable"),
    Phrase(r"Connection closed\. 14\.?$", "server_unavailable", ("token_revoked",)),
    Phrase(
        r"(?:Your |This )?account (?:is|has been) (?:temporarily )?(?:locked|suspended|blocked)\b",
        "account_locked",
    ),
    Phrase(r"(?:Your |The )?password (?:is |has )?expired\b", "password_expired"),
    Phrase(r"(?:SELECT |EXAMINE )?Unsafe Login\b", "client_id_required", ("account_locked",), side="imap"),
)
"""Looser words: a response code and the provider's policy come first."""

WRONG_CREDENTIALS = re.compile(
    r"(?:(?:LOGIN|AUTHENTICATE) )?(?:Error: )?"
    r"(?:Invalid (?:credentials|login|login or password|user ?name or password|user or password)"
    r"|(?:LOGIN|AUTHENTICATE|Authentication|Sign-in) (?:failed|failure|unsuccessful)"
    r"|authentication failed: (?:authentication failure|bad username or password|invalid user or password)"
    r"|(?:Incorrect|Wrong|Bad) (?:user ?name or password|login or password|credentials)"
    r"|Incorrect authentication data|Authentication credentials invalid"
    r"|(?:The )?User ?name (?:and|or) password (?:not accepted|(?:is |are )?incorrect)"
    r"(?:\. (?:For more information, go to|Learn more at) https://\S+ ?\S*(?: - gsmtp)?)?)"
    r"(?: ?\(Failure\)| ?\(#[\d.]+\))?[.!]?(?: \[[^\]]*\]| sc=\S+)?",
    re.IGNORECASE,
)
"""Texts that say nothing but *refused*; matched as a whole."""
