"""Every cause of a failed sign-in, told apart on real sockets; no secret leaves before TLS is verified."""

import dataclasses
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from soinbox_web.mail.discovery.providers import by_key
from soinbox_web.mail.net.network import Network
from soinbox_web.model.allow_list import AllowList
from soinbox_web.model.server import Protocol, Security
from soinbox_web.rehearsal.behaviour import SignIn
from soinbox_web.rehearsal.certificates import Fault
from soinbox_web.settings import Settings
from tests.mail.conftest import ADDRESS, HOST, QUICK, SECRET, Bench
from tests.servers.dns_server import NXDOMAIN, SERVFAIL, DnsServer

GMAIL, OFFICE, GMX, YAHOO = (by_key(key) for key in ("gmail", "office365", "gmx-net", "yahoo"))
APP_PASSWORD = "abcdefghijklmnop"


@pytest.fixture
def names() -> Iterator[DnsServer]:
    server = DnsServer({("missing.test", "*"): NXDOMAIN, ("broken.test", "*"): SERVFAIL}).start()
    yield server
    server.stop()


def test_all_is_well(bench: Bench) -> None:
    server = bench.serve()
    result = bench.sign_in(bench.login(server.port))
    assert result.ok and result.problem is None and result.login == bench.login(server.port)
    assert len(server.sign_ins) == 1


def test_starttls_is_well(bench: Bench) -> None:
    server = bench.serve(tls="starttls")
    assert bench.code(bench.login(server.port, "starttls")) == ""
    assert server.secrets_in_clear == []


# names and routes


@pytest.mark.parametrize(("host", "code"), [("missing.test", "host_missing"), ("broken.test", "dns_failure")])
def test_names(bench: Bench, names: DnsServer, host: str, code: str) -> None:
    bench.network = Network(dataclasses.replace(bench.network.settings, dns_servers=(names.address,)))
    problem = bench.sign_in(bench.login(993, host=host)).problem
    assert problem and problem.code == code and problem.facts["host"] == host and problem.side == bench.side


def test_refused(bench: Bench) -> None:
    with socket.create_server((HOST, 0)) as closed:
        port = closed.getsockname()[1]
    problem = bench.sign_in(bench.login(port)).problem
    assert problem and problem.code == "refused" and problem.guilty_field == "port"
    assert problem.stage == "connect"


def test_time_out(bench: Bench) -> None:
    """A listener whose queue is full answers no SYN."""
    with socket.create_server((HOST, 0), backlog=0) as full:
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex((HOST, port))
        timeouts = dataclasses.replace(QUICK, connect=0.4)
        problem = bench.sign_in(bench.login(port), timeouts=timeouts).problem
        for filler in fillers:
            filler.close()
    assert problem and problem.code == "timeout" and problem.stage == "connect"


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "0x7f000001", "[::ffff:192.168.0.1]"])
def test_private_address_is_refused(bench: Bench, host: str) -> None:
    bench.network = Network(Settings(ispdb_url=""))
    server = bench.serve()
    problem = bench.sign_in(bench.login(server.port, host=host)).problem
    assert problem and problem.code == "private_blocked"
    assert server.connections == 0


# protocols


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_the_other_protocol_on_the_port(bench: Bench, security: Security) -> None:
    server = bench.serve(other=True, tls="implicit" if security == "ssl" else "starttls")
    problem = bench.sign_in(bench.login(server.port, security)).problem
    assert problem and problem.code == "wrong_service"
    assert problem.facts["service"] == ("SMTP" if bench.side == "imap" else "IMAP")
    assert server.sign_ins == []


@pytest.mark.parametrize(
    ("greeting", "service", "quoted"),
    [
        (b"+OK POP3 ready\r\n", "POP3", True),
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP", False),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH", False),
        (b"220 files.example FTP server ready\r\n", "FTP", False),
        (b"what do you want?\r\n", "?", False),
    ],
)
def test_another_service(bench: Bench, greeting: bytes, service: str, quoted: bool) -> None:
    server = bench.serve(greeting=greeting)
    problem = bench.sign_in(bench.login(server.port)).problem
    assert problem and (problem.code, problem.facts["service"]) == ("wrong_service", service)
    assert bool(problem.evidence) is quoted, "banners of services that are no mail are not told"


def test_tls_on_a_plain_port(bench: Bench) -> None:
    server = bench.serve(tls="starttls")
    problem = bench.sign_in(bench.login(server.port, "ssl")).problem
    assert problem and problem.code == "tls_on_plain_port" and problem.guilty_field == "security"


def test_tls_on_a_plain_port_of_another_service(bench: Bench) -> None:
    server = bench.serve(tls="none", greeting=b"+OK POP3 ready\r\n")
    problem = bench.sign_in(bench.login(server.port, "ssl")).problem
    assert problem and (problem.code, problem.facts["service"]) == ("wrong_service", "POP3")


def test_plain_on_a_tls_port(bench: Bench) -> None:
    server = bench.serve(tls="implicit")
    problem = bench.sign_in(bench.login(server.port, "starttls")).problem
    assert problem and problem.code == "plain_on_tls_port" and problem.guilty_field == "security"
    assert server.sign_ins == []


def test_a_silent_server_is_a_time_out(bench: Bench) -> None:
    server = bench.serve(tls="none", greeting=b"")
    problem = bench.sign_in(bench.login(server.port, "starttls")).problem
    assert problem and (problem.code, problem.stage) == ("timeout", "greet")


def test_starttls_missing(bench: Bench) -> None:
    server = (
        bench.serve(tls="none", capabilities=("IMAP4rev1", "AUTH=PLAIN"))
        if bench.side == "imap"
        else (bench.serve(tls="none"))
    )
    problem = bench.sign_in(bench.login(server.port, "starttls")).problem
    assert problem and problem.code == "starttls_missing"
    assert problem.facts["suggestion"] == ("993" if bench.side == "imap" else "465")
    assert server.sign_ins == []


def test_starttls_refused(bench: Bench) -> None:
    words = b"NO not now" if bench.side == "imap" else b"454 4.7.0 TLS not available"
    server = bench.serve(tls="starttls", answers={"STARTTLS": words})
    problem = bench.sign_in(bench.login(server.port, "starttls")).problem
    assert problem and problem.code == "starttls_failed" and problem.evidence
    assert server.sign_ins == []


def test_bytes_injected_before_the_handshake(bench: Bench) -> None:
    words = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n" if bench.side == "imap" else b"250 AUTH PLAIN\r\n"
    server = bench.serve(tls="starttls", injected=words)
    assert bench.code(bench.login(server.port, "starttls")) == "starttls_failed"
    assert server.sign_ins == []


def test_greeting_that_has_signed_in_already(make_bench: Callable[[Protocol], Bench]) -> None:
    bench = make_bench("imap")
    server = bench.serve(tls="starttls", greeting=b"* PREAUTH welcome\r\n")
    assert bench.code(bench.login(server.port, "starttls")) == "starttls_failed"
    assert server.sign_ins == []


def test_greeting_without_an_end(bench: Bench) -> None:
    server = bench.serve(
        greeting=b"* OK " + b"x" * 1_000_000 if bench.side == "imap" else b"220 " + b"x" * 1_000_000
    )
    assert bench.code(bench.login(server.port)) == "protocol_broken"


# certificates


@pytest.mark.parametrize("security", ["ssl", "starttls"])
@pytest.mark.parametrize(
    ("fault", "code", "fact", "value"),
    [
        ("expired", "cert_expired", "date", "2021-01-01"),
        ("not_yet_valid", "cert_not_yet_valid", "date", "2037-01-01"),
        ("wrong_name", "cert_name_mismatch", "names", "somebody-else.example"),
        ("self_signed", "cert_self_signed", "host", HOST),
        ("unknown_ca", "cert_untrusted_chain", "issuer", "A stranger"),
        ("missing_intermediate", "cert_untrusted_chain", "host", HOST),
    ],
)
def test_certificates(
    bench: Bench, security: Security, fault: Fault, code: str, fact: str, value: str
) -> None:
    server = bench.serve(tls="implicit" if security == "ssl" else "starttls", fault=fault)
    problem = bench.sign_in(bench.login(server.port, security)).problem
    assert problem and problem.code == code and problem.facts[fact] == value
    assert server.sign_ins == []


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_old_tls(bench: Bench, security: Security) -> None:
    server = bench.serve(tls="implicit" if security == "ssl" else "starttls", old_tls=True)
    assert bench.code(bench.login(server.port, security)) == "tls_too_old"
    assert server.sign_ins == []


# no encryption


def test_plain_only_by_the_operators_leave(bench: Bench) -> None:
    server = bench.serve(tls="none")
    login = bench.login(server.port, "none")
    assert bench.code(login) == "encryption_required"
    assert server.sign_ins == []
    allowed = AllowList.parse(f"{HOST}:{server.port}")
    bench.network = Network(dataclasses.replace(bench.network.settings, allow_plain=allowed))
    assert bench.code(login) == ""


# refusals


def test_wrong_password(bench: Bench) -> None:
    server = bench.serve()
    problem = bench.sign_in(bench.login(server.port), "guess").problem
    assert problem and problem.code == "credentials_wrong" and problem.guilty_field == "password"
    assert "failed" in problem.evidence and problem.stage == "sign_in"
    assert (problem.alternatives, problem.facts["suggestion"]) == (("username_form",), "anna")
    assert len(server.sign_ins) == 1


REFUSALS = {
    "app password needed (Google's words)": (
        GMAIL,
        b"NO [ALERT] Application-specific password required: "
        b"https://support.google.com/accounts/answer/185833 (Failure)",
        b"534-5.7.9 Application-specific password required. For more information, go to\r\n"
        b"534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor x - gsmtp",
        "app_password_required",
    ),
    "app password needed (policy and shape)": (
        GMAIL,
        b"NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
        b"535-5.7.8 Username and Password not accepted. For more information, go to\r\n"
        b"535 5.7.8  https://support.google.com/mail/?p=BadCredentials x - gsmtp",
        "app_password_required",
    ),
    "OAuth only": (
        OFFICE,
        b"NO LOGIN failed.",
        b"535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [X]",
        "oauth_required",
    ),
    "server unavailable": (
        None,
        b"NO [UNAVAILABLE] Temporary authentication failure. [mail:2026-11-23 09:00:00]",
        b"454 4.7.0 Temporary authentication failure: Connection lost",
        "server_unavailable",
    ),
    "too many connections": (
        None,
        b"NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded (limit=10)",
        b"421 4.7.0 Too many connections",
        "too_many_connections",
    ),
    "rate limited": (
        None,
        b"NO [LIMIT] Too many failed login attempts",
        b"454 4.7.0 Too many login attempts, please try again later.",
        "rate_limited",
    ),
    "over quota": (None, b"NO [OVERQUOTA] Quota exceeded", b"452 4.2.2 Mailbox full", "over_quota"),
    "locked": (
        None,
        b"NO [AUTHORIZATIONFAILED] This account may not sign in",
        b"525 5.7.13 User account disabled",
        "account_locked",
    ),
    "expired": (
        None,
        b"NO [EXPIRED] Password expired",
        b"432 4.7.12 A password transition is needed",
        "password_expired",
    ),
    "encryption": (
        None,
        b"NO [PRIVACYREQUIRED] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.",
        b"538 5.7.11 Encryption required for requested authentication mechanism",
        "encryption_required",
    ),
    "words nobody knows": (None, b"NO Nee, nu even niet.", b"554 Nee, nu even niet.", "unknown"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(bench: Bench, case: str) -> None:
    provider, imap, smtp, code = REFUSALS[case]
    server = bench.serve(sign_in=SignIn(answer=imap if bench.side == "imap" else smtp))
    problem = bench.sign_in(bench.login(server.port), provider=provider).problem
    assert problem and problem.code == code
    assert problem.evidence, "the server's own line is always quoted"
    assert len(server.sign_ins) == 1
    if provider:
        assert problem.help_url.startswith("https://")


IMAP_REFUSALS = {
    "browser": (
        GMAIL,
        SignIn(
            before=b"* NO [WEBALERT https://accounts.google.com/signin/continue?x=1] Web login required.\r\n",
            answer=b"NO [ALERT] Please log in via your web browser: "
            b"https://support.google.com/mail/accounts/answer/78754 (Failure)",
        ),
        "web_login_required",
    ),
    "IMAP off, app password or wrong": (
        GMX,
        SignIn(answer=b"NO authentication failed"),
        "imap_disabled_by_user",
    ),
    "administrator": (
        GMAIL,
        SignIn(answer=b"NO [ALERT] IMAP access is not allowed for this account. (Failure)"),
        "imap_disabled_by_admin",
    ),
    "last words after the refusal": (
        OFFICE,
        SignIn(
            answer=b"NO Basic authentication is disabled.",
            after=b"* BYE Microsoft Exchange Server IMAP4 server signing off.\r\n",
            close=True,
        ),
        "oauth_required",
    ),
    "BYE instead of an answer": (
        None,
        SignIn(answer=b"", before=b"* BYE [UNAVAILABLE] shutting down\r\n", close=True),
        "server_unavailable",
    ),
    "throttled": (
        OFFICE,
        SignIn(answer=b"BAD Request is throttled. Suggested Backoff Time: 293000 milliseconds"),
        "rate_limited",
    ),
}


@pytest.mark.parametrize("case", IMAP_REFUSALS)
def test_refusals_of_imap(make_bench: Callable[[Protocol], Bench], case: str) -> None:
    provider, script, code = IMAP_REFUSALS[case]
    bench = make_bench("imap")
    server = bench.serve(sign_in=script)
    problem = bench.sign_in(bench.login(server.port), provider=provider).problem
    assert problem and problem.code == code
    if case == "browser":
        assert problem.help_url == "https://accounts.google.com/signin/continue?x=1"
    if case == "throttled":
        assert problem.retry_after_seconds == 293


def test_gmx_says_what_else_it_may_be(make_bench: Callable[[Protocol], Bench]) -> None:
    bench = make_bench("imap")
    server = bench.serve(sign_in=SignIn(answer=b"NO authentication failed"))
    problem = bench.sign_in(bench.login(server.port), provider=GMX).problem
    assert problem and problem.alternatives == ("app_password_required", "credentials_wrong")


def test_a_wrong_app_password_is_not_called_a_missing_one(bench: Bench) -> None:
    words = b"NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"
    server = bench.serve(
        sign_in=SignIn(answer=words if bench.side == "imap" else b"535 5.7.8 Invalid credentials")
    )
    assert bench.code(bench.login(server.port), APP_PASSWORD, provider=GMAIL) == "credentials_wrong"


def test_dropped_while_signing_in(bench: Bench) -> None:
    for reset in (False, True):
        server = bench.serve(close_at="SIGN_IN", reset=reset)
        problem = bench.sign_in(bench.login(server.port), provider=YAHOO).problem
        assert problem and problem.code == "dropped_during_login", "this says nothing about the password"


def test_a_sign_in_that_is_never_answered(bench: Bench) -> None:
    server = bench.serve(stall_at="SIGN_IN")
    timeouts = dataclasses.replace(QUICK, command=0.4)
    problem = bench.sign_in(bench.login(server.port), timeouts=timeouts).problem
    assert problem and (problem.code, problem.stage) == ("timeout", "sign_in")


def test_gone_after_the_greeting(bench: Bench) -> None:
    server = bench.serve(close_at="CAPABILITY" if bench.side == "imap" else "EHLO")
    assert bench.code(bench.login(server.port)) == "server_unavailable"
    silent = bench.serve(close_at="GREETING")
    assert bench.code(bench.login(silent.port)) == "server_unavailable"


@pytest.mark.parametrize("words", [b"* BYE Too many connections from your address\r\n", b"421 Too busy\r\n"])
def test_a_server_that_says_goodbye_at_once(make_bench: Callable[[Protocol], Bench], words: bytes) -> None:
    bench = make_bench("imap" if words.startswith(b"*") else "smtp")
    server = bench.serve(greeting=words)
    problem = bench.sign_in(bench.login(server.port)).problem
    assert problem and problem.retry == "later" and problem.evidence


# mechanisms


def test_only_oauth_is_offered(bench: Bench) -> None:
    server = bench.serve(**_mechanisms(bench, "XOAUTH2"))
    assert bench.code(bench.login(server.port)) == "oauth_required"
    assert server.sign_ins == [], "the password is not even tried"


def test_nothing_we_know_is_offered(bench: Bench) -> None:
    server = bench.serve(**_mechanisms(bench, "SCRAM-SHA-256"))
    problem = bench.sign_in(bench.login(server.port)).problem
    assert problem and problem.code == "no_common_mechanism"
    assert problem.facts["mechanisms"] == "SCRAM-SHA-256"
    assert server.sign_ins == []


def test_no_sign_in_at_all_is_a_relay(make_bench: Callable[[Protocol], Bench]) -> None:
    bench = make_bench("smtp")
    server = bench.serve(extensions=("SIZE 1000",))
    assert bench.code(bench.login(server.port)) == "smtp_relay_only"


def _mechanisms(bench: Bench, *names: str) -> dict[str, tuple[str, ...]]:
    if bench.side == "imap":
        return {
            "capabilities": ("IMAP4rev1", "SASL-IR", "LOGINDISABLED", *(f"AUTH={name}" for name in names))
        }
    return {"extensions": ("SIZE 1000", "AUTH " + " ".join(names))}


def test_token_refused(bench: Bench) -> None:
    server = bench.serve(**_mechanisms(bench, "XOAUTH2", "OAUTHBEARER"))
    problem = bench.sign_in(bench.login(server.port), "ya29.token", token=True).problem
    assert problem and problem.code == "token_revoked" and "consent_missing" in problem.alternatives
    assert [tried.mechanism for tried in server.sign_ins] == ["OAUTHBEARER"]


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_token_for_other_things(bench: Bench, mechanism: str) -> None:
    challenge = b'{"status":"insufficient_scope","schemes":"bearer","scope":"mail.send"}'
    server = bench.serve(**_mechanisms(bench, mechanism), passwords={}, challenge=challenge)
    problem = bench.sign_in(bench.login(server.port), "ya29.token", token=True).problem
    assert problem and (problem.code, problem.evidence) == ("consent_missing", "mail.send")


@pytest.mark.parametrize("challenge", [b"", b"not json", b"[" * 3000])
def test_a_challenge_that_tells_nothing(bench: Bench, challenge: bytes) -> None:
    server = bench.serve(**_mechanisms(bench, "XOAUTH2"), passwords={}, challenge=challenge)
    problem = bench.sign_in(bench.login(server.port), "ya29.token", token=True).problem
    assert problem and problem.code == "token_revoked"


def test_sending_is_switched_off(make_bench: Callable[[Protocol], Bench]) -> None:
    bench = make_bench("smtp")
    words = (
        b"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."
        b" Visit https://aka.ms/smtp_auth_disabled for more information. [X]"
    )
    server = bench.serve(sign_in=SignIn(answer=words))
    problem = bench.sign_in(bench.login(server.port), provider=OFFICE).problem
    assert problem and problem.code == "smtp_auth_disabled" and problem.retry == "never"
    assert problem.help_url == "https://aka.ms/smtp_auth_disabled"


# after the sign-in

AFTER = {
    b"BAD User is authenticated but not connected.": "authenticated_not_connected",
    b"NO EXAMINE Unsafe Login. Please contact kefu@188.com for help": "client_id_required",
    b"NO [NONEXISTENT] Unknown mailbox": "inbox_missing",
    b"NO no such folder": "inbox_missing",
    b"NO [SERVERBUG] Internal error occurred": "server_unavailable",
}


@pytest.mark.parametrize("words", AFTER)
def test_the_inbox_does_not_open(make_bench: Callable[[Protocol], Bench], words: bytes) -> None:
    bench = make_bench("imap")
    server = bench.serve(answers={"EXAMINE": words})
    problem = bench.sign_in(bench.login(server.port)).problem
    assert problem and (problem.code, problem.stage) == (AFTER[words], "open_inbox")
    assert "ID" in server.commands, "some providers open no inbox for a client without a name"


def test_the_answer_never_shows_the_secret(bench: Bench) -> None:
    secret = "geheim-wachtwoord"
    words = f"NO login {ADDRESS} {secret} failed" if bench.side == "imap" else f"535 5.7.8 {secret} is wrong"
    server = bench.serve(sign_in=SignIn(answer=words.encode()))
    problem = bench.sign_in(bench.login(server.port), secret).problem
    assert problem and secret not in str(problem.as_row()) and "***" in problem.evidence


@pytest.mark.parametrize(
    "raw",
    [b"\xff\xfe\x00\x1b[31mNO", "NO 密码错误".encode("gb18030"), "NO mot de passe érroné".encode("cp1252")],
)
def test_bytes_of_any_kind_are_shown_safely(make_bench: Callable[[Protocol], Bench], raw: bytes) -> None:
    bench = make_bench("imap")
    server = bench.serve(sign_in=SignIn(answer=b"NO " + raw.replace(b"\n", b"")))
    problem = bench.sign_in(bench.login(server.port)).problem
    assert problem and problem.evidence.isprintable()


@pytest.mark.parametrize("field", ["user", "secret"])
@pytest.mark.parametrize("tail", ["\r\na1 DELETE INBOX", "\n", "\0"])
def test_line_breaks_are_refused_before_anything_is_sent(bench: Bench, field: str, tail: str) -> None:
    server = bench.serve()
    login = bench.login(server.port, user=ADDRESS + (tail if field == "user" else ""))
    problem = bench.sign_in(login, SECRET + (tail if field == "secret" else "")).problem
    assert problem and (problem.code, problem.side) == ("control_character", bench.side)
    assert problem.guilty_field == {"user": "username", "secret": "password"}[field]
    assert server.sign_ins == [] and "DELETE" not in server.commands


def test_threads_end(bench: Bench) -> None:
    server = bench.serve()
    before = threading.active_count()
    assert bench.code(bench.login(server.port)) == ""
    assert threading.active_count() <= before + 1  # the server's own may still be ending


def test_our_own_way_out_is_blocked(bench: Bench) -> None:
    """Where the same port is silent at two other hosts too, the fault is on our side."""
    with socket.create_server(("0.0.0.0", 0), backlog=0) as full:
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex((HOST, port))
        controls = (("127.0.0.2", port), ("127.0.0.3", port))
        bench.network = Network(dataclasses.replace(bench.network.settings, control_hosts=controls))
        timeouts = dataclasses.replace(QUICK, connect=0.3, probe=0.3)
        problem = bench.sign_in(bench.login(port), timeouts=timeouts).problem
        for filler in fillers:
            filler.close()
    assert problem and problem.code == "egress_blocked"


def test_capabilities_with_control_characters(make_bench: Callable[[Protocol], Bench]) -> None:
    bench = make_bench("imap")
    server = bench.serve(untagged={"CAPABILITY": b"* CAPABILITY IMAP4rev1 AUTH=PL\x1b[31mAIN \x07X\xff\r\n"})
    result = bench.sign_in(bench.login(server.port))
    assert result.problem is None or result.problem.code == "no_common_mechanism"
    assert all(word.isprintable() for word in result.capabilities)
