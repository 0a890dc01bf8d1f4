"""Mails that cost a reader much are opened in the running product: others are served, the page says it."""

import threading
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from soinbox_web.model.member import Member
from soinbox_web.services import members
from tests import seed
from tests.mail.mime.bombs import lines_without_number
from tests.servers.soinbox import Soinbox

CALENDAR = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nDTSTART" + ";X=a,a" * 24 + ":20261201T090000Z\r\n"
    "SUMMARY:Overleg\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@pytest.fixture(scope="module")
def web(product: Callable[..., Soinbox]) -> Soinbox:
    """The web server alone: no mailroom takes the mail away that is put here."""
    return product("web")


def somebody(web: Soinbox, name: str) -> Member:
    return members.add(web.runtime, f"{name}@bombs.example", name, "lampje-voor-iedereen", language="en")


def get(web: Soinbox, member: Member, path: str) -> tuple[int, str]:
    cookie: dict[str, Any] = dict(web.cookie(member))
    request = urllib.request.Request(
        web.url + path, headers={"Cookie": f"{cookie['name']}={cookie['value']}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status, answer.read().decode()


def test_a_calendar_bomb_is_shown_as_the_meeting_it_is(web: Soinbox) -> None:
    anna = somebody(web, "anna")
    raw = b"Subject: Agenda\r\nContent-Type: text/calendar\r\n\r\n" + CALENDAR.encode()
    (key,) = seed.deliver(web.runtime, seed.account(web.runtime, anna), [raw])
    status, page = get(web, anna, f"/messages/{key}")
    assert status == 200 and "Overleg" in page


def test_what_takes_too_much_is_told_with_its_source_while_others_are_served(web: Soinbox) -> None:
    eva, bram = somebody(web, "eva"), somebody(web, "bram")
    letter = seed.letter(subject="Te veel")
    bombs = [lines_without_number(30_000_000) + bytes([65 + number]) for number in range(2)]
    account = seed.account(web.runtime, eva)
    keys = seed.deliver(web.runtime, account, [letter, letter], with_bodies=False)
    put_bodies(web, account, keys, bombs)
    (other,) = seed.deliver(web.runtime, seed.account(web.runtime, bram), [seed.letter(subject="Gewoon")])
    opened: list[tuple[int, str]] = []
    opening = [
        threading.Thread(target=lambda key=key: opened.append(get(web, eva, f"/messages/{key}")))
        for key in keys
        for _ in range(4)
    ]
    for each in opening:
        each.start()
    served = 0
    while any(each.is_alive() for each in opening):
        status, page = get(web, bram, f"/messages/{other}")
        assert status == 200 and "Hierbij de offerte" in page
        served += any(each.is_alive() for each in opening)
    assert served  # while the others were being opened
    assert len(opened) == len(opening)
    for status, page in opened:
        assert status == 200 and "only its source can be shown" in page and "source.eml" in page


def put_bodies(web: Soinbox, account: Any, keys: list[Any], raws: list[bytes]) -> None:
    """Their bodies, without reading them as the tests' mailroom does."""
    from soinbox_web.store import bodies, messages

    with web.runtime.mailbox(account.id, account.generation).write() as connection:
        for key, raw in zip(keys, raws, strict=True):
            row = messages.find(connection, key.folder, key.uidvalidity, key.uid)
            assert row is not None
            bodies.put(connection, row["id"], bodies.pack(raw), len(raw), "", web.runtime.clock.now())
