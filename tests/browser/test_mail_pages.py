"""Mail in Chromium: the list stands still while mail arrives, drafts save themselves; no JavaScript too."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import FloatRect, Page, expect

from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.problems import Problem
from soinbox_web.services import people, sending, sessions
from soinbox_web.store import accounts
from tests import seed
from tests.browser.conftest import OpenPage
from tests.servers.soinbox import Soinbox

pytestmark = pytest.mark.browser
_numbers = itertools.count(1)

HOSTILE = (
    b"From: Kwaad <kwaad@x.example>\r\nSubject: <img src=x onerror=alert(1)>\r\n"
    b"Date: Mon, 23 Nov 2026 08:00:00 +0000\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b"<script>parent.document.title='stuk'</script><img src=x onerror=\"parent.document.title='stuk'\">"
    b"<svg onload=\"parent.document.title='stuk'\"></svg>"
    b"<form action=/sign-out method=post><button>Klik</button></form>"
    b'<p style="position:fixed;background:url(http://127.0.0.1:9/x)" hx-get=/sign-out hx-trigger=load>'
    b"Zichtbaar</p>"
)


@dataclass
class Desk:
    """A member with a filled mailbox; nobody synchronises it."""

    product: Soinbox
    member: Member
    account: Account

    def arrives(self, *subjects: str, text: str = "Hallo Anna,\r\n\r\nTot zo.\r\n") -> list[str]:
        now = self.product.runtime.clock.now()
        letters = [
            seed.letter(
                subject,
                text=text,
                date=(now - timedelta(minutes=len(subjects) - n)).strftime("%a, %d %b %Y %H:%M:%S +0000"),
            )
            for n, subject in enumerate(subjects)
        ]
        return [str(key) for key in seed.deliver(self.product.runtime, self.account, letters)]


@pytest.fixture(scope="module")
def web(product: Callable[..., Soinbox]) -> Soinbox:
    """The web server alone."""
    return product("web")


@pytest.fixture
def own_web(product: Callable[..., Soinbox]) -> Soinbox:
    """A web server of this test alone, to be stopped."""
    return product("web")


@pytest.fixture
def desk(web: Soinbox) -> Desk:
    address = f"mail.{next(_numbers)}@noordlicht.example"
    member = web.add_member(address, "Anna de Vries")
    return Desk(web, member, seed.account(web.runtime, member))


def box(page: Page, selector: str) -> FloatRect:
    found = page.locator(selector).bounding_box()
    assert found is not None
    return found


def subjects(page: Page) -> list[str]:
    return [text.strip() for text in page.locator(".row-subject").all_inner_texts()]


def test_the_list_stands_still_while_mail_arrives(desk: Desk, open_page: OpenPage) -> None:
    desk.arrives(*[f"Brief {n:02d}" for n in range(40)])
    watched = open_page(desk.member, product=desk.product)
    page = watched.goto("/inbox")
    ticked = page.locator(".row", has_text="Brief 20").locator("input")
    ticked.check()
    page.locator(".search-words").focus()
    page.locator("#message-rows").evaluate("list => list.scrollTop = 700")
    page.evaluate("window.same = document.querySelector('#message-list')")
    desk.arrives("Vers van de pers")
    expect(page.locator(".row-subject").first).to_have_text("Vers van de pers", timeout=2000)
    assert page.locator("#message-rows").evaluate("list => list.scrollTop") > 600
    assert ticked.is_checked()
    assert page.evaluate("document.activeElement.className") == "search-words"
    assert page.evaluate("window.same === document.querySelector('#message-list')")
    assert page.title().startswith("(41)") or "41 new" in page.locator(".folder-choice").text_content()
    watched.check()


def test_a_server_that_cannot_be_reached_is_told_until_it_is_back(
    own_web: Soinbox, open_page: OpenPage, language: str
) -> None:
    member = own_web.add_member(f"{language}@noordlicht.example", "Anna", language=language)
    desk = Desk(own_web, member, seed.account(own_web.runtime, member))
    desk.arrives("Eerste", "Tweede")
    watched = open_page(member, product=own_web)
    page = watched.goto("/inbox")
    words = {"en": "soinbox cannot be reached. What you", "nl": "soinbox is niet bereikbaar. Wat u"}[language]
    bar = page.get_by_role("status").filter(has_text=words)
    expect(page.locator(".health-known")).to_be_visible()
    expect(bar).to_have_count(0)
    own_web.kill()
    page.locator(".row-link", has_text="Eerste").click()
    expect(bar).to_be_visible(timeout=3000)  # a stream that is gone has 5 s
    expect(page.locator(".health-known")).to_be_hidden()
    expect(page.locator(".row.open")).to_have_count(0)
    watched.check_accessible()
    before = page.url
    page.locator("button[form=refresh]").click()
    page.wait_for_timeout(300)
    assert page.url == before and page.locator(".row").count() == 2
    desk.arrives("Derde")
    own_web.start()
    expect(page.locator(".row")).to_have_count(3)
    expect(bar).to_be_hidden()
    expect(page.locator(".health-known")).to_be_visible()
    watched.complaints.clear()  # the browser's own about the server that was gone


def test_three_failing_accounts_leave_room(desk: Desk, open_page: OpenPage) -> None:
    runtime, now = desk.product.runtime, desk.product.runtime.clock.now()
    desk.arrives(*[f"Brief {n:02d}" for n in range(20)])
    others = [seed.account(runtime, desk.member, f"{n}.{desk.member.address}") for n in range(2)]
    for each in (desk.account, *others):
        problem = Problem("credentials_wrong", side="imap", facts={"host": "a.b", "username": each.address})
        with runtime.db.write() as connection:
            accounts.record_attempt(connection, each.id, "imap", now, problem)
    for phone in (True, False):
        watched = open_page(desk.member, product=desk.product, phone=phone)
        if not phone:
            watched.page.set_viewport_size({"width": 1280, "height": 850})
        page = watched.goto("/inbox")
        assert box(page, "#banners")["height"] < (140 if phone else 160)
        assert box(page, "#message-rows")["height"] > 340
        fix = page.locator("#banners .banner-actions a").first
        if phone:
            expect(fix).to_be_hidden()
            page.locator("#banners summary").first.click()
        expect(fix).to_be_visible()
        page.locator(".folder-choice").click()
        last = page.locator(".list-tools .menu-list:visible .menu-item").last
        last.scroll_into_view_if_needed()
        last.click(trial=True)
        watched.check()
        page.goto(watched.url + "/drafts/new")
        send = box(page, "[value=send]")
        assert send["y"] + send["height"] < (790 if phone else 850)
        watched.check()


def test_somebody_signed_out_elsewhere_is_told_and_led_back(desk: Desk, open_page: OpenPage) -> None:
    desk.arrives("Eerste")
    watched = open_page(desk.member, product=desk.product)
    page = watched.goto("/inbox?unread=1")
    sessions.end_all(desk.product.runtime, desk.member)
    page.locator(".row-link").click()
    link = page.get_by_role("link", name="Sign in again")
    expect(link).to_be_visible()
    expect(page.locator(".selection-none")).to_be_visible()
    link.click()
    assert "/sign-in?next=%2Finbox%2F" in page.url and page.url.endswith("unread%3D1")
    watched.check()


def test_opening_marks_the_row_and_goes_back(desk: Desk, open_page: OpenPage) -> None:
    desk.arrives("Eerste", "Tweede", "Derde")
    watched = open_page(desk.member, product=desk.product)
    page = watched.goto("/inbox")
    page.locator(".row-link", has_text="Tweede").click()
    expect(page.locator(".message-subject")).to_have_text("Tweede")
    row = page.locator(".row", has_text="Tweede")
    expect(row).not_to_have_class("unread", timeout=2000)
    expect(page.locator(".row.unread")).to_have_count(2)
    expect(page.locator(".row.open")).to_have_count(1)
    assert "message=" in page.url
    watched.check()
    page.keyboard.press("j")
    expect(page.locator(".message-subject")).to_have_text("Eerste")
    page.go_back()
    expect(page.locator(".message-subject")).to_have_text("Tweede")
    watched.check_quiet()


def test_with_the_unread_only_the_open_one_stays_until_another_is_opened(
    desk: Desk, open_page: OpenPage
) -> None:
    desk.arrives("Eerste", "Tweede", "Derde")
    watched = open_page(desk.member, product=desk.product)
    page = watched.goto("/inbox?unread=1")
    page.locator(".row-link", has_text="Tweede").click()
    expect(page.locator(".row.unread")).to_have_count(2)
    page.wait_for_timeout(600)
    assert subjects(page) == ["Derde", "Tweede", "Eerste"]
    page.locator(".row-link", has_text="Derde").click()
    expect(page.locator(".row")).to_have_count(2)
    assert subjects(page) == ["Derde", "Eerste"]
    page.goto(watched.url + "/inbox?unread=1")
    assert subjects(page) == ["Eerste"]
    watched.check_quiet()


def test_marking_leaves_the_message_open(desk: Desk, open_page: OpenPage, javascript: bool) -> None:
    desk.arrives("Eerste", "Tweede")
    watched = open_page(desk.member, product=desk.product, javascript=javascript)
    page = watched.goto("/inbox")
    page.locator(".row-link", has_text="Tweede").click()
    for words, mark in (("Flag", "[aria-label=Flagged]"), ("Mark as unread", ".row.unread >> text=Tweede")):
        page.locator("#message-pane .toolbar-end > summary").click()
        page.locator("#message-pane .menu-item", has_text=words).first.click()
        expect(page.locator("#message-list").locator(mark)).to_be_visible()
        expect(page.locator(".message-subject")).to_have_text("Tweede")
    watched.check()


def test_marking_many_is_undone_for_those_that_changed(
    desk: Desk, open_page: OpenPage, javascript: bool
) -> None:
    keys = desk.arrives("Eerste", "Tweede", "Derde")
    watched = open_page(desk.member, product=desk.product, javascript=javascript)
    page = watched.goto(f"/inbox/{desk.account.id}?message={keys[0]}")
    page.goto(f"{watched.url}/inbox/{desk.account.id}")
    for box_ in page.locator(".row-check input").all():
        box_.check()
    page.locator(".bulk-bar [value=read]").click()
    toast = page.locator("#undo-bar .toast")
    expect(toast).to_contain_text("2 messages marked as read")
    expect(page.locator(".row.unread")).to_have_count(0)
    toast.locator("button").click()
    expect(page.locator(".row.unread")).to_have_count(2)
    expect(toast).to_have_count(0)
    watched.check()


def test_a_hostile_message_does_nothing(desk: Desk, open_page: OpenPage) -> None:
    (key,) = seed.deliver(desk.product.runtime, desk.account, [HOSTILE])
    watched = open_page(desk.member, product=desk.product)
    asked: list[str] = []
    watched.page.on("request", lambda request: asked.append(request.url))
    page = watched.goto(f"/inbox/{desk.account.id}?message={key}")
    expect(page.frame_locator(".message-frame").get_by_text("Zichtbaar")).to_be_visible()
    page.wait_for_timeout(300)
    assert "stuk" not in page.title()
    assert [url for url in asked if not url.startswith(desk.product.url)] == []
    assert not any("sign-out" in url for url in asked)
    assert page.frame_locator(".message-frame").locator("form, script, svg").count() == 0
    watched.check()


def test_a_draft_saves_itself_and_goes_once(desk: Desk, open_page: OpenPage) -> None:
    watched = open_page(desk.member, product=desk.product)
    page = watched.goto("/drafts/new")
    page.locator("#to").fill("bram@klant.example")
    page.locator("#subject").fill("Vraag")
    page.locator("#body").press_sequentially("Hoi Bram")
    page.wait_for_timeout(1000)
    page.reload()
    assert page.locator("#body").input_value() == "Hoi Bram"
    page.locator("#files").set_input_files({"name": "plan.txt", "mimeType": "text/plain", "buffer": b"plan"})
    expect(page.locator(".attachment")).to_contain_text("plan.txt")
    watched.check()
    page.get_by_role("button", name="Send").dblclick()
    page.wait_for_url("**/inbox/*")
    assert len(sending.everything(desk.product.runtime, desk.member.id)) == 1
    page.locator(".undo-bar").get_by_role("button", name="Undo").click()
    page.wait_for_url("**/drafts/*")
    assert page.locator("#body").input_value() == "Hoi Bram"
    watched.check_quiet()


def test_deleting_can_be_undone(desk: Desk, open_page: OpenPage, javascript: bool) -> None:
    desk.arrives("Blijft", "Weg")
    watched = open_page(desk.member, product=desk.product, javascript=javascript)
    page = watched.goto("/inbox")
    page.locator(".row", has_text="Weg").locator("input").check()
    page.locator(".bulk-bar button[value=delete]").click()
    expect(page.get_by_role("heading", name="Delete this e-mail?")).to_be_visible()
    watched.check()
    asking = page.get_by_role("dialog") if javascript else page.locator(".card")
    asking.get_by_role("button", name="Delete").click()
    expect(page.locator(".undo-bar")).to_contain_text("1 message deleted")
    assert subjects(page) == ["Blijft"]
    page.locator(".undo-bar").get_by_role("button", name="Undo").click()
    expect(page.locator(".row")).to_have_count(2)
    watched.check()


def test_keys_walk_answer_ask_and_explain(desk: Desk, open_page: OpenPage) -> None:
    desk.arrives("Eerste", "Tweede", "Derde")
    watched = open_page(desk.member, product=desk.product)
    page = watched.goto("/inbox")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    watched.check()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("jjj")  # a field keeps its letters
    assert page.locator(".search-words").input_value() == "jjj"
    page.goto(desk.product.url + "/inbox")
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".message-subject")).to_have_text("Tweede")
    page.keyboard.press("Delete")
    asking = page.get_by_role("dialog", name="Delete this e-mail?")
    asking.get_by_role("button", name="Cancel").click()
    expect(page.locator(".row")).to_have_count(3)
    page.keyboard.press("Delete")
    asking.get_by_role("button", name="Delete").click()
    expect(page.locator(".row")).to_have_count(2)
    page.keyboard.press("j")
    expect(page.locator(".message-subject")).to_have_text("Derde")
    page.keyboard.press("f")
    page.wait_for_url("**/drafts/*")
    assert page.locator("#subject").input_value() == "Fwd: Derde"
    watched.check_quiet()


def test_recipients_are_suggested(desk: Desk, open_page: OpenPage) -> None:
    people.add(desk.product.runtime, {"first_name": "Eva", "last_name": "Smit"}, ["eva@klant.example"])
    watched = open_page(desk.member, product=desk.product)
    page = watched.goto("/drafts/new")
    assert page.locator("#people option").count() > 0  # without JavaScript these are all
    page.locator("#to").fill("bram@klant.example, smit")
    wanted = "bram@klant.example, Eva Smit <eva@klant.example>"
    expect(page.locator("#people option").first).to_have_attribute("value", wanted)
    watched.check()


def test_marking_many_read_in_place(desk: Desk, open_page: OpenPage, javascript: bool) -> None:
    desk.arrives("Een", "Twee", "Drie")
    watched = open_page(desk.member, product=desk.product, javascript=javascript)
    page = watched.goto("/inbox")
    for words in ("Een", "Drie"):
        page.locator(".row", has_text=words).locator("input").check()
    page.locator(".bulk-bar button[value=read]").click()
    expect(page.locator(".row.unread")).to_have_count(1)
    watched.check()


def test_reading_and_answering(desk: Desk, open_page: OpenPage, language: str, javascript: bool) -> None:
    desk.arrives("Offerte")
    watched = open_page(desk.member, product=desk.product, javascript=javascript, language=language)
    page = watched.goto("/inbox")
    page.locator(".row-link", has_text="Offerte").click()
    expect(page.locator(".message-subject")).to_have_text("Offerte")
    page.locator("#message-pane .toolbar a").first.click()
    page.wait_for_url("**/drafts/*")
    assert page.locator("#subject").input_value() == "Re: Offerte"
    assert "> Hallo Anna," in page.locator("#body").input_value()
    watched.check()
    page.locator(".composer-foot button[value=send]").click()
    page.wait_for_url("**/inbox/*")
    expect(page.locator(".undo-bar form")).to_have_count(1)
    page.goto(desk.product.url + "/outbox")
    watched.check()


@pytest.mark.parametrize("where", ["/inbox", "/outbox", "/drafts/new"])
def test_on_a_phone(desk: Desk, open_page: OpenPage, where: str) -> None:
    desk.arrives("Offerte")
    watched = open_page(desk.member, product=desk.product, phone=True)
    page = watched.goto(where)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    watched.check()
    if where == "/inbox":
        page.locator(".row-link").first.tap()
        expect(page.locator("#message-pane")).to_be_visible()
        expect(page.locator("#message-list")).to_be_hidden()
        watched.check()
        page.get_by_role("link", name="Back to the list").tap()
        expect(page.locator("#message-list")).to_be_visible()


def test_search_as_you_type(desk: Desk, open_page: OpenPage) -> None:
    desk.arrives("Kroonluchter", "Anders")
    watched = open_page(desk.member, product=desk.product)
    page = watched.goto("/inbox")
    page.locator(".search-words").press_sequentially("kroon")
    expect(page.locator(".row")).to_have_count(1)
    assert "q=kroon" in page.url and page.locator(".search-words").input_value() == "kroon"
    assert page.evaluate("document.activeElement.className") == "search-words"
    watched.check()
