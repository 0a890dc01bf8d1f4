"""What a server's refusal means: read in a fixed order, and never more than the evidence says.

Order (setup.md section 4): the provider's own phrase, the response code (RFC 5530, RFC 3463), the provider's
policy with the shape of the password, a general phrase, unknown.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from soinbox_web.model.phrases import (
    CLEAR_PHRASES,
    FAINT_PHRASES,
    PROVIDER_PHRASES,
    WRONG_CREDENTIALS,
    Phrase,
)
from soinbox_web.model.provider import Provider
from soinbox_web.model.server import Policy, Protocol, Security
from soinbox_web.model.server_answer import ServerAnswer, own_link, read_answer, shown

__all__ = ["Reading", "SecretShape", "read_refusal", "service_of", "shown"]

SecretShape = Literal["fits", "differs", "unknown", "token"]
"""Whether the secret looks as this provider's app passwords do."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A verdict: its code, the decisive line as it may be shown, and what else the evidence allows."""

    code: str
    line: str = ""
    alternatives: tuple[str, ...] = ()
    retry_after_seconds: int | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class _Case:
    """All that a reading may look at besides the line."""

    side: Protocol
    stage: str
    provider: Provider | None
    shape: SecretShape
    security: Security


IMAP_CODES = {
    "AUTHORIZATIONFAILED": "account_locked",
    "EXPIRED": "password_expired",
    "PRIVACYREQUIRED": "encryption_required",
    "UNAVAILABLE": "server_unavailable",
    "SERVERBUG": "server_unavailable",
    "CORRUPTION": "server_unavailable",
    "INUSE": "too_many_connections",
    "LIMIT": "rate_limited",
    "OVERQUOTA": "over_quota",
    "WEBALERT": "web_login_required",
    "CONTACTADMIN": "account_locked",
}
SMTP_CODES = {
    "4.2.2": "over_quota",
    "5.2.2": "over_quota",
    "5.7.4": "no_common_mechanism",
    "5.7.13": "account_locked",
    "4.7.12": "password_expired",
    "5.7.11": "encryption_required",
}
SMTP_STATUSES = {
    "421": "server_unavailable",
    "432": "password_expired",
    "450": "server_unavailable",
    "451": "server_unavailable",
    "454": "server_unavailable",
    "504": "no_common_mechanism",
    "525": "account_locked",
    "530": "encryption_required",
    "538": "encryption_required",
}
VAGUE = {"CONTACTADMIN": ("imap_disabled_by_admin",), "AUTHORIZATIONFAILED": ("imap_disabled_by_admin",)}
AT_THE_INBOX = {"NOPERM", "NONEXISTENT", "CANNOT"}
CREDENTIAL_CODES = {"AUTHENTICATIONFAILED", "5.7.8", "5.7.3"}
POLICY_CODES: dict[Policy, str] = {
    "password": "credentials_wrong",
    "app_password": "app_password_required",
    "oauth_only": "oauth_required",
    "enable_imap": "imap_disabled_by_user",
}
OTHER_REASONS = ("app_password_required", "imap_disabled_by_user", "account_locked")

SERVICES = {
    b"* ": "IMAP",
    b"220": "SMTP",
    b"421": "SMTP",
    b"554": "SMTP",
    b"+OK": "POP3",
    b"-ERR": "POP3",
    b"SSH-": "SSH",
    b"HTTP/": "HTTP",
    b"\x15\x03": "TLS",
}
_BACKOFF = re.compile(r"\bBackoff Time: (\d{1,9}) milliseconds", re.IGNORECASE)
_TRY_AGAIN = re.compile(
    r"\b(?:try|retry)(?: again)? (?:in|after) (\d{1,6}) (second|minute|hour)s?\b", re.IGNORECASE
)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


def read_refusal(
    side: Protocol,
    stage: str,
    lines: Sequence[bytes],
    *,
    provider: Provider | None = None,
    shape: SecretShape = "unknown",
    security: Security = "ssl",
) -> Reading:
    """The verdict on a server's lines as they came; an SMTP reply is one item, its lines joined by LF."""
    case = _Case(side, stage, provider, shape, security)
    answers = [read_answer(line) for line in lines if line.strip()]
    for read in (_own_phrase, _response_code, _credentials, _general_phrase):
        for answer in answers:
            if reading := read(answer, case):
                return reading
    last = answers[-1] if answers else ServerAnswer("", "", "", "")
    return _verdict(
        "inbox_missing" if stage == "open_inbox" and last.status == "NO" else "unknown", last, case
    )


def _own_phrase(answer: ServerAnswer, case: _Case) -> Reading | None:
    own = set(case.provider.link_domains) if case.provider else set()
    phrases = [p for p in PROVIDER_PHRASES if own.intersection(p.of)]
    return _said((*phrases, *CLEAR_PHRASES), answer, case)


def _said(phrases: Sequence[Phrase], answer: ServerAnswer, case: _Case) -> Reading | None:
    for phrase in phrases:
        if (
            phrase.side in (None, case.side)
            and phrase.status in ("", answer.status)
            and phrase.token in (None, case.shape == "token")
            and phrase.matches.match(answer.text)
        ):
            return _verdict(phrase.code, answer, case, phrase.alternatives)
    return None


def _response_code(answer: ServerAnswer, case: _Case) -> Reading | None:
    if case.side == "imap":
        if case.stage == "open_inbox" and answer.code in AT_THE_INBOX:
            return _verdict("inbox_missing", answer, case)
        code = IMAP_CODES.get(answer.code, "")
    else:
        code = SMTP_CODES.get(answer.code) or SMTP_STATUSES.get(answer.status, "")
        if answer.status == "530" and case.security != "none":
            code = ""  # we were encrypted: it wants something else
    return _verdict(code, answer, case, VAGUE.get(answer.code, ())) if code else None


def _credentials(answer: ServerAnswer, case: _Case) -> Reading | None:
    """The sign-in was refused and no reason given: what the provider is known for says more."""
    if case.stage != "sign_in" or answer.status not in {"NO", "BAD", "535", "534"}:
        return None
    plain = not answer.text or WRONG_CREDENTIALS.fullmatch(answer.text) is not None
    coded = answer.code in CREDENTIAL_CODES or (answer.status == "535" and not answer.code)
    if not (coded or (plain and answer.text and answer.status in {"NO", "535", "534"} and not answer.code)):
        return None
    if case.shape == "token":
        return _verdict("token_revoked", answer, case, ("consent_missing", "imap_disabled_by_user"))
    causes = _by_policy(case)
    if not plain:  # the code says refused, the words may say why
        causes += [cause for cause in OTHER_REASONS if cause not in causes]
    code, *others = causes
    return _verdict(code, answer, case, tuple(others))


def _by_policy(case: _Case) -> list[str]:
    """Causes of a refused sign-in at this provider, the likeliest first."""
    if case.provider is None:
        return ["credentials_wrong", "username_form"]
    policies = case.provider.policies
    if "oauth_only" in policies:
        return ["oauth_required"]
    causes = [POLICY_CODES[policy] for policy in policies if policy in POLICY_CODES]
    if case.shape == "differs" and causes == ["app_password_required"]:
        return causes
    if case.shape == "fits" and "app_password_required" in causes:
        causes.remove("app_password_required")  # one was typed: it is wrong or was withdrawn
    if case.side == "smtp":
        causes.sort(key="imap_disabled_by_user".__eq__)
    return list(dict.fromkeys([*causes, "credentials_wrong"]))


def _general_phrase(answer: ServerAnswer, case: _Case) -> Reading | None:
    if reading := _said(FAINT_PHRASES, answer, case):
        return reading
    if answer.temporary or (answer.status == "BYE" and case.stage in {"greet", "open_inbox"}):
        return _verdict("server_unavailable", answer, case)
    return None


def _verdict(code: str, answer: ServerAnswer, case: _Case, alternatives: tuple[str, ...] = ()) -> Reading:
    return Reading(code, answer.line, alternatives, _wait(answer.line), own_link(answer.line, case.provider))


def _wait(line: str) -> int | None:
    """The seconds a server asks us to wait, at most a day."""
    if match := _BACKOFF.search(line):
        return min(86_400, max(1, -(-int(match[1]) // 1000)))
    if match := _TRY_AGAIN.search(line):
        return min(86_400, int(match[1]) * _SECONDS[match[2].lower()])
    return None


def service_of(first: bytes) -> str:
    """What a server's first bytes speak: IMAP, SMTP, POP3, FTP, SSH, HTTP, TLS, or "" (unknown)."""
    if first.startswith(b"220") and re.match(rb"220[ -].*\bFTP", first, re.IGNORECASE):
        return "FTP"
    return next((name for start, name in SERVICES.items() if first.startswith(start)), "")
