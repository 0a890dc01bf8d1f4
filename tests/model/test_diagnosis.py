"""What servers answer, and what it means: the known answers, and strange ones that must not be over-read."""

# ruff: noqa: E501  (servers' lines are quoted whole)

import pytest

from soinbox_web.mail.diagnose import secret_shape
from soinbox_web.mail.discovery.providers import all_providers, by_key
from soinbox_web.model.diagnosis import Reading, read_refusal, service_of
from soinbox_web.model.phrases import CLEAR_PHRASES, FAINT_PHRASES, PROVIDER_PHRASES
from soinbox_web.model.server import Protocol
from soinbox_web.model.server_answer import own_link, read_answer, shown
from soinbox_web.problems.catalogue import KINDS

NORMAL = "Zomer2026!"
APP = {"google16": "abcdefghijklmnop", "letters16": "abcdefghijklmnop", "apple4x4": "abcd-efgh-ijkl-mnop"}


def read(
    side: Protocol,
    line: str,
    key: str = "",
    *,
    stage: str = "sign_in",
    app: bool = False,
    token: bool = False,
    before: str = "",
) -> Reading:
    """The reading of one answer at a provider, with a normal password unless told otherwise."""
    provider = by_key(key) if key else None
    assert provider or not key, key
    secret = APP.get(provider.password_shape, NORMAL) if provider and app else NORMAL
    shape = secret_shape(provider, secret, token=token)
    tagged = f"s1 {line}" if side == "imap" else line
    lines = [text.encode() for text in (before, tagged) if text]
    return read_refusal(side, stage, lines, provider=provider, shape=shape)


# number in setup.md section 4, side, provider, answer, code
KNOWN = [
    (1, "imap", "gmail", "NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)", "app_password_required"),
    (2, "imap", "gmail", "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", "app_password_required"),
    (3, "imap", "gmail", "NO [ALERT] Please log in via your web browser: https://support.google.com/mail/accounts/answer/78754 (Failure)", "web_login_required"),
    (4, "imap", "gmail", "NO [ALERT] IMAP access is not allowed for this account.", "imap_disabled_by_admin"),
    (5, "imap", "gmail", "NO [ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings page and enable your account for IMAP access. (Failure)", "imap_disabled_by_user"),
    (5, "imap", "gmail", "NO [ALERT] IMAP access is disabled for your domain. Please contact your domain administrator for questions about this feature. (Failure)", "imap_disabled_by_admin"),
    (6, "imap", "gmail", "NO [ALERT] Too many simultaneous connections. (Failure)", "too_many_connections"),
    (8, "smtp", "gmail", "534-5.7.9 Application-specific password required. For more information, go to\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor a1 - gsmtp", "app_password_required"),
    (9, "smtp", "gmail", "535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials a1 - gsmtp", "app_password_required"),
    (10, "imap", "office365", "NO LOGIN failed.", "oauth_required"),
    (10, "imap", "office365", "NO AUTHENTICATE failed.", "oauth_required"),
    (11, "imap", "outlook", "NO Basic authentication is disabled.", "oauth_required"),
    (13, "imap", "office365", "BAD User is authenticated but not connected.", "authenticated_not_connected"),
    (14, "imap", "office365", "BAD Command Error. 12", "server_unavailable"),
    (15, "imap", "office365", "BAD Request is throttled. Suggested Backoff Time: 293000 milliseconds", "rate_limited"),
    (16, "smtp", "office365", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. [AM0.prod.outlook.com]", "smtp_auth_disabled"),
    (17, "smtp", "office365", "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [AM0.prod.outlook.com]", "oauth_required"),
    (18, "smtp", "office365", "535 5.7.3 Authentication unsuccessful [AM0.prod.outlook.com]", "oauth_required"),
    (19, "imap", "outlook", "NO Login to your account via a web browser to verify your account.", "web_login_required"),
    (22, "imap", "yahoo", "NO [AUTHENTICATIONFAILED] LOGIN Invalid credentials", "app_password_required"),
    (22, "imap", "aol", "NO [AUTHENTICATIONFAILED] AUTHENTICATE Invalid credentials", "app_password_required"),
    (23, "imap", "yahoo", "NO [UNAVAILABLE] LOGIN Service is temporarily not available", "server_unavailable"),
    (25, "imap", "att", "NO [AUTHENTICATIONFAILED] LOGIN Invalid credentials", "app_password_required"),
    (26, "imap", "icloud", "NO [AUTHENTICATIONFAILED] Authentication failed", "app_password_required"),
    (27, "imap", "gmx-net", "NO authentication failed", "imap_disabled_by_user"),
    (27, "imap", "web-de", "NO authentication failed", "imap_disabled_by_user"),
    (28, "imap", "t-online", "NO [AUTHENTICATIONFAILED] Authentication failed.", "app_password_required"),
    (36, "imap", "", "NO [AUTHENTICATIONFAILED] Authentication failed.", "credentials_wrong"),
    (37, "imap", "", "NO [UNAVAILABLE] Temporary authentication failure. [mail.example:2026-11-23 09:00:00]", "server_unavailable"),
    (38, "imap", "", "NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)", "too_many_connections"),
    (39, "imap", "", "NO [PRIVACYREQUIRED] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.", "encryption_required"),
]  # fmt: skip
EXTRA = [
    ("imap", "NO [LIMIT] Slow down", "rate_limited"),
    ("imap", "NO [INUSE] Mailbox is in use", "too_many_connections"),
    ("imap", "NO [OVERQUOTA] Mailbox is full", "over_quota"),
    ("imap", "NO [EXPIRED] Password expired", "password_expired"),
    ("imap", "NO [SERVERBUG] Internal error", "server_unavailable"),
    ("smtp", "535 5.7.8 Error: authentication failed: authentication failure", "credentials_wrong"),
    ("smtp", "535 Incorrect authentication data", "credentials_wrong"),
    ("smtp", "454 4.7.0 Temporary authentication failure", "server_unavailable"),
    ("smtp", "421 4.3.2 Service shutting down", "server_unavailable"),
    ("smtp", "454 4.7.0 Too many login attempts, please try again later", "rate_limited"),
    ("smtp", "538 5.7.11 Encryption required", "encryption_required"),
    ("smtp", "504 5.7.4 Unrecognized authentication type", "no_common_mechanism"),
    ("smtp", "452 4.2.2 Mailbox over quota", "over_quota"),
]


@pytest.mark.parametrize(("row", "side", "key", "line", "code"), KNOWN)
def test_known_answers(row: int, side: Protocol, key: str, line: str, code: str) -> None:
    reading = read(side, line, key)
    assert reading.code == code
    assert code in reading.alternatives or reading.line, row


@pytest.mark.parametrize(("side", "line", "code"), EXTRA)
def test_codes(side: Protocol, line: str, code: str) -> None:
    assert read(side, line).code == code


def test_row_27_says_that_it_may_be_three_things() -> None:
    assert read("imap", "NO authentication failed", "gmx-net").alternatives == (
        "app_password_required",
        "credentials_wrong",
    )


def test_row_29_and_31_name_all_causes() -> None:
    for key, line in (
        ("yandex", "NO [AUTHENTICATIONFAILED] LOGIN Invalid credentials or IMAP is disabled sc=abc"),
        ("zoho-com", "NO [AUTHENTICATIONFAILED] Invalid credentials(Failure)"),
    ):
        reading = read("imap", line, key)
        assert {reading.code, *reading.alternatives} >= {"imap_disabled_by_user", "credentials_wrong"}, key


def test_row_33_an_unsafe_login_after_the_sign_in() -> None:
    line = "NO SELECT Unsafe Login. Please contact kefu@188.com for help"
    assert read("imap", line, stage="open_inbox").code == "client_id_required"


def test_a_right_looking_app_password_is_wrong_or_withdrawn() -> None:
    for key, line in (
        ("gmail", "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"),
        ("icloud", "NO [AUTHENTICATIONFAILED] Authentication failed"),
    ):
        assert read("imap", line, key, app=True).code == "credentials_wrong"


def test_a_token_is_never_called_a_password() -> None:
    for line in ("NO AUTHENTICATE failed.", "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"):
        reading = read("imap", line, "office365", token=True)
        assert reading.code == "token_revoked" and "consent_missing" in reading.alternatives


def test_the_browser_alert_and_its_link() -> None:
    link = "https://accounts.google.com/signin/continue?sarp=1"
    alert = f"* NO [WEBALERT {link}] Web login required."
    assert (
        read("imap", "NO [ALERT] Please log in via your web browser (Failure)", "gmail", before=alert).link
        == link
    )
    strange = "* NO [WEBALERT https://accounts.google.com.evil.example/x] Web login required."
    reading = read("imap", "NO no", "gmail", before=strange)
    assert (reading.code, reading.link) == ("web_login_required", "")


# Answers nobody gave us: paraphrased, translated, cut short, swapped. Each with all that may be said for sure;
# "" means: only `unknown`, or a cause that names its alternatives.
STRANGE: list[tuple[Protocol, str, str, str]] = [
    ("imap", "", "NO Anmeldung fehlgeschlagen", ""),
    ("imap", "", "NO Identifiants incorrects", ""),
    ("imap", "", "NO Wachtwoord onjuist", ""),
    ("imap", "", "NO [AUTHENTICATIONFAILED] IMAP ist für dieses Konto nicht freigeschaltet", ""),
    ("imap", "", "NO [AUTHENTICATIONFAILED] Account suspended for unpaid invoices", ""),
    ("imap", "", "NO [AUTHENTICATIONFAILED] Use an application password please", ""),
    ("imap", "", "NO [ALERT] Your mailbox will be migrated on Sunday", ""),
    ("imap", "", "NO [ALERT] imap", ""),
    ("imap", "", "NO Login failed, too many attempts, come back tomorrow", ""),
    ("imap", "", "NO authentication failed because the backend is down", ""),
    ("imap", "", "NO Authentication failed: account temporarily locked", ""),
    ("imap", "", "NO Authentication", ""),
    ("imap", "", "NO", ""),
    ("imap", "", "BAD invalid command", ""),
    ("imap", "", "NO Try later", ""),
    ("imap", "", "NO POP3 access only", ""),
    ("imap", "gmx-net", "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", ""),
    ("imap", "gmx-net", "NO LOGIN failed.", ""),
    ("imap", "gmx-net", "NO Backend unreachable", ""),
    ("imap", "gmail", "NO authentication failed", "app_password_required"),
    ("imap", "gmail", "NO LOGIN failed.", "app_password_required"),
    ("imap", "gmail", "NO [ALERT] Inicia sesión en el navegador", ""),
    ("imap", "gmail", "NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded", "too_many_connections"),
    ("imap", "gmail", "NO System error", ""),
    ("imap", "office365", "NO [AUTHENTICATIONFAILED] Authentication failed.", "oauth_required"),
    ("imap", "office365", "NO Server Unavailable. 15", ""),
    ("imap", "office365", "BAD Command Error. 10", "server_unavailable"),
    ("imap", "yahoo", "NO [AUTHENTICATIONFAILED] Authentication failed.", "app_password_required"),
    ("imap", "yahoo", "NO [LIMIT] LOGIN Rate limit hit.", "rate_limited"),
    ("imap", "icloud", "NO Incorrect username or password.", "app_password_required"),
    ("imap", "fastmail", "NO Incorrect username or password.", ""),
    ("imap", "posteo", "NO [AUTHENTICATIONFAILED] Authentication failed.", ""),
    ("imap", "mailbox-org", "NO [AUTHENTICATIONFAILED] Authentication failed.", ""),
    ("imap", "", "NO [UNAVAILABLE] Zu viele Verbindungen", "server_unavailable"),
    ("imap", "", "NO [CONTACTADMIN] Please contact support", ""),
    ("imap", "", "NO [AUTHORIZATIONFAILED] No such authorization-ID", ""),
    ("imap", "", "NO Command Error. 12", ""),
    ("imap", "", "NO The password you typed is one you used before", ""),
    ("imap", "", "NO account is not locked, but the backend is", ""),
    ("smtp", "", "535 Anmeldung fehlgeschlagen", ""),
    ("smtp", "", "535 5.7.8 Account blocked because of spam", ""),
    ("smtp", "", "535 5.7.0 (#AUTH005) Too many bad auth attempts.", ""),
    ("smtp", "", "550 5.7.1 Not today", ""),
    ("smtp", "", "554 5.7.1 Blocked by a list", ""),
    ("smtp", "", "530 5.7.0 Authentication required", ""),
    ("smtp", "", "500 5.5.1 Unknown", ""),
    ("smtp", "", "534 5.7.9 Please log in elsewhere", ""),
    ("smtp", "gmail", "535 5.7.8 Authentication failed", "app_password_required"),
    ("smtp", "office365", "535 5.7.8 Error: authentication failed", "oauth_required"),
    ("smtp", "gmx-net", "535 Authentication credentials invalid", ""),
    ("smtp", "yahoo", "535 5.7.0 (#AUTH005) Too many bad auth attempts.", ""),
    ("smtp", "", "451 4.7.1 Greylisted", "server_unavailable"),
]  # fmt: skip


@pytest.mark.parametrize(("side", "key", "line", "sure"), STRANGE)
def test_strange_answers_are_not_over_read(side: Protocol, key: str, line: str, sure: str) -> None:
    reading = read(side, line, key)
    if sure:
        assert reading.code == sure
    else:
        assert reading.code == "unknown" or reading.alternatives, reading


@pytest.mark.parametrize("key", [provider.key for provider in all_providers()])
def test_no_provider_turns_an_outage_into_a_wrong_password(key: str) -> None:
    for line in ("NO [UNAVAILABLE] later", "NO [SERVERBUG] oops", "NO [LIMIT] slow down"):
        assert KINDS[read("imap", line, key).code].retry == "later"


def test_phrases_are_anchored_and_lead_to_known_codes() -> None:
    for phrase in (*PROVIDER_PHRASES, *CLEAR_PHRASES, *FAINT_PHRASES):
        assert {phrase.code, *phrase.alternatives} <= set(KINDS)
        assert not phrase.pattern.startswith((".*", r".+")), "an unanchored pattern decides nothing"
        assert phrase.matches.match(f"x {phrase.pattern}") is None


# showing


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"NO plain", "NO plain"),
        ("NO ungültig".encode(), "NO ungültig"),
        ("NO ungültig".encode("cp1252"), "NO ungültig"),
        ("NO 密码错误".encode("gb18030"), "NO 密码错误"),
        (b"NO \x1b[31mred\x1b[0m\x07", "NO [31mred[0m"),
        ("NO \u202egnp.exe\u2066\u200b".encode(), "NO gnp.exe"),
        (b"NO \x81\x8d\xff", "NO \ufffd\ufffdÿ"),
    ],
)
def test_shown(raw: bytes, text: str) -> None:
    assert shown(raw) == text


def test_shown_is_cut() -> None:
    assert len(shown(b"x" * 10_000)) == 500


def test_read_answer() -> None:
    answer = read_answer(b"a7 no [AuthenticationFailed]  Wrong   words ")
    assert (answer.status, answer.code, answer.text) == ("NO", "AUTHENTICATIONFAILED", "Wrong words")
    assert answer.line == "no [AuthenticationFailed] Wrong words"
    reply = read_answer(b"535-5.7.8 one\n535 5.7.8  two")
    assert (reply.status, reply.code, reply.text) == ("535", "5.7.8", "one two")


@pytest.mark.parametrize(
    ("link", "own"),
    [
        ("https://support.google.com/x", True),
        ("https://google.com", True),
        ("http://support.google.com/x", False),
        ("https://google.com.evil.example/x", False),
        ("https://evilgoogle.com/x", False),
        ("https://google.com@evil.example/x", False),
        ("https://user@google.com/x", False),
        ("https://google.com:8443/x", False),
        ("https://evil.example/?google.com", False),
        ("javascript:alert(1)//https://", False),
    ],
)
def test_links_of_the_provider_only(link: str, own: bool) -> None:
    assert own_link(f"see {link}.", by_key("gmail")) == (link if own else "")
    assert own_link(f"see {link}.", None) == ""


@pytest.mark.parametrize(
    ("first", "service"),
    [
        *((b"* OK ready", "IMAP"), (b"220 mx ESMTP", "SMTP"), (b"220-ftp.example FTP", "FTP")),
        *(
            (b"+OK", "POP3"),
            (b"HTTP/1.1 400", "HTTP"),
            (b"SSH-2.0", "SSH"),
            (b"\x15\x03\x01", "TLS"),
            (b"hi", ""),
        ),
    ],
)
def test_services(first: bytes, service: str) -> None:
    assert service_of(first) == service


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("BAD Request is throttled. Suggested Backoff Time: 1500 milliseconds", 2),
        ("NO [LIMIT] Too many attempts, try again in 15 minutes", 900),
        ("NO [LIMIT] retry after 30 seconds", 30),
        ("NO [LIMIT] try again in 999999 hours", 86_400),
        ("NO [LIMIT] later", None),
    ],
)
def test_the_servers_own_number_is_honoured(line: str, seconds: int | None) -> None:
    assert read("imap", line).retry_after_seconds == seconds
