"""Set-up in Chromium: cause and field in one sight, chips, a test, the report; a fault shows at once."""

import itertools
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from soinbox_web.problems import Problem
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.rehearsal.scripted_imap import ScriptedImap
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from soinbox_web.services import account_health
from tests import seed
from tests.browser.conftest import OpenPage
from tests.servers.soinbox import Soinbox
from tests.set_up import ADDRESS, SECRET, mail_servers

pytestmark = pytest.mark.browser
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def web(product: Callable[..., Soinbox]) -> Soinbox:
    """The web server alone."""
    return product("web")


@pytest.fixture
def servers(ca: Authority) -> Iterator[tuple[ScriptedImap, ScriptedSmtp]]:
    with mail_servers(ca) as pair:
        yield pair


def fill(page: Page, servers: tuple[ScriptedImap, ScriptedSmtp], secret: str) -> None:
    for side, server in zip(("imap", "smtp"), servers, strict=True):
        page.fill(f"#{side}_host", "localhost")
        page.fill(f"#{side}_port", str(server.port))
    page.fill("#imap_password", secret)


def both_in_sight(page: Page, field: str) -> bool:
    """The title of the problem and the guilty field, which has the focus, are on the screen together."""
    expect(page.locator(f"#{field}")).to_be_focused()
    return bool(
        page.evaluate(
            """(field) => {
              const bar = document.querySelector(".topbar")?.getBoundingClientRect().bottom ?? 0;
              return [document.querySelector("#problem h2"), document.getElementById(field)].every((part) => {
                const box = part.getBoundingClientRect();
                return box.top >= bar && box.bottom <= innerHeight;
              });
            }""",
            field,
        )
    )


@pytest.mark.parametrize("phone", [False, True], ids=["wide", "phone"])
def test_a_refusal_shows_cause_and_field_together_and_the_right_password_opens_the_inbox(
    web: Soinbox,
    servers: tuple[ScriptedImap, ScriptedSmtp],
    open_page: OpenPage,
    language: str,
    javascript: bool,
    phone: bool,
) -> None:
    member = web.add_member(f"setup.{next(_numbers)}@noordlicht.example", "Anna", language=language)
    watched = open_page(member, language=language, javascript=javascript, phone=phone, product=web)
    page = watched.goto("/setup")
    watched.check()
    page.fill("#address", ADDRESS)
    page.click("button[name=go]")
    page.wait_for_selector("#advanced-settings")
    watched.check()
    fill(page, servers, "wrong-one")
    page.keyboard.press("Enter")
    page.wait_for_selector("#problem")
    watched.check()
    if javascript:
        page.wait_for_function("document.activeElement.id === 'imap_password'")
        page.wait_for_timeout(100)
        assert both_in_sight(page, "imap_password")
    expect(page.locator("#problem .evidence")).to_contain_text("Authentication failed")
    page.fill("#imap_password", SECRET)
    page.click("button[name=test][value=imap]")
    page.wait_for_selector(".setup-test .pill-good")
    assert len(servers[1].sign_ins) == 0
    watched.check()
    page.click("#advanced-settings .button-primary.button-wide")
    page.wait_for_url("**/inbox/*")
    watched.check()


def test_a_chip_fills_its_side_and_keeps_the_rest(
    web: Soinbox,
    servers: tuple[ScriptedImap, ScriptedSmtp],
    open_page: OpenPage,
    javascript: bool,
) -> None:
    member = web.add_member(f"setup.{next(_numbers)}@noordlicht.example", "Anna")
    watched = open_page(member, javascript=javascript, product=web)
    page = watched.goto("/setup")
    page.fill("#address", ADDRESS)
    page.click("button[name=go]")
    page.wait_for_selector("#advanced-settings")
    fill(page, servers, SECRET)
    page.fill("#imap_port", "1")
    page.keyboard.press("Enter")
    page.wait_for_selector("#problem")
    page.fill("#smtp_host", "smtp.noordlicht.example")
    page.click(".chip:has-text('143')")
    expect(page.locator("#imap_port")).to_have_value("143")
    expect(page.locator("#imap_security")).to_have_value("starttls")
    expect(page.locator("#smtp_host")).to_have_value("smtp.noordlicht.example")
    watched.check()
    page.click("a[href$='/report']")
    expect(page.locator("#report")).to_contain_text("problem: refused")
    watched.check()


def test_a_fault_and_its_end_show_on_an_open_page(web: Soinbox, open_page: OpenPage) -> None:
    member = web.add_member(f"setup.{next(_numbers)}@noordlicht.example", "Anna")
    account = seed.account(web.runtime, member)
    watched = open_page(member, product=web)
    for place in ("/options/account", f"/accounts/{account.id}/status"):
        page = watched.goto(place)
        expect(page.locator("#banners .banner-bad")).to_have_count(0)
        page.wait_for_timeout(500)  # the stream is open
        problem = Problem(
            "credentials_wrong", "imap", "sign_in", facts={"host": "localhost", "username": "anna"}
        )
        account_health.failed(web.runtime, account.id, problem)
        expect(page.locator("#banners .banner-bad")).to_have_count(1)
        expect(page.locator("#banners .button")).to_have_attribute("href", f"/accounts/{account.id}/edit")
        expect(page.locator("#health")).to_have_class("health health-bad")
        watched.check()
        account_health.succeeded(web.runtime, account.id)
        expect(page.locator("#banners .banner-bad")).to_have_count(0)
