"""Servers that behave as told, on both sides, and a network that reaches them."""

import dataclasses
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.mail.net.network import Network
from soinbox_web.mail.net.opening import Timeouts
from soinbox_web.mail.net.wire import Wire
from soinbox_web.mail.signin import Secrets, SideResult, SignInResult, sign_in
from soinbox_web.model.allow_list import AllowList
from soinbox_web.model.server import Login, Protocol, Security
from soinbox_web.rehearsal.behaviour import ImapBehaviour, SmtpBehaviour
from soinbox_web.rehearsal.certificates import Authority, Fault
from soinbox_web.rehearsal.scripted_imap import ScriptedImap
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from soinbox_web.settings import Settings

HOST = "127.0.0.1"
ADDRESS, SECRET = "anna@noordlicht.example", "lampje-voor-anna"
QUICK = Timeouts(connect=2.0, tls=1.0, greeting=0.6, probe=0.6, command=2.0, dot=0.6)


@pytest.fixture
def network(ca_file: Path) -> Network:
    """Reaches loopback, trusts the tests' authority, and keeps real time."""
    return Network(
        Settings(
            ca_file=ca_file,
            allow_hosts=AllowList.parse("127.0.0.0/8,::1/128,https://127.0.0.0/8,https://::1/128"),
            ispdb_url="",
        )
    )


@dataclasses.dataclass
class Bench:
    """One side, a scripted server on it, and what a sign-in there comes to."""

    side: Protocol
    network: Network
    ca: Authority
    started: list[ScriptedImap | ScriptedSmtp]

    def serve(
        self, *, fault: Fault = "none", other: bool = False, **behaviour: Any
    ) -> ScriptedImap | ScriptedSmtp:
        """A running server of this side, or of the `other`; it has a certificate with `fault`."""
        behaviour = {"tls": "implicit", "certificate": self.ca.issue(HOST, fault=fault), **behaviour}
        behaviour.setdefault("passwords", {ADDRESS: SECRET})
        server: ScriptedImap | ScriptedSmtp
        if (self.side == "imap") != other:
            server = ScriptedImap(ImapBehaviour(**behaviour))
        else:
            server = ScriptedSmtp(SmtpBehaviour(**behaviour))
        self.started.append(server.start())
        return server

    def login(self, port: int, security: Security = "ssl", *, host: str = HOST, user: str = ADDRESS) -> Login:
        return Login(host, port, security, user)

    def sign_in(self, login: Login, secret: str = SECRET, **options: Any) -> SideResult:
        """This side alone."""
        token = options.pop("token", False)
        options.setdefault("timeouts", QUICK)
        sides = (login, None) if self.side == "imap" else (None, login)
        found: SignInResult = sign_in(*sides, Secrets(secret, token=token), self.network, **options)
        result: SideResult = getattr(found, self.side)
        return result

    def code(self, login: Login, secret: str = SECRET, **options: Any) -> str:
        """The problem's code, or "" when all is well."""
        problem = self.sign_in(login, secret, **options).problem
        return problem.code if problem else ""


@pytest.fixture
def make_bench(network: Network, ca: Authority) -> Iterator[Callable[[Protocol], Bench]]:
    started: list[ScriptedImap | ScriptedSmtp] = []
    yield lambda side: Bench(side, network, ca, started)
    for server in started:
        server.stop()


@pytest.fixture(params=["imap", "smtp"])
def bench(request: pytest.FixtureRequest, make_bench: Callable[[Protocol], Bench]) -> Bench:
    """Runs the test once on each side."""
    return make_bench(request.param)


@pytest.fixture
def ends() -> Iterator[tuple[Wire, socket.socket]]:
    """Our end of a line, as a wire, and the other one."""
    ours, theirs = socket.socketpair()
    wire = Wire(ours, SystemClock())
    wire.allow(2.0)
    yield wire, theirs
    wire.close()
    theirs.close()
