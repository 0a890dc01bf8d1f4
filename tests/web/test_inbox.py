"""The inbox page: rows, paging by key, search, filters, bulk acts, partials."""

import re

import pytest

from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.runtime import Runtime
from soinbox_web.store import actions
from tests import seed
from tests.client import SoinboxClient
from tests.clock import HandClock


@pytest.fixture
def account(runtime: Runtime, member: Member) -> Account:
    return seed.account(runtime, member)


def subjects(html: str) -> list[str]:
    return re.findall(r'class="row-subject"[^>]*>([^<]*)<', html)


def text(client: SoinboxClient, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response.get_data(as_text=True)[-2000:]
    return response.get_data(as_text=True)


def many(runtime: Runtime, account: Account, count: int) -> None:
    letters = (
        seed.letter(f"Brief {n:03d}", date=f"Mon, 23 Nov 2026 07:{n // 60:02d}:{n % 60:02d} +0000")
        for n in range(count)
    )
    seed.deliver(runtime, account, letters)


def test_without_an_account_set_up_begins(signed_in: SoinboxClient) -> None:
    assert signed_in.get("/inbox").location.endswith("/setup")


def test_rows_show_sender_date_subject_and_marks(
    runtime: Runtime, account: Account, signed_in: SoinboxClient
) -> None:
    seed.deliver(runtime, account, [seed.letter("Offerte lampen")])
    seed.deliver(
        runtime, account, [seed.letter("Oud", date="Mon, 3 Mar 2025 10:00:00 +0000")], flags=["\\Seen"]
    )
    html = text(signed_in, signed_in.get("/inbox").location)
    assert subjects(html) == ["Offerte lampen", "Oud"]
    assert "Bram Bakker" in html
    assert "09:15" in html  # 08:15 UTC in Amsterdam
    assert "2025" in html
    assert "1 new" in html
    assert html.count('<li class="row unread') == 1
    assert "Hierbij de offerte." in html


@pytest.mark.parametrize("path", ["/inbox/{account}", "/messages/{key}", "/messages/{key}/print"])
def test_a_date_at_the_end_of_time_breaks_no_page(
    runtime: Runtime, account: Account, signed_in: SoinboxClient, path: str
) -> None:
    last = seed.letter("De laatste", date="Fri, 31 Dec 9999 23:59:59 +0000")  # in Amsterdam the year 10000
    (key,) = seed.deliver(runtime, account, [last])
    assert "De laatste" in text(signed_in, path.format(account=account.id, key=key))


def test_an_empty_folder_and_a_missing_one(account: Account, signed_in: SoinboxClient) -> None:
    assert "This folder is empty." in text(signed_in, f"/inbox/{account.id}?folder=Klanten")
    assert signed_in.get(f"/inbox/{account.id}?folder=Nergens").status_code == 404


def test_pages_by_key_both_ways(runtime: Runtime, account: Account, signed_in: SoinboxClient) -> None:
    many(runtime, account, 120)
    first = text(signed_in, f"/inbox/{account.id}")
    assert subjects(first)[0] == "Brief 119" and len(subjects(first)) == 50
    second = text(signed_in, link(first, "Older messages"))
    assert subjects(second)[0] == "Brief 069"
    third = text(signed_in, link(second, "Older messages"))
    assert subjects(third)[-1] == "Brief 000" and len(subjects(third)) == 20
    assert "Older messages" not in third
    back = text(signed_in, link(third, "Newer messages"))
    assert subjects(back) == subjects(second)
    assert subjects(text(signed_in, link(back, "Newer messages"))) == subjects(first)


@pytest.mark.parametrize("sort", ["sender", "subject", "date"])
def test_sorting_pages_meet(runtime: Runtime, account: Account, signed_in: SoinboxClient, sort: str) -> None:
    many(runtime, account, 70)
    url = f"/inbox/{account.id}?sort={sort}&order=ascending"
    first = text(signed_in, url)
    second = text(signed_in, link(first, "More messages"))
    assert sorted(subjects(first) + subjects(second)) == [f"Brief {n:03d}" for n in range(70)]


def link(html: str, words: str) -> str:
    """The URL of the link with these words."""
    begin = html.rindex("<a ", 0, html.index(words))
    found = re.search(r'href="([^"]*)"', html[begin:])
    assert found
    return found[1].replace("&amp;", "&")


def test_search_here_and_everywhere(runtime: Runtime, account: Account, signed_in: SoinboxClient) -> None:
    seed.deliver(runtime, account, [seed.letter("Kroonluchter"), seed.letter("Anders")])
    seed.deliver(runtime, account, [seed.letter("Kroonluchter antwoord")], folder="Klanten")
    here = text(signed_in, f"/inbox/{account.id}?q=kroonl")
    assert subjects(here) == ["Kroonluchter"]
    assert len(subjects(text(signed_in, f"/inbox/{account.id}?q=kroonl&everywhere=1"))) == 2
    assert "Nothing found" in text(signed_in, f"/inbox/{account.id}?q=%22%3B+OR+*")


def test_filters(runtime: Runtime, account: Account, signed_in: SoinboxClient) -> None:
    seed.deliver(runtime, account, [seed.letter("Nieuw")])
    seed.deliver(runtime, account, [seed.letter("Gelezen")], flags=["\\Seen"])
    assert subjects(text(signed_in, f"/inbox/{account.id}?unread=1")) == ["Nieuw"]
    assert subjects(text(signed_in, f"/inbox/{account.id}?attachment=1")) == []


def test_bulk_marking_shows_at_once(runtime: Runtime, account: Account, signed_in: SoinboxClient) -> None:
    keys = seed.deliver(runtime, account, [seed.letter("A"), seed.letter("B"), seed.letter("C")])
    here = f"/inbox/{account.id}"
    done = signed_in.submit("/messages/act", {"key": [str(k) for k in keys[:2]], "do": "read", "next": here})
    assert done.status_code == 303 and done.location == here
    html = text(signed_in, here)
    assert html.count('<li class="row unread') == 1 and "1 new" in html


def test_delete_asks_then_hides_then_can_be_undone(
    runtime: Runtime, account: Account, signed_in: SoinboxClient, clock: HandClock
) -> None:
    (key,) = seed.deliver(runtime, account, [seed.letter("Weg ermee")])
    asked = signed_in.submit("/messages/act", {"key": str(key), "do": "delete"})
    assert "/messages/delete" in asked.location
    assert "Delete this e-mail?" in text(signed_in, asked.location)
    signed_in.submit("/messages/act", {"key": str(key), "do": "delete", "confirmed": "1"})
    html = text(signed_in, f"/inbox/{account.id}")
    assert subjects(html) == [] and "1 message deleted" in html
    with runtime.db.read() as connection:
        (action,) = actions.open_of(connection, account.id)
        assert actions.due(connection, account.id, clock.now()) == []
    for odd in ("9" * 5000, str(2**63), "-1", "x", "²"):
        assert signed_in.submit("/undo", {"id": odd}).status_code == 303
    signed_in.submit("/undo", {"id": str(action.id)})
    assert subjects(text(signed_in, f"/inbox/{account.id}")) == ["Weg ermee"]


def test_the_offer_to_undo_ends(
    runtime: Runtime, account: Account, signed_in: SoinboxClient, clock: HandClock
) -> None:
    (key,) = seed.deliver(runtime, account, [seed.letter()])
    signed_in.submit("/messages/act", {"key": str(key), "do": "move:Klanten"})
    assert "1 message moved" in text(signed_in, f"/inbox/{account.id}")
    clock.turn(seconds=11)
    assert "1 message moved" not in text(signed_in, f"/inbox/{account.id}")
    clock.turn(seconds=3)
    with runtime.db.read() as connection:
        assert [a.kind for a in actions.due(connection, account.id, clock.now())] == ["move"]


def test_a_copy_is_offered_told_and_can_be_taken_back(
    runtime: Runtime, account: Account, signed_in: SoinboxClient, clock: HandClock
) -> None:
    (key,) = seed.deliver(runtime, account, [seed.letter("Blijft hier")])
    assert 'value="copy:Klanten"' in signed_in.get(f"/inbox/{account.id}").text
    signed_in.submit("/messages/act", {"key": str(key), "do": "copy:Klanten"})
    html = text(signed_in, f"/inbox/{account.id}")
    assert "1 message copied" in html and subjects(html) == ["Blijft hier"]
    with runtime.db.read() as connection:
        (action,) = actions.undoable_since(connection, account.user_id, "")
        assert (action.kind, action.arguments) == ("copy", {"folder": "Klanten"})
        assert actions.due(connection, account.id, clock.now()) == []
    signed_in.submit("/undo", {"id": str(action.id)})
    with runtime.db.read() as connection:
        assert actions.undoable_since(connection, account.user_id, "") == []
    assert signed_in.submit("/messages/act", {"key": str(key), "do": "copy:Nergens"}).status_code == 404
    assert 'value="copy:Klanten"' in signed_in.get(f"/messages/{key}").text


def test_deleting_in_the_trash_is_final_and_always_asks(
    runtime: Runtime, account: Account, signed_in: SoinboxClient
) -> None:
    (key,) = seed.deliver(runtime, account, [seed.letter()], folder="Trash")
    asked = signed_in.submit("/messages/act", {"key": str(key), "do": "delete"})
    assert "for good" in text(signed_in, asked.location)
    signed_in.submit("/messages/act", {"key": str(key), "do": "delete", "confirmed": "1"})
    with runtime.db.read() as connection:
        assert [a.kind for a in actions.open_of(connection, account.id)] == ["expunge"]


@pytest.mark.parametrize("name", ["message-list", "message-pane"])
def test_partials_equal_their_element(
    runtime: Runtime, account: Account, signed_in: SoinboxClient, name: str
) -> None:
    (key,) = seed.deliver(runtime, account, [seed.letter()], flags=["\\Seen"])
    path = f"/inbox/{account.id}?message={key}"
    whole, alone = text(signed_in, path), signed_in.partial(path, name).get_data(as_text=True)
    masked = [re.sub(r'name="csrf_token" value="[^"]*"', "", each) for each in (whole, alone)]
    assert masked[1].strip() in masked[0]


def test_progress_while_the_folder_fills(
    runtime: Runtime, account: Account, signed_in: SoinboxClient
) -> None:
    seed.deliver(runtime, account, [seed.letter()])
    with runtime.mailbox(account.id, account.generation).write() as connection:
        connection.execute("UPDATE folders SET total = 100000, stored = 3200 WHERE name = 'INBOX'")
    assert "3,200 of 100,000 messages" in text(signed_in, f"/inbox/{account.id}")


def test_nothing_of_another_user(
    runtime: Runtime, account: Account, client: SoinboxClient, colleague: Member
) -> None:
    (key,) = seed.deliver(runtime, account, [seed.letter("Geheim")])
    other = client.sign_in(colleague)
    for path in (
        f"/inbox/{account.id}",
        f"/messages/{key}",
        f"/messages/{key}/body",
        f"/messages/{key}/source.eml",
    ):
        response = other.get(path)
        assert response.status_code == 404 and "Geheim" not in response.get_data(as_text=True)
    assert other.submit("/messages/act", {"key": str(key), "do": "read"}).status_code == 404
    own = seed.account(runtime, colleague)
    html = other.get(f"/inbox/{own.id}?message={key}").get_data(as_text=True)
    assert "Geheim" not in html and 'class="message-subject"' not in html


def test_with_several_accounts_the_list_names_its_own(
    runtime: Runtime, member: Member, account: Account, signed_in: SoinboxClient
) -> None:
    named = f'list-account small quiet ellipsis" title="{account.address}"'
    assert "list-account" not in text(signed_in, f"/inbox/{account.id}")
    seed.account(runtime, member, "anna@werkplaats.example")
    assert named in text(signed_in, f"/inbox/{account.id}")
