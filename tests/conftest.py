"""Fixtures that every test may ask for; the app is imported only by those that need it."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from soinbox_web.model.allow_list import AllowList
from soinbox_web.model.member import Member
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime, build
from soinbox_web.settings import Settings
from tests import parts
from tests.cast import ANNA, BRAM
from tests.client import SoinboxClient
from tests.clock import HandClock
from tests.servers.dovecot import Dovecot
from tests.servers.mailbox import RealMailbox
from tests.servers.smtp_sink import SmtpSink

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.servers.soinbox import Soinbox

_numbers = itertools.count(1)
MAIL_HOST = "mail.noordlicht.example"  # the name of the servers that a test has to itself


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("filterwarnings", "ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")


def pytest_runtest_setup(item: pytest.Item) -> None:
    parts.leave_out(item)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    parts.summarise(terminalreporter)


# the product


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """A folder for an instance, not made yet."""
    return tmp_path / "instance"


@pytest.fixture
def clock() -> HandClock:
    """A clock that is turned by hand; it begins on Monday 23 November 2026, 9:00 UTC."""
    return HandClock()


@pytest.fixture
def settings(instance: Path, ca_file: Path) -> Settings:
    """Settings that reach the test servers only: no ISPDB, loopback allowed, the tests' authority."""
    return Settings(
        instance=instance,
        ca_file=ca_file,
        allow_hosts=AllowList.parse("127.0.0.0/8,::1/128,https://127.0.0.0/8,https://::1/128"),
        ispdb_url="",
    )


@pytest.fixture
def runtime(settings: Settings, clock: HandClock) -> Iterator[Runtime]:
    """The long-lived things of a fresh instance, on the hand-turned clock."""
    runtime = build(settings, clock)
    yield runtime
    runtime.close()


@pytest.fixture
def member(runtime: Runtime) -> Member:
    """Anna, administrator; her password is `ANNA.password`."""
    from soinbox_web.services import members

    return members.add(
        runtime, ANNA.address, ANNA.name, ANNA.password, True, language="en", timezone="Europe/Amsterdam"
    )


@pytest.fixture
def colleague(runtime: Runtime, member: Member) -> Member:
    """Bram, another user, who must never see what is Anna's."""
    from soinbox_web.services import members

    return members.add(
        runtime, BRAM.address, BRAM.name, BRAM.password, language="nl", timezone="Europe/Amsterdam"
    )


@pytest.fixture
def app(settings: Settings, runtime: Runtime) -> Flask:
    """The WSGI application on the fresh instance."""
    from soinbox_web.app import create_app

    app = create_app(settings, runtime)
    app.testing = True
    app.test_client_class = SoinboxClient
    return app


@pytest.fixture
def client(app: Flask) -> SoinboxClient:
    """A browser that nobody has signed in with."""
    client = app.test_client()
    assert isinstance(client, SoinboxClient)
    return client


@pytest.fixture
def signed_in(client: SoinboxClient, member: Member) -> SoinboxClient:
    """A browser in which Anna is signed in."""
    return client.sign_in(member)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, ca_file: Path) -> Iterator[Callable[..., "Soinbox"]]:
    """Starts the whole product on an instance of its own: `product()`; all end with the module."""
    from tests.servers.soinbox import Soinbox, trusting

    started: list[Soinbox] = []

    def start(command: str = "serve", **variables: str) -> "Soinbox":
        usual = trusting(ca_file)
        folder = tmp_path_factory.mktemp("product") / "instance"
        one = Soinbox(folder, {**usual, **variables}, command=command)
        started.append(one)
        return one.start()

    yield start
    for one in started:
        one.close()


@pytest.fixture(scope="module")
def live_server(product: Callable[..., "Soinbox"]) -> "Soinbox":
    """One running product for all tests; make members of your own."""
    return product()


# the servers


@pytest.fixture(scope="session")
def ca() -> Authority:
    """The certificate authority of all test servers."""
    return Authority()


@pytest.fixture(scope="session")
def ca_file(ca: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its root certificate, for `ca_file` of the settings."""
    return ca.write_anchor(tmp_path_factory.mktemp("ca") / "ca.pem")


@pytest.fixture(scope="session")
def dovecot(ca: Authority) -> Iterator[Dovecot]:
    """One Dovecot for all tests; a test that stops it asks for `own_dovecot`."""
    server = Dovecot(ca, max_connections=50).start()
    yield server
    server.close()


@pytest.fixture
def own_dovecot(ca: Authority) -> Iterator[Dovecot]:
    """A Dovecot for this test alone, to be stopped, killed and restarted."""
    server = Dovecot(ca, MAIL_HOST).start()
    yield server
    server.close()


@pytest.fixture(scope="session")
def smtp_sink(ca: Authority, dovecot: Dovecot) -> Iterator[SmtpSink]:
    """One submission server for the users of `dovecot`."""
    server = SmtpSink(ca, dovecot).start()
    yield server
    server.stop()


@pytest.fixture
def mailbox(dovecot: Dovecot, smtp_sink: SmtpSink) -> Iterator[RealMailbox]:
    """An empty mailbox of a new user on the shared servers."""
    address = f"anna.{next(_numbers)}@noordlicht.example"
    dovecot.add_user(address, "lampje-voor-anna")
    yield RealMailbox(address, "lampje-voor-anna", dovecot, smtp_sink)
    dovecot.remove_user(address)


@pytest.fixture
def own_mailbox(ca: Authority, own_dovecot: Dovecot) -> Iterator[RealMailbox]:
    """An empty mailbox on servers of this test alone."""
    sink = SmtpSink(ca, own_dovecot, MAIL_HOST).start()
    own_dovecot.add_user("anna@noordlicht.example", "lampje-voor-anna")
    yield RealMailbox("anna@noordlicht.example", "lampje-voor-anna", own_dovecot, sink)
    sink.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """One Chromium for all tests."""
    from playwright.sync_api import sync_playwright

    from tests.browser.page import ARGUMENTS

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=parts.program("chromium"), args=list(ARGUMENTS))
        yield browser
        browser.close()
