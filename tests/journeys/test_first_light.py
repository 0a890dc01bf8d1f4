"""From an address to an open inbox and back to the world: Chromium, Dovecot, a submission server."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from soinbox_web.rehearsal.autoconfig import client_config
from soinbox_web.rehearsal.name_server import NameServer
from tests.browser.conftest import OpenPage
from tests.browser.page import Watched
from tests.servers.mailbox import RealMailbox
from tests.servers.soinbox import Soinbox

pytestmark = [pytest.mark.real, pytest.mark.browser]
DOMAIN = "noordlicht.example"
FRESH_SECONDS = 10.0


@pytest.fixture
def connected_world(
    own_mailbox: RealMailbox, product: Callable[..., Soinbox], tmp_path: Path
) -> Iterator[Soinbox]:
    """The product on an instance of its own; the operator's file names Dovecot and the submission server."""
    server, sink = own_mailbox.dovecot, own_mailbox.smtp
    file = client_config(DOMAIN, f"mail.{DOMAIN}", server.imaps_port, f"mail.{DOMAIN}", sink.tls_port, "SSL")
    (tmp_path / f"{DOMAIN}.xml").write_text(file)
    names = NameServer({(DOMAIN, "MX"): f"10 mail.{DOMAIN}.", (f"mail.{DOMAIN}", "A"): "127.0.0.1"}).start()
    running = product(DNS_SERVERS=f"{names.host}:{names.port}", AUTOCONFIG_DIR=str(tmp_path))
    yield running
    running.stop()
    names.stop()


def wait_for(visitor: Watched, text: str, *, path: str = "", seconds: float = FRESH_SECONDS) -> None:
    """The text appears; by itself with JavaScript, by loading the place again without."""
    until = time.monotonic() + seconds
    while visitor.page.get_by_text(text).count() == 0:
        assert time.monotonic() < until, visitor.page.locator("body").inner_text()[:2000]
        if not visitor.javascript or path:
            visitor.goto(path or "/inbox")
        visitor.page.wait_for_timeout(100)


def set_up(visitor: Watched, mailbox: RealMailbox) -> None:
    page = visitor.goto("/inbox")
    page.locator("input[name=address]").fill(mailbox.address)
    page.locator("#setup-card form button.button-primary").click()
    page.locator("input[name=password]").wait_for()
    page.locator("input[name=password]").fill(mailbox.password)
    page.locator("#setup-card form button.button-primary").click()


def test_set_up_read_answer(
    own_mailbox: RealMailbox,
    connected_world: Soinbox,
    open_page: OpenPage,
    language: str,
    javascript: bool,
) -> None:
    own_mailbox.deliver_text("Eerste licht", "Goedemorgen.")
    member = connected_world.add_member(own_mailbox.address, "Anna de Vries", language=language)
    visitor = open_page(member, language=language, javascript=javascript, product=connected_world)
    set_up(visitor, own_mailbox)
    visitor.page.wait_for_url("**/inbox/**", timeout=20_000)
    wait_for(visitor, "Eerste licht")
    own_mailbox.deliver_text("Vers van de pers")
    wait_for(visitor, "Vers van de pers")
    visitor.check()

    visitor.page.get_by_text("Eerste licht").first.click()
    visitor.page.locator("a[href*='kind=reply&']").first.click()
    visitor.page.locator("textarea[name=body]").fill("Dank u wel.")
    visitor.check()
    visitor.page.locator("button[name=do][value=send]").first.click()
    until = time.monotonic() + 40  # the undo time comes first
    while not own_mailbox.sent():
        assert time.monotonic() < until, connected_world.log()[-3000:]
        time.sleep(0.2)
    assert b"Dank u wel." in own_mailbox.sent()[0]
    while not own_mailbox.messages("Sent"):
        assert time.monotonic() < until + 20
        time.sleep(0.2)
    assert len(own_mailbox.sent()) == 1
    assert len(own_mailbox.messages("Sent")) == 1


def test_server_killed_and_back(
    own_mailbox: RealMailbox, connected_world: Soinbox, open_page: OpenPage
) -> None:
    own_mailbox.deliver_text("Voor de storing")
    member = connected_world.add_member(own_mailbox.address, "Anna de Vries")
    visitor = open_page(member, product=connected_world)
    set_up(visitor, own_mailbox)
    visitor.page.wait_for_url("**/inbox/**", timeout=20_000)
    wait_for(visitor, "Voor de storing")
    own_mailbox.dovecot.kill()
    visitor.goto("/inbox")
    wait_for(visitor, "Voor de storing")  # the mail that is there stays readable
    own_mailbox.dovecot.start()
    own_mailbox.deliver_text("Na de storing")
    wait_for(visitor, "Na de storing", path="/inbox", seconds=60)
