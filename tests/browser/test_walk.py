"""Each page of mail and persons in Chromium: accessible, quiet, no wider than the screen."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from soinbox_web.model.member import Member
from soinbox_web.problems import Problem
from soinbox_web.services import composing, people, sending
from soinbox_web.services.composing import Typed
from soinbox_web.store import outbox
from soinbox_web.store.outbox import Recipient
from tests import seed
from tests.browser.conftest import OpenPage
from tests.servers.soinbox import Soinbox

pytestmark = pytest.mark.browser
SECONDS = 60
PICTURES = os.environ.get("WALK_PICTURES", "")
LONG = "Ingenieursbureau-van-de-Wetering-en-Zonen-Verlichtingstechniek-Internationaal"
CORPUS = Path(__file__).parents[1] / "corpus"


@dataclass
class World:
    """A member with one of everything; `places` are paths by name."""

    product: Soinbox
    member: Member
    places: dict[str, str]


def _with_files(number: int) -> bytes:
    files = "".join(
        "--b\r\nContent-Type: application/pdf\r\n"
        f'Content-Disposition: attachment; filename="plan {n}.pdf"\r\n\r\nx\r\n'
        for n in range(number)
    )
    return (
        "From: Bram <bram@klant.example>\r\nSubject: Vijftig bijlagen\r\n"
        "Date: Mon, 23 Nov 2026 08:00:00 +0000\r\n"
        f"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nZie de bijlagen.\r\n{files}--b--\r\n"
    ).encode()


def _world(web: Soinbox, address: str) -> World:
    member = web.add_member(address, "Anna de Vries", admin=True)
    runtime = web.runtime
    account = seed.account(runtime, member)
    many = ", ".join(f"Gast {n} <gast{n}@klant.example>" for n in range(13))
    quote = "Akkoord!\r\n\r\n" + "> eerder geschreven\r\n" * 12
    letters = {
        "plain": seed.letter("Antwoord", text=quote, to=many),
        "long": seed.letter(LONG * 2, sender=f"{LONG} <{'a' * 60}@{'b' * 60}.example>", text=LONG * 9),
        "rtl": seed.letter("مرحبا بكم في العرض الجديد", sender="أحمد <ahmed@klant.example>"),
        "files": _with_files(50),
        "invitation": (CORPUS / "invitation.eml").read_bytes(),
        "odd": (CORPUS / "no-date-sender-subject.eml").read_bytes(),
        "html": b"From: Nieuws <n@x.example>\r\nSubject: Nieuwsbrief\r\nContent-Type: text/html\r\n\r\n"
        b"<h1>Nieuws</h1><img src='https://elders.example/p.png' alt='foto'><p>Tekst",
    }
    keys = dict(zip(letters, seed.deliver(runtime, account, letters.values()), strict=True))
    (waiting,) = seed.deliver(runtime, account, [seed.letter("Nog onderweg")], with_bodies=False)
    card = people.add(
        runtime, {"first_name": LONG, "last_name": LONG, "company": LONG}, ["bram@klant.example"]
    )
    for state, code in (("failed", "message_refused"), ("uncertain", "send_uncertain"), ("held", "")):
        draft = composing.start(runtime, member.id, account.id, "new")
        typed = Typed(account.id, "bram@klant.example", subject=f"{state} {LONG}")
        composing.save(runtime, member.id, draft, typed)
        number = sending.queue(runtime, member.id, draft)
        if code:
            now = runtime.clock.now()
            with runtime.db.write() as connection:
                outbox.claim(connection, number, "test", now)
                told = [Recipient("bram@klant.example", "refused", "550 5.1.1 unknown")]
                problem = Problem(code, side="smtp", facts={"host": "mail.klant.example"})
                outbox.settle(connection, number, state, told, now, problem)  # type: ignore[arg-type]
    draft = composing.start(runtime, member.id, account.id, "new", to=f"{LONG} <{'a' * 60}@klant.example>")
    here = f"/inbox/{account.id}"
    places = {f"message-{name}": f"{here}?message={key}" for name, key in keys.items()}
    places |= {
        "inbox": here,
        "filtered": f"{here}?unread=1&since=2026-11-01&senders=other&attachment=1",
        "empty": f"{here}?folder=Klanten",
        "search": f"{here}?q=antwoord&everywhere=1",
        "nothing-found": f"{here}?q=qqqq",
        "message-gone": f"{here}?message={account.id}.SU5CT1g.7.999",
        "message-alone": f"/messages/{keys['plain']}",
        "ask-delete": f"/messages/delete?key={keys['plain']}",
        "loading": f"{here}?message={waiting}",
        "outbox": "/outbox",
        "draft": f"/drafts/{draft}",
        "persons": "/persons",
        "nobody-found": "/persons?q=qqqq",
        "person": f"/persons/{card}",
        "person-new": "/persons/new?address=eva@klant.example&name=Eva+Smit",
        "person-edit": f"/persons/{card}/edit",
        "person-remove": f"/persons/{card}/remove",
        "my-card": "/persons/me",
        "options": "/options",
        "personal-settings": "/personal-settings",
        "team": "/team",
        "help": "/help/reading",
        "not-found": "/persons/99999",
    }
    return World(web, member, places)


@pytest.mark.parametrize(
    ("language", "javascript", "width"),
    [("en", True, 390), ("nl", True, 1440), ("nl", False, 390)],
)
def test_walk(
    product: Callable[..., Soinbox], open_page: OpenPage, language: str, javascript: bool, width: int
) -> None:
    web = product("web")
    world = _world(web, f"walk.{language}.{width}@noordlicht.example")
    with web.runtime.db.write() as connection:
        connection.execute("UPDATE users SET language = ? WHERE id = ?", (language, world.member.id))
    watched = open_page(
        world.member, product=web, language=language, javascript=javascript, phone=width == 390
    )
    if width != 390:
        watched.page.set_viewport_size({"width": width, "height": 900})
    watched.page.emulate_media(color_scheme="dark" if width == 1440 else "light", reduced_motion="reduce")
    started = time.monotonic()
    for name, path in world.places.items():
        page = watched.goto(path)
        if PICTURES:
            page.wait_for_timeout(200)
            page.screenshot(path=f"{PICTURES}/{name}-{language}-{width}-{javascript}.png")
        for each in (1024, 1440) if width == 1440 else (390,):
            if each != 390:
                page.set_viewport_size({"width": each, "height": 900})
            wide, shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert wide <= shown, f"{path} is {wide} wide on {shown}"
        watched.check()
    assert PICTURES or time.monotonic() - started < SECONDS
