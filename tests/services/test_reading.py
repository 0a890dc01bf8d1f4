"""Reading: open actions over rows, bodies asked for by a row, search in the shape of the contract."""

import pytest

from soinbox_web.clock import timestamp
from soinbox_web.model.account import Account
from soinbox_web.model.listing import Query
from soinbox_web.model.member import Member
from soinbox_web.problems import AccessError, Problem, SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.services import reading, triage
from soinbox_web.store import folders, messages, requests, search
from tests import seed
from tests.clock import HandClock


@pytest.fixture
def account(runtime: Runtime, member: Member) -> Account:
    return seed.account(runtime, member)


def test_unread_counts_follow_open_actions(runtime: Runtime, member: Member, account: Account) -> None:
    keys = seed.deliver(runtime, account, [seed.letter(str(n)) for n in range(5)])

    def unread() -> int:
        return reading.listing(runtime, member.id, account.id, Query()).unread

    assert unread() == 5
    triage.act(runtime, member.id, keys[:2], "read")
    assert unread() == 3
    triage.act(runtime, member.id, [keys[0]], "unread")
    assert unread() == 4
    triage.act(runtime, member.id, [keys[4], keys[1]], "delete")
    assert unread() == 3


def test_a_page_is_filled_although_many_rows_left(runtime: Runtime, member: Member, account: Account) -> None:
    dates = [f"Mon, 23 Nov 2026 06:{n // 60:02d}:{n % 60:02d} +0000" for n in range(160)]
    letters = (seed.letter(f"{n:03d}", date=date) for n, date in enumerate(dates))
    keys = seed.deliver(runtime, account, letters)
    triage.act(runtime, member.id, keys[60:], "move", "Klanten")
    listing = reading.listing(runtime, member.id, account.id, Query())
    assert [row.subject for row in listing.rows] == [f"{n:03d}" for n in range(59, 9, -1)]
    assert listing.count == 60 and listing.older


def test_counts_pass_over_actions_on_messages_that_are_gone(
    runtime: Runtime, member: Member, account: Account
) -> None:
    keys = seed.deliver(runtime, account, [seed.letter(str(n)) for n in range(5)])
    triage.act(runtime, member.id, keys[:2], "delete")
    with runtime.mailbox(account.id, account.generation).write() as connection:
        inbox = folders.by_name(connection, "INBOX")
        assert inbox is not None
        messages.remove(connection, inbox.id, [keys[0].uid])
    assert reading.listing(runtime, member.id, account.id, Query()).count == 3
    with runtime.mailbox(account.id, account.generation).write() as connection:
        connection.execute("UPDATE folders SET uidvalidity = uidvalidity + 1")
    assert reading.listing(runtime, member.id, account.id, Query()).count == 4


def test_pages_of_a_search_in_two_accounts_lose_nothing(
    runtime: Runtime, member: Member, account: Account
) -> None:
    """Both received the same, in the same seconds and with the same UIDs."""
    other = seed.account(runtime, member, "anna@noord.example")
    letters = [seed.letter(f"Lamp {n}", date=f"Mon, 23 Nov 2026 07:00:{n:02d} +0000") for n in range(60)]
    seed.deliver(runtime, account, letters)
    seed.deliver(runtime, other, letters[:59])
    query, found = Query(text="lamp", everywhere=True), []
    while True:
        listing = reading.listing(runtime, member.id, account.id, query)
        found += [row.key for row in listing.rows]
        if not listing.older:
            break
        query = query.with_(after=listing.older)
    assert len(found) == len(set(found)) == 119


def test_what_the_server_found_is_forgotten_with_its_uidvalidity(
    runtime: Runtime, member: Member, account: Account
) -> None:
    seed.deliver(runtime, account, [seed.letter("Lampen")])

    def found() -> list[str]:
        listing = reading.listing(runtime, member.id, account.id, Query(text="geheim"))
        return [row.subject for row in listing.rows]

    with runtime.mailbox(account.id, account.generation).write() as connection:
        inbox = folders.by_name(connection, "INBOX")
        assert inbox is not None
        search.keep_found(connection, "geheim", inbox.id, [1], timestamp(runtime.clock.now()))
    assert found() == ["Lampen"]
    with runtime.mailbox(account.id, account.generation).write() as connection:
        folders.clear(connection, inbox.id)
        folders.begin(connection, inbox.id, seed.UIDVALIDITY, 1)
    seed.deliver(runtime, account, [seed.letter("Stoelen")])
    assert found() == []


def test_a_failed_request_tells_its_problem(
    runtime: Runtime, member: Member, account: Account, clock: HandClock
) -> None:
    (key,) = seed.deliver(runtime, account, [seed.letter()], with_bodies=False)
    assert reading.raw(runtime, member.id, key, wait=0) is None
    with runtime.db.write() as connection:
        (asked,) = requests.open_of(connection, account.id)
        requests.finish(connection, asked.id, runtime.clock.now(), Problem("server_unavailable", side="imap"))
    with pytest.raises(SoinboxError) as caught:
        reading.raw(runtime, member.id, key)
    assert caught.value.problem.code == "server_unavailable"
    clock.turn(minutes=1)
    assert reading.raw(runtime, member.id, key) is None  # asked again


def test_asking_twice_is_one_request(runtime: Runtime, member: Member, account: Account) -> None:
    (key,) = seed.deliver(runtime, account, [seed.letter()], with_bodies=False)
    for _ in range(3):
        reading.raw(runtime, member.id, key, wait=0)
    with runtime.db.read() as connection:
        assert len(requests.open_of(connection, account.id)) == 1


def test_sent_items_show_whom_they_went_to(runtime: Runtime, member: Member, account: Account) -> None:
    seed.deliver(runtime, account, [seed.letter(to="Chloë <chloe@klant.example>")], folder="Sent")
    (row,) = reading.listing(runtime, member.id, account.id, Query(folder="Sent")).rows
    assert row.outgoing and row.people == "Chloë"


@pytest.mark.parametrize("cursor", ["x", "-1", "99999999999999999999999", "5.////"])
def test_a_cursor_that_is_none_is_the_first_page(
    runtime: Runtime, member: Member, account: Account, cursor: str
) -> None:
    seed.deliver(runtime, account, [seed.letter()])
    assert reading.listing(runtime, member.id, account.id, Query(after=cursor)).rows


def test_of_others_nothing(runtime: Runtime, account: Account, colleague: Member) -> None:
    (key,) = seed.deliver(runtime, account, [seed.letter()])
    for ask in (
        lambda: reading.listing(runtime, colleague.id, account.id, Query()),
        lambda: reading.message(runtime, colleague.id, key),
        lambda: reading.raw(runtime, colleague.id, key),
        lambda: reading.folders_of(runtime, colleague.id, account.id),
    ):
        with pytest.raises(AccessError):
            ask()
