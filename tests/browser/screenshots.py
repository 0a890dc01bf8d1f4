"""`make screenshots`: the picture in the README, and every screen by language: wide, on a phone, dark.

The README's goes to docs/pictures, the others to build/screenshots. Names choose some.
"""

import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from soinbox_web.rehearsal import misbehaving
from tests import parts
from tests.browser.page import ARGUMENTS, new_context
from tests.cast import ANNA, CHLOE, DAAN, Colleague
from tests.servers.demo_product import DemoProduct, demo_product

ROOT = Path(__file__).parents[2]
README_PICTURE = ROOT / "docs" / "pictures" / "inbox.png"
OTHERS = ROOT / "build" / "screenshots"
SETTLE_SECONDS = 60
LOOKS = ("wide", "phone", "dark")


def _place(path: str) -> Callable[[Page], None]:
    return lambda page: _go(page, path)


def _message(subject: str) -> Callable[[Page], None]:
    def open_it(page: Page) -> None:
        _go(page, "/inbox")
        page.get_by_text(subject).first.click()
        page.locator(".message-date").wait_for()
        page.wait_for_timeout(1000)

    return open_it


def _failed_set_up(page: Page) -> None:
    _go(page, "/setup")
    page.locator("input[name=address]").fill(f"wrong-password@{misbehaving.DOMAIN}")
    page.locator("main form button[type=submit]").first.click()
    page.locator("input[type=password]").first.wait_for()
    page.locator("input[type=password]").first.fill("mistyped")
    page.locator("main form button[type=submit]").first.click()
    page.get_by_text(re.compile("AUTHENTICATIONFAILED")).first.wait_for()


def _ask_password(page: Page) -> None:
    _go(page, "/setup")
    page.locator("input[name=address]").fill(DAAN.address)
    page.locator("main form button[type=submit]").first.click()
    page.locator("input[type=password]").first.wait_for()


def _deleted(page: Page) -> None:
    _go(page, "/inbox")
    page.locator(".rows input[type=checkbox]").nth(3).check()
    page.locator("button[name=do][value=delete]").first.click()
    if page.locator("dialog[open]").count():
        page.locator("dialog[open] .danger, dialog[open] .button-danger").first.click()
    page.wait_for_timeout(500)
    _go(page, "/recent")


Screen = tuple[Colleague | None, Callable[[Page], None]]
SCREENS: dict[str, Screen] = {
    "sign-in": (None, _place("/sign-in")),
    "inbox": (ANNA, _place("/inbox")),
    "message": (ANNA, _message("Offerte verlichting restaurant")),
    "newsletter": (ANNA, _message("Lichtbericht week")),
    "new-e-mail": (ANNA, _place("/drafts/new")),
    "outbox": (ANNA, _place("/outbox")),
    "persons": (ANNA, _place("/persons")),
    "my-card": (ANNA, _place("/persons/me")),
    "options": (ANNA, _place("/options")),
    "options-account": (ANNA, _place("/options/account")),
    "account-status": (ANNA, _place("/accounts/1/status")),
    "personal-settings": (ANNA, _place("/personal-settings")),
    "team": (ANNA, _place("/team")),
    "operator": (ANNA, _place("/operator")),
    "recent": (ANNA, _deleted),
    "search": (ANNA, _place("/inbox?q=verlichting")),
    "help": (CHLOE, _place("/help")),
    "set-up": (DAAN, _place("/setup")),
    "set-up-password": (DAAN, _ask_password),
    "set-up-failed": (DAAN, _failed_set_up),
}


def main(names: list[str]) -> None:
    """Shoot the screens named, or all."""
    OTHERS.mkdir(parents=True, exist_ok=True)
    README_PICTURE.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        demo_product(Path(folder)) as demo,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=parts.program("chromium"), args=list(ARGUMENTS))
        _settle(demo)
        for name in names or SCREENS:
            for language in ("en", "nl"):
                for look in LOOKS:
                    _shoot(browser, demo, name, language, look)
        if not names:
            (OTHERS / "message-en-wide.png").replace(README_PICTURE)
        browser.close()


def _settle(demo: DemoProduct) -> None:
    """Wait until Anna's mailbox is read."""
    until = time.monotonic() + SETTLE_SECONDS
    query = "SELECT 1 FROM account_status WHERE side = 'imap' AND last_success_at IS NOT NULL"
    while time.monotonic() < until:
        with demo.product.runtime.db.read() as connection:
            if connection.execute(query).fetchone():
                return
        time.sleep(0.2)


def _shoot(browser: Browser, demo: DemoProduct, name: str, language: str, look: str) -> None:
    who, way = SCREENS[name]
    context = new_context(browser, language=language, phone=look == "phone", dark=look == "dark")
    if who:
        member = demo.member(who)
        with demo.product.runtime.db.write() as connection:
            connection.execute("UPDATE users SET language = ? WHERE id = ?", (language, member.id))
        context.add_cookies([demo.product.cookie(member)])
    page = context.new_page()
    page.set_default_timeout(8_000)
    page.goto(demo.product.url + "/sign-in")
    target = OTHERS / f"{name}-{language}-{look}.png"
    try:
        way(page)
    except Exception as error:  # one screen that fails must not hide the others
        print(f"{name} ({language}): {str(error).splitlines()[0]}")
    page.screenshot(path=target, animations="disabled", caret="hide")
    print(target.relative_to(ROOT))
    context.close()


def _go(page: Page, path: str) -> None:
    page.goto(re.match(r"https?://[^/]+", page.url)[0] + path, wait_until="load")  # type: ignore[index]
    page.wait_for_timeout(300)


if __name__ == "__main__":
    main(sys.argv[1:])
