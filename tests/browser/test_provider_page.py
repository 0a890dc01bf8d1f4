"""Signing in at the provider's own page, clicked through: consent, inbox, sending, renewal, withdrawal."""

import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from soinbox_web.model.account import Account
from soinbox_web.rehearsal.autoconfig import client_config
from soinbox_web.rehearsal.behaviour import SmtpBehaviour
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.rehearsal.name_server import NameServer
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from soinbox_web.services import accounts
from soinbox_web.services.sending.file import queue_file
from soinbox_web.store import outbox
from tests.browser.conftest import OpenPage
from tests.servers.dovecot import Dovecot
from tests.servers.noordlicht import DOMAIN, HOST
from tests.servers.oauth_server import CLIENT_ID, CLIENT_SECRET, PASSWORD, LiveTokens, OAuthServer
from tests.servers.soinbox import Soinbox
from tests.set_up import running

pytestmark = [pytest.mark.real, pytest.mark.browser]
ADDRESS = f"anna@{DOMAIN}"


@pytest.fixture
def issuer(ca: Authority) -> Iterator[OAuthServer]:
    server = OAuthServer(ca.issue("localhost", "127.0.0.1"), ADDRESS).start()
    yield server
    server.stop()


@pytest.fixture
def dovecot(ca: Authority, issuer: OAuthServer) -> Iterator[Dovecot]:
    server = Dovecot(ca, HOST, introspection=f"{issuer.issuer}/introspect").start()
    server.add_user(ADDRESS, "never-used")
    yield server
    server.close()


@pytest.fixture
def smtp(ca: Authority, issuer: OAuthServer) -> Iterator[ScriptedSmtp]:
    server = ScriptedSmtp(
        SmtpBehaviour(
            tls="implicit",
            certificate=ca.issue(HOST, "127.0.0.1"),
            passwords=LiveTokens(issuer),
            extensions=("SIZE 26214400", "8BITMIME", "AUTH XOAUTH2"),
        )
    )
    with running(server):
        yield server


@pytest.fixture
def world(
    issuer: OAuthServer,
    dovecot: Dovecot,
    smtp: ScriptedSmtp,
    product: Callable[..., Soinbox],
    tmp_path: Path,
) -> Iterator[Soinbox]:
    """The product, told of the issuer and of the servers that it lets people in to."""
    file = client_config(DOMAIN, HOST, dovecot.imaps_port, HOST, smtp.port, "SSL")
    (tmp_path / f"{DOMAIN}.xml").write_text(file)
    names = NameServer({(DOMAIN, "MX"): f"10 {HOST}.", (HOST, "A"): "127.0.0.1"}).start()
    one = product(
        DNS_SERVERS=f"{names.host}:{names.port}",
        AUTOCONFIG_DIR=str(tmp_path),
        PUBLIC_URL="{url}",
        OAUTH_EXAMPLE_ISSUER=issuer.issuer,
        OAUTH_EXAMPLE_CLIENT_ID=CLIENT_ID,
        OAUTH_EXAMPLE_CLIENT_SECRET=CLIENT_SECRET,
        OAUTH_EXAMPLE_SCOPES="mail",
        OAUTH_EXAMPLE_HOSTS=HOST,
    )
    yield one
    one.stop()
    names.stop()


def decide(page: Page, decision: str, password: str = PASSWORD) -> None:
    """What the person does at the issuer's page."""
    expect(page.get_by_role("heading", name="Example Issuer")).to_be_visible()
    page.get_by_label("Address").fill(ADDRESS)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name=decision).click()


def letter(subject: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = ADDRESS, "eva@hotelzeezicht.example", subject
    message.set_content("Hello.")
    return message.as_bytes()


def settled(product: Soinbox, account: Account, subject: str) -> outbox.OutboxRow:
    """Hand a letter to the running mailroom; its row once it was tried."""
    row_id = queue_file(product.runtime, account, letter(subject))
    until = time.monotonic() + 20
    while True:
        with product.runtime.db.read() as connection:
            row = outbox.of(connection, row_id)
        if row and row.state in ("sent", "failed", "uncertain"):
            return row
        assert time.monotonic() < until, row
        time.sleep(0.05)


@pytest.mark.timeout(240)
def test_from_the_address_to_sent_mail_without_a_password(
    world: Soinbox,
    issuer: OAuthServer,
    dovecot: Dovecot,
    smtp: ScriptedSmtp,
    open_page: OpenPage,
    javascript: bool,
) -> None:
    first = EmailMessage()
    first["From"], first["Subject"], first["Message-ID"] = (
        "eva@hotelzeezicht.example",
        "Welkom",
        "<1@tests.example>",
    )
    first.set_content("Hello.")
    dovecot.deliver(ADDRESS, first.as_bytes())
    member = world.add_member(ADDRESS, "Anna de Vries")
    watched = open_page(member, product=world, javascript=javascript)
    page = watched.goto("/setup")
    page.fill("#address", ADDRESS)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Sign in at localhost").click()
    expect(page.get_by_role("link", name="Continue to localhost")).to_be_visible()
    watched.check()
    page.get_by_role("link", name="Continue to localhost").click()
    decide(page, "Deny")
    page.wait_for_url("**/setup/*", wait_until="load")
    expect(page.locator("#problem")).to_be_visible(timeout=15_000)
    page.wait_for_timeout(2500)  # whoever comes back gets a whole page, which loads itself anew once
    watched.check()

    page.get_by_role("button", name="Sign in at localhost").click()
    page.get_by_role("link", name="Continue to localhost").click()
    decide(page, "Allow", "mistyped")
    expect(page.get_by_role("alert")).to_have_text("Wrong address or password.")
    decide(page, "Allow")
    page.wait_for_url("**/inbox/*", timeout=20_000)
    expect(page.get_by_text("Welkom").first).to_be_visible(timeout=15_000)

    (account,) = accounts.of_user(world.runtime, member.id)
    assert (account.auth, account.state) == ("oauth2", "connected")
    assert settled(world, account, "First").state == "sent"
    issuer.access.clear()  # the token ends before its time, as after a change of password elsewhere
    renewed = issuer.renewals
    assert settled(world, account, "Second").state == "sent"
    assert issuer.renewals > renewed
    assert [tried.mechanism for tried in smtp.sign_ins] == ["XOAUTH2"] * len(smtp.sign_ins)
    assert len(smtp.messages) == 2

    issuer.withdraw()
    row = settled(world, account, "Third")
    assert row.state == "failed" and row.problem and row.problem.code == "token_revoked"
    assert len(smtp.messages) == 2
    watched.goto("/outbox")
    expect(page.locator("main")).to_contain_text("Third")
    expect(page.locator("#banners").get_by_text("Fix sign-in").first).to_be_visible(timeout=15_000)
    watched.check()
