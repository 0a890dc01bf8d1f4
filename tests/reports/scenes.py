"""What the doctor is shown for its report: every fault on both sides, with servers that count."""

import dataclasses
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from soinbox_web.mail.net.network import Network
from soinbox_web.model.provider import Provider
from soinbox_web.model.server import Protocol, Security
from soinbox_web.problems import Problem
from soinbox_web.rehearsal.behaviour import SignIn
from soinbox_web.rehearsal.certificates import Authority, Fault
from soinbox_web.rehearsal.scripted_imap import ScriptedImap
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from tests.mail.conftest import HOST, QUICK, SECRET, Bench
from tests.mail.test_signin_causes import IMAP_REFUSALS, REFUSALS
from tests.servers.dns_server import NXDOMAIN, SERVFAIL, DnsServer

FAULTS: tuple[Fault, ...] = (
    *("expired", "not_yet_valid", "wrong_name", "self_signed", "unknown_ca", "missing_intermediate"),
)
SIDES: tuple[Protocol, ...] = ("imap", "smtp")


@dataclass
class Counts:
    """What the servers saw and what the doctor said."""

    codes: set[str] = field(default_factory=set)
    named: dict[str, set[str]] = field(default_factory=lambda: {"imap": set(), "smtp": set()})
    most_sign_ins: dict[str, int] = field(default_factory=lambda: {"imap": 0, "smtp": 0})
    to_unverified: int = 0
    in_clear: int = 0
    refusals: int = 0
    quoted: int = 0
    wrong: list[str] = field(default_factory=list)


def play(network: Network, ca: Authority) -> Counts:
    """Every scene on both sides; what is counted comes from the servers."""
    counts = Counts()
    for side in SIDES:
        with ExitStack() as stack:
            bench = Bench(side, network, ca, [])
            stack.callback(lambda started=bench.started: [server.stop() for server in started])
            _certificates(bench, counts)
            _lines(bench, counts)
            _routes(bench, counts)
            _refusals(bench, counts)
    return counts


def _certificates(bench: Bench, counts: Counts) -> None:
    """The six faults and old TLS, by TLS at once and by STARTTLS."""
    ways: tuple[tuple[Security, str], ...] = (("ssl", "implicit"), ("starttls", "starttls"))
    for security, tls in ways:
        for fault in FAULTS:
            server = bench.serve(tls=tls, fault=fault)
            problem = _note(bench, counts, server, security=security)
            counts.to_unverified += len(server.sign_ins)
            if problem and problem.code.startswith("cert_"):
                counts.named[bench.side].add(fault)
        server = bench.serve(tls=tls, old_tls=True)
        problem = _note(bench, counts, server, "tls_too_old", security=security)
        counts.to_unverified += len(server.sign_ins)
        if problem and problem.code == "tls_too_old":
            counts.named[bench.side].add("old TLS")


def _lines(bench: Bench, counts: Counts) -> None:
    """The other protocol, TLS where there is none, STARTTLS that is missing, refused or tampered with."""
    imap = bench.side == "imap"
    words = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n" if imap else b"250 AUTH PLAIN\r\n"
    no = b"NO not now" if imap else b"454 4.7.0 TLS not available"
    clear: dict[str, Any] = {"tls": "none", **({"capabilities": ("IMAP4rev1", "AUTH=PLAIN")} if imap else {})}
    scenes: tuple[tuple[str, Security, dict[str, Any]], ...] = (
        ("wrong_service", "ssl", {"other": True}),
        ("wrong_service", "ssl", {"greeting": b"HTTP/1.1 400 Bad Request\r\n"}),
        ("tls_on_plain_port", "ssl", {"tls": "starttls"}),
        ("plain_on_tls_port", "starttls", {}),
        ("starttls_missing", "starttls", clear),
        ("starttls_failed", "starttls", {"tls": "starttls", "answers": {"STARTTLS": no}}),
        ("starttls_failed", "starttls", {"tls": "starttls", "injected": words}),
        ("encryption_required", "none", clear),
        ("protocol_broken", "ssl", {"greeting": (b"* OK " if imap else b"220 ") + b"x" * 1_000_000}),
        ("timeout", "starttls", {"tls": "none", "greeting": b""}),
        ("dropped_during_login", "ssl", {"close_at": "SIGN_IN"}),
    )
    for code, security, behaviour in scenes:
        server = bench.serve(**behaviour)
        _note(bench, counts, server, code, security=security)


def _routes(bench: Bench, counts: Counts) -> None:
    """No such host, a name server that fails, a shut port, an address inside."""
    with DnsServer({("missing.test", "*"): NXDOMAIN, ("broken.test", "*"): SERVFAIL}) as dns:
        reaching = bench.network
        bench.network = Network(dataclasses.replace(reaching.settings, dns_servers=(dns.address,)))
        for host, code in (("missing.test", "host_missing"), ("broken.test", "dns_failure")):
            _judge(counts, bench.code(bench.login(993, host=host)), code)
        bench.network = reaching
    with socket.create_server((HOST, 0)) as shut:
        port = shut.getsockname()[1]
    _judge(counts, bench.code(bench.login(port)), "refused")
    _judge(counts, bench.code(bench.login(993, host="10.0.0.1")), "private_blocked")


def _refusals(bench: Bench, counts: Counts) -> None:
    """The answers of providers, and a wrong password where the user name's form is open."""
    imap = bench.side == "imap"
    scenes: list[tuple[Provider | None, SignIn, str]] = [
        (provider, SignIn(answer=in_imap if imap else in_smtp), code)
        for provider, in_imap, in_smtp, code in REFUSALS.values()
    ]
    if imap:
        scenes += list(IMAP_REFUSALS.values())
    for provider, answer, code in scenes:
        server = bench.serve(sign_in=answer)
        problem = _note(bench, counts, server, code, provider=provider)
        spoken = [line for line in (answer.answer, answer.before, answer.after) if line]
        counts.refusals += bool(spoken)
        counts.quoted += bool(spoken and problem and _is_quoted(problem.evidence, b" ".join(spoken)))
    server = bench.serve()
    _note(bench, counts, server, "credentials_wrong", secret="guess", alternative_username=True)


def _is_quoted(evidence: str, spoken: bytes) -> bool:
    """Every word of the evidence is the server's, and there are some."""
    words = evidence.split()
    return bool(words) and all(word in spoken.decode("utf-8", "replace") for word in words)


def _note(
    bench: Bench,
    counts: Counts,
    server: ScriptedImap | ScriptedSmtp,
    expected: str = "",
    *,
    security: Security = "ssl",
    secret: str = SECRET,
    **options: Any,
) -> Problem | None:
    problem = bench.sign_in(bench.login(server.port, security), secret, timeouts=QUICK, **options).problem
    _judge(counts, problem.code if problem else "", expected)
    most = counts.most_sign_ins
    most[bench.side] = max(most[bench.side], len(server.sign_ins))
    counts.in_clear += len(server.secrets_in_clear)
    return problem


def _judge(counts: Counts, code: str, expected: str) -> None:
    if expected and code != expected:
        counts.wrong.append(f"{code or 'no problem'} for {expected}")
    counts.codes.add(code)


@contextmanager
def full_queue() -> Iterator[int]:
    """The port of a listener that answers no SYN."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server((HOST, 0), backlog=0))
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((HOST, full.getsockname()[1]))
        yield full.getsockname()[1]
