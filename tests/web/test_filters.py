"""The filters of the list hold for the whole folder and the whole search, with honest counts."""

import re

import pytest

from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.runtime import Runtime
from soinbox_web.services import people, triage
from tests import seed
from tests.client import SoinboxClient
from tests.web.test_inbox import account, link, many, subjects, text

__all__ = ["account"]


def count(html: str) -> str:
    found = re.search(r'pane-foot">\s*<span class="number">([^<]*)<', html)
    assert found
    return found[1]


def dated(subject: str, day: int, hour: int = 12, **more: str) -> bytes:
    return seed.letter(subject, date=f"Mon, {day} Nov 2026 {hour:02d}:00:00 +0000", **more)


def test_a_filter_holds_beyond_the_first_page(
    runtime: Runtime, member: Member, account: Account, signed_in: SoinboxClient
) -> None:
    many(runtime, account, 120)
    old = [dated(f"Oud {n}", 1) for n in range(3)]
    keys = seed.deliver(runtime, account, old)
    with runtime.mailbox(account.id, account.generation).write() as connection:
        connection.execute(
            "UPDATE messages SET seen = 1, flags = '[\"\\\\Seen\"]' WHERE subject LIKE 'Brief%'"
        )
    html = text(signed_in, f"/inbox/{account.id}?unread=1")
    assert sorted(subjects(html)) == ["Oud 0", "Oud 1", "Oud 2"] and count(html) == "3 messages"
    found = text(signed_in, f"/inbox/{account.id}?unread=1&q=hierbij")
    assert len(subjects(found)) == 3 and count(found) == "3 messages"
    triage.act(runtime, member.id, keys[:1], "read")
    triage.act(runtime, member.id, keys[1:2], "delete")
    for url in (f"/inbox/{account.id}?unread=1", f"/inbox/{account.id}?unread=1&q=hierbij"):
        html = text(signed_in, url)
        assert subjects(html) == ["Oud 2"] and count(html) == "1 message"


def test_the_open_message_stays_among_the_unread(
    runtime: Runtime, member: Member, account: Account, signed_in: SoinboxClient
) -> None:
    keys = seed.deliver(runtime, account, [dated(f"Brief {n}", 1, n) for n in range(4)])
    unread = f"/inbox/{account.id}?unread=1"
    for more in ("", "&q=hierbij", "&q=hierbij&everywhere=1"):
        triage.act(runtime, member.id, keys, "unread")
        html = text(signed_in, f"{unread}{more}&message={keys[2]}")
        assert subjects(html) == ["Brief 3", "Brief 2", "Brief 1", "Brief 0"] and count(html) == "4 messages"
        html = text(signed_in, f"{unread}{more}&message={keys[1]}")
        assert subjects(html) == ["Brief 3", "Brief 1", "Brief 0"]
        assert subjects(text(signed_in, unread + more)) == ["Brief 3", "Brief 0"]
    with runtime.db.write() as connection:
        connection.execute("UPDATE actions SET state = 'done'")
    with runtime.mailbox(account.id, account.generation).write() as connection:
        connection.execute("UPDATE messages SET seen = 1, flags = '[\"\\\\Seen\"]'")
    assert subjects(text(signed_in, f"{unread}&message={keys[1]}")) == ["Brief 1"]
    triage.act(runtime, member.id, keys[1:2], "delete")
    assert subjects(text(signed_in, f"{unread}&message={keys[1]}")) == []


def test_beyond_a_thousand_the_number_is_not_told(
    runtime: Runtime, account: Account, signed_in: SoinboxClient
) -> None:
    many(runtime, account, 1_001)
    for asked in ("unread=1", "q=brief", "q=brief&everywhere=1"):
        assert count(text(signed_in, f"/inbox/{account.id}?{asked}")) == "More than 1,000 messages"
    assert count(text(signed_in, f"/inbox/{account.id}")) == "1,001 messages"


@pytest.mark.parametrize(
    "asked", ["until=9999-12-30", "since=9999-12-31", "since=0001-01-01&until=0001-01-02"]
)
def test_every_day_of_the_calendar_can_be_asked_for(
    account: Account, signed_in: SoinboxClient, asked: str
) -> None:
    for more in ("", "&q=hierbij"):
        assert signed_in.get(f"/inbox/{account.id}?{asked}{more}").status_code == 200


def test_days_are_the_readers_and_include_both(
    runtime: Runtime, account: Account, signed_in: SoinboxClient
) -> None:
    seed.deliver(runtime, account, [dated("Tien", 10), dated("Nacht", 10, 23), dated("Twaalf", 12)])
    here = f"/inbox/{account.id}"
    assert subjects(text(signed_in, f"{here}?since=2026-11-10&until=2026-11-10")) == ["Tien"]
    assert subjects(text(signed_in, f"{here}?since=2026-11-11")) == ["Twaalf", "Nacht"]  # 23:00 UTC is 0:00
    assert subjects(text(signed_in, f"{here}?until=2026-11-11")) == ["Nacht", "Tien"]
    assert len(subjects(text(signed_in, f"{here}?since=soon&until=9999-12-31"))) == 3


@pytest.mark.parametrize(
    ("senders", "expected"), [("known", ["Klant"]), ("colleague", ["Collega"]), ("other", ["Vreemd"])]
)
def test_known_colleague_and_other_senders(
    runtime: Runtime,
    colleague: Member,
    account: Account,
    signed_in: SoinboxClient,
    senders: str,
    expected: list[str],
) -> None:
    people.add(runtime, {"first_name": "Eva"}, ["eva@klant.example"])
    seed.deliver(
        runtime,
        account,
        [
            seed.letter("Klant", sender="Eva <EVA@klant.example>"),
            seed.letter("Collega", sender=f"Bram <{colleague.address}>"),
            seed.letter("Vreemd", sender="iemand@elders.example"),
        ],
    )
    for url in (f"/inbox/{account.id}?senders={senders}", f"/inbox/{account.id}?senders={senders}&q=offerte"):
        html = text(signed_in, url)
        assert subjects(html) == expected and count(html) == "1 message"


def test_searching_keeps_the_filter_and_clearing_drops_it(
    runtime: Runtime, account: Account, signed_in: SoinboxClient
) -> None:
    seed.deliver(runtime, account, [seed.letter("Nieuw")])
    html = text(signed_in, f"/inbox/{account.id}?unread=1&since=2026-11-01&senders=other")
    form = html[html.index('id="list-search"') : html.index("</form>", html.index('id="list-search"'))]
    for name, value in (("unread", "1"), ("since", "2026-11-01"), ("senders", "other")):
        assert f'name="{name}" value="{value}"' in form
    assert "?" not in link(html, "All messages")


@pytest.mark.parametrize("everywhere", ["", "&everywhere=1"])
def test_search_pages_both_ways(
    runtime: Runtime, account: Account, signed_in: SoinboxClient, everywhere: str
) -> None:
    many(runtime, account, 120)
    first = text(signed_in, f"/inbox/{account.id}?q=hierbij{everywhere}")
    assert count(first) == "120 messages" and "Newer messages" not in first
    second = text(signed_in, link(first, "Older messages"))
    third = text(signed_in, link(second, "Older messages"))
    assert [len(subjects(each)) for each in (first, second, third)] == [50, 50, 20]
    assert len({*subjects(first), *subjects(second), *subjects(third)}) == 120
    back = text(signed_in, link(third, "Newer messages"))
    assert subjects(back) == subjects(second)
    assert subjects(text(signed_in, link(back, "Newer messages"))) == subjects(first)


def test_a_search_everywhere_names_folders_by_their_official_words(
    runtime: Runtime, account: Account, signed_in: SoinboxClient
) -> None:
    seed.deliver(runtime, account, [seed.letter("Overal gezocht")])
    seed.deliver(runtime, account, [seed.letter("Overal verzonden")], folder="Sent")
    html = text(signed_in, f"/inbox/{account.id}?q=overal&everywhere=1")
    pills = re.findall(r'row-snippet" hx-ignore><span class="pill">([^<]*)<', html)
    assert sorted(pills) == ["Inbox", "Sent items"]
    assert html.count('<span class="quiet">To:</span>') == 1  # what is sent names who it is to
