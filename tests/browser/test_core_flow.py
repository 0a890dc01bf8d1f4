"""The core flow S0 to S7 and G1 in Chromium: both languages, with and without JavaScript, phone, keyboard."""

import re
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from soinbox_web.texts import translator
from tests.browser.conftest import OpenPage
from tests.browser.page import Watched
from tests.servers.mailbox import RealMailbox
from tests.servers.noordlicht import HOST
from tests.servers.soinbox import Soinbox

pytestmark = [pytest.mark.real, pytest.mark.browser]
PERSON = "anna.de.vries@kantoor.example"  # not the address of the mailbox
NEW_PASSWORD = "een-nieuw-geheim"
OFFICIAL = {
    "Inbox": "Postvak IN",
    "Set up e-mail account": "E-mailaccount instellen",
    "E-mail account": "E-mailaccount",
    "Next": "Volgende",
    "Log in": "Aanmelden",
    "Save": "Opslaan",
    "Password": "Wachtwoord",
    "User name": "Gebruikersnaam",
    "Advanced settings": "Geavanceerde instellingen",
    "Incoming e-mail settings": "Instellingen voor binnenkomende e-mail",
    "Outgoing e-mail settings": "Instellingen voor uitgaande e-mail",
    "Incoming e-mail server": "Server voor inkomende e-mail",
    "Outgoing e-mail server": "Server voor uitgaande e-mail",
    "Personal settings": "Persoonlijke instellingen",
    "E-mail options": "E-mailopties",
    "General": "Algemeen",
    "Edit": "Bewerken",
    "Remove": "Verwijderen",
    "Show my contact info": "Mijn personeninformatie weergeven",
    "Why isn't the e-mail list updated?": "Waarom wordt de e-maillijst niet bijgewerkt?",
    "New e-mail": "Nieuwe e-mail",
    "To": "Aan",
    "Subject": "Onderwerp",
    "Attachments": "Bijlagen",
    "Send": "Verzenden",
    "Reply": "Beantwoorden",
    "Reply all": "Allen beantwoorden",
    "Forward": "Doorsturen",
    "Delete": "Verwijderen",
    "Search in this folder": "Zoeken in de huidige map",
}


class Flow:
    """One person's visit; `word` gives the official words in the language of the visit."""

    def __init__(self, visitor: Watched, mailbox: RealMailbox, language: str) -> None:
        self.visitor = visitor
        self.page: Page = visitor.page
        self.mailbox = mailbox
        self._dutch = language == "nl"
        self._other = translator(language)

    def word(self, english: str) -> str:
        if not self._dutch:
            return english
        return OFFICIAL.get(english) or self._other(english)

    def button(self, english: str) -> Locator:
        return self.page.locator("main").get_by_role("button", name=self.word(english), exact=True)

    def link(self, english: str) -> Locator:
        return self.page.get_by_role("link", name=self.word(english), exact=True)

    def field(self, english: str) -> Locator:
        return self.page.get_by_label(self.word(english), exact=True)

    def sees(self, english: str) -> None:
        expect(self.page.locator("main")).to_contain_text(self.word(english))

    def navigate(self, path: str) -> None:
        self.visitor.goto(path)
        self.visitor.check()

    def comes(self, words: str, seconds: float = 15) -> None:
        """Appears in the list: by itself with JavaScript, by loading the page again without."""
        until = time.monotonic() + seconds
        while self.page.get_by_text(words).count() == 0:
            assert time.monotonic() < until, self.page.locator("body").inner_text()[:1500]
            if not self.visitor.javascript:
                self.page.reload()
            self.page.wait_for_timeout(50)

    def ask_address(self) -> None:
        """S0 and S1, with a look at S4 and back."""
        self.navigate("/persons")
        self.link("Inbox").first.click()
        self.page.wait_for_url("**/setup")
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.word("Set up e-mail account"))
        self.visitor.check()
        self.field("E-mail account").fill(self.mailbox.address)
        self.button("Advanced settings").click()
        for words in ("Incoming e-mail settings", "Outgoing e-mail settings"):
            self.sees(words)
        for words in ("Incoming e-mail server", "Outgoing e-mail server"):
            expect(self.field(words)).to_be_visible()
        expect(self.field("User name").first).to_have_value(self.mailbox.address)
        self.visitor.check()
        self.link("Back").click()
        expect(self.field("E-mail account")).to_have_value(self.mailbox.address)
        self.button("Next").click()

    def connect(self) -> None:
        """S2 to S5, by way of a wrong password and S4."""
        self.field("Password").wait_for()
        self.sees(HOST)
        self.visitor.check()
        self.field("Password").fill("niet-het-geheim")
        self.button("Log in").click()
        self.page.locator("#imap_password").wait_for()
        expect(self.page.locator("#problem")).to_contain_text(
            self.word("User name or password is wrong"), ignore_case=True
        )
        expect(self.field("Incoming e-mail server")).to_have_value(HOST)
        expect(self.field("E-mail account")).to_have_value(self.mailbox.address)
        guilty = self.page.locator("#imap_password")
        expect(guilty).to_have_attribute("aria-invalid", "true")
        if self.visitor.javascript:
            expect(guilty).to_be_focused()
        self.visitor.check()
        guilty.fill(self.mailbox.password)
        self.button("Save").click()
        self.page.wait_for_url("**/inbox/**", timeout=20_000)

    def read(self) -> None:
        """S5: the mail is there, what comes is there in two seconds, the next click leads straight here."""
        self.comes("Eerste licht")
        expect(self.page.locator(".search-words")).to_have_attribute(
            "placeholder", self.word("Search in this folder")
        )
        expect(self.link("New e-mail").first).to_be_visible()
        self.mailbox.deliver_text("Vers van de pers")
        self.comes("Vers van de pers", seconds=2.0 if self.visitor.javascript else 5.0)
        self.visitor.check()
        self.page.goto(self.visitor.url + "/persons")
        self.link("Inbox").first.click()
        expect(self.page.locator(".row-link").first).to_be_visible()
        self.page.locator(".row-link", has_text="Eerste licht").click()
        expect(self.page.locator(".message-subject")).to_have_text("Eerste licht")
        expect(self.page.locator("#message-pane").get_by_text("Goedemorgen.")).to_be_visible()
        for words in ("Reply", "Reply all", "Forward"):
            expect(self.link(words)).to_be_visible()
        expect(self.page.locator("#act").get_by_role("button")).to_have_text(self.word("Delete"))
        self.visitor.check()

    def answer(self) -> None:
        """G1: refused until the address is the first on the card; then held, and taken back."""
        self.link("Reply").click()
        self.page.wait_for_url("**/drafts/*")
        for words in ("To", "Subject"):
            expect(self.field(words)).to_be_visible()
        expect(self.button("Send")).to_be_disabled()
        make_first = self.page.locator(".composer-notice form button")
        expect(make_first).to_contain_text(self.mailbox.address)
        assert make_first.evaluate("button => button.getBoundingClientRect().right < innerWidth")
        self.visitor.check()
        make_first.click()
        expect(self.button("Send")).to_be_enabled()
        self.page.locator("#body").fill("Dank u wel.")
        self.visitor.check()
        self.button("Send").click()
        undo = self.page.locator("#undo-bar").get_by_role("button", name=self.word("Undo"), exact=True)
        expect(undo).to_be_visible()
        self.visitor.check()
        undo.click()
        expect(self.page.locator("#body")).to_have_value("Dank u wel.")
        assert not self.mailbox.sent()

    def change(self) -> None:
        """S6: from the profile icon to Edit and Remove."""
        self.navigate("/persons")
        self.page.locator("summary[aria-label]", has=self.page.locator(".avatar")).last.click()
        for words in ("Personal settings", "Show my contact info"):
            expect(self.link(words)).to_be_visible()
        self.link("E-mail options").click()
        self.sees("General")
        self.visitor.check()
        self.page.locator("main").get_by_role("link", name=self.word("E-mail account"), exact=True).click()
        expect(self.page.locator("main")).to_contain_text(self.mailbox.address)
        self.visitor.check()
        self.link("Remove").click()
        self.sees("What goes")
        self.sees("What stays")
        self.visitor.check()
        self.page.go_back()
        self.link("Edit").click()
        expect(self.field("Incoming e-mail server")).to_have_value(HOST)
        self.visitor.check()

    def fail_and_mend(self) -> None:
        """S7: the provider refuses; every page says so, with the way out; then the list is fresh."""
        self.mailbox.dovecot.set_password(self.mailbox.address, NEW_PASSWORD)
        self.mailbox.dovecot.restart()
        self.page.goto(self.visitor.url + "/inbox")
        deadline = time.monotonic() + 45
        fix = self.page.locator("#banners").get_by_role("link", name=self.word("Fix sign-in"), exact=True)
        while fix.count() == 0:
            assert time.monotonic() < deadline, self.page.locator("body").inner_text()[:1500]
            self.page.goto(self.visitor.url + "/inbox")
            self.page.locator("button[form=refresh]").click()
            self.page.wait_for_timeout(500)
        self.navigate("/inbox")
        expect(self.page.locator(".row-link", has_text="Eerste licht")).to_be_visible()
        self.navigate("/persons")
        fix.click()
        self.page.locator("#imap_password").fill(NEW_PASSWORD)
        self.visitor.check()
        self.button("Save").click()
        self.page.wait_for_url("**/inbox/**", timeout=20_000)
        expect(fix).to_have_count(0)
        self.mailbox.deliver_text("Na de storing")
        self.comes("Na de storing")
        self.navigate("/help/not-updated")
        self.sees("Why isn't the e-mail list updated?")


def walk(mailbox: RealMailbox, world: Soinbox, visitor: Watched, language: str) -> None:
    flow = Flow(visitor, mailbox, language)
    flow.ask_address()
    flow.connect()
    flow.read()
    flow.answer()
    flow.change()
    flow.fail_and_mend()


def test_core_flow(
    own_mailbox: RealMailbox, connected_world: Soinbox, open_page: OpenPage, language: str, javascript: bool
) -> None:
    own_mailbox.deliver_text("Eerste licht", "Goedemorgen.")
    member = connected_world.add_member(PERSON, "Anna de Vries", language=language)
    visitor = open_page(member, language=language, javascript=javascript, product=connected_world)
    walk(own_mailbox, connected_world, visitor, language)


def test_core_flow_on_a_phone(
    own_mailbox: RealMailbox, connected_world: Soinbox, open_page: OpenPage
) -> None:
    own_mailbox.deliver_text("Eerste licht", "Goedemorgen.")
    member = connected_world.add_member(PERSON, "Anna de Vries", language="nl")
    visitor = open_page(member, language="nl", phone=True, product=connected_world)
    visitor.page.on("load", no_sideways)
    walk(own_mailbox, connected_world, visitor, "nl")


def no_sideways(page: Page) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{page.url} is {wide} pixels too wide for a phone"


def test_core_flow_by_keyboard(
    own_mailbox: RealMailbox, connected_world: Soinbox, open_page: OpenPage
) -> None:
    """Every key goes to what has the focus; the mouse is never used."""
    own_mailbox.deliver_text("Eerste licht", "Goedemorgen.")
    member = connected_world.add_member(own_mailbox.address, "Anna de Vries")
    visitor = open_page(member, product=connected_world)
    page = visitor.goto("/persons")
    press_on(page, "a[href='/inbox']")
    page.wait_for_url("**/setup")
    expect(page.locator("#address")).to_be_focused()
    page.keyboard.type(own_mailbox.address)
    page.keyboard.press("Enter")
    expect(page.locator("#password")).to_be_focused()
    page.keyboard.type(own_mailbox.password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox/**", timeout=20_000)
    expect(page.locator(".row-link")).to_have_count(1)
    press_on(page, ".row-link")
    expect(page.locator(".message-subject")).to_have_text("Eerste licht")
    press_on(page, "a[href*='kind=reply&']")
    expect(page.locator("#body")).to_be_focused()
    page.keyboard.type("Dank u wel.")
    press_on(page, "button[value=send]")
    expect(page.locator("#undo-bar form")).to_have_count(1)
    press_on(page, "#undo-bar button", most=150)
    page.wait_for_url("**/drafts/*")
    assert "Dank u wel." in page.locator("#body").input_value()
    press_on(page, "summary[aria-label^='Your profile']", most=150)
    press_on(page, "a[href='/options']")
    press_on(page, "a[href='/options/account']")
    press_on(page, "a[href$='/remove']")
    expect(page.get_by_role("link", name=re.compile("Keep it"))).to_be_focused()
    visitor.check()


def press_on(page: Page, selector: str, most: int = 80) -> None:
    """Tab until this has the focus, then Enter."""
    page.locator(selector).first.wait_for()
    for _ in range(most):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached with Tab on {page.url}")
