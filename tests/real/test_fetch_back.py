"""How far back: what is older stays on the server, is told, is found there, and comes when it is wanted."""

from datetime import UTC, datetime, timedelta

import pytest

from soinbox_web.model.account import Account
from soinbox_web.model.folder import Folder
from soinbox_web.model.listing import Query
from soinbox_web.runtime import Runtime
from soinbox_web.services import accounts, reading, searching, sync
from soinbox_web.services.sync.arrivals import FIRST_PAGE
from soinbox_web.store import accounts as stored_accounts
from soinbox_web.store import folders, messages, requests, skipped_messages
from tests.real.accounts import add_account
from tests.servers.mailbox import RealMailbox

pytestmark = pytest.mark.real

OLD, NEW = 70, 5
TOTAL = OLD + NEW


@pytest.fixture
def account(runtime: Runtime, mailbox: RealMailbox) -> Account:
    """Old messages, then new ones; nothing is fetched yet."""
    now = runtime.clock.now()
    with mailbox.dovecot.signed_in(mailbox.address) as client:
        for number in range(TOTAL):
            days = 400 - number if number < OLD else 1
            arrived = now - timedelta(days=days)
            text = (
                f"Subject: Brief {number}\r\nMessage-ID: <{number}@tests.example>\r\n\r\nzilver{number}\r\n"
            )
            client.append("INBOX", "", arrived.astimezone(UTC), text.encode())
    return add_account(runtime, mailbox)


def inbox(runtime: Runtime, account: Account) -> Folder:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        found = folders.by_name(connection, "INBOX")
        assert found is not None
        return found


def fetched_back(runtime: Runtime, account: Account, days: int | None) -> Account:
    accounts.fetch_back(runtime, account.user_id, account.id, days)
    with runtime.db.read() as connection:
        account = stored_accounts.read(connection, account.id)
    sync.sync_once(runtime, account.id)
    return account


def test_what_is_older_stays_there_and_comes_when_it_is_wanted(runtime: Runtime, account: Account) -> None:
    account = fetched_back(runtime, account, 30)
    found = inbox(runtime, account)
    assert (found.total, found.stored, found.aside) == (TOTAL, FIRST_PAGE, TOTAL - FIRST_PAGE)
    assert found.awaited == 0
    listing = reading.listing(runtime, account.user_id, account.id, Query())
    assert (listing.count, listing.filling) == (FIRST_PAGE, False)
    assert listing.left_out == (0 if listing.older else TOTAL - FIRST_PAGE)
    for _ in range(2):  # and stays so
        assert sync.sync_once(runtime, account.id).fetched == 0
    account = fetched_back(runtime, account, 390)
    assert inbox(runtime, account).stored == NEW + sum(400 - number <= 390 for number in range(OLD)) == 65
    account = fetched_back(runtime, account, None)
    assert (inbox(runtime, account).stored, inbox(runtime, account).aside) == (TOTAL, 0)


def test_the_end_of_the_list_tells_what_is_not_here(runtime: Runtime, account: Account) -> None:
    account = fetched_back(runtime, account, 30)
    listing = reading.listing(runtime, account.user_id, account.id, Query())
    while listing.older:
        assert listing.left_out == 0
        listing = reading.listing(runtime, account.user_id, account.id, Query(after=listing.older))
    assert listing.left_out == TOTAL - FIRST_PAGE


def test_what_is_not_here_is_found_on_the_server_and_fetched(runtime: Runtime, account: Account) -> None:
    account = fetched_back(runtime, account, 30)
    found = inbox(runtime, account)
    assert searching.coverage(runtime, account, found, "zilver3").state == "asking"
    with runtime.db.read() as connection:
        request = next(r for r in requests.open_of(connection, account.id) if r.kind == "search")
    with sync.connect(runtime, account) as line:
        session = sync.open_session(runtime, account, line)
        for name, uids in searching.answer(runtime, account, line, request.subject).items():
            sync.fetch(session, name, uids)
    rows = reading.listing(runtime, account.user_id, account.id, Query(text="zilver3")).rows
    assert "Brief 3" in [row.subject for row in rows]
    assert inbox(runtime, account).awaited == 0
    sync.sync_once(runtime, account.id)
    after = inbox(runtime, account)
    assert after.stored + after.aside == TOTAL and after.stored > FIRST_PAGE


def test_what_is_left_out_can_vanish_and_arrive_there(
    runtime: Runtime, mailbox: RealMailbox, account: Account
) -> None:
    account = fetched_back(runtime, account, 30)
    with mailbox.dovecot.signed_in(mailbox.address) as client:
        client.select("INBOX")
        client.store("1:3", "+FLAGS", "\\Deleted")
        client.expunge()
        client.append("INBOX", "", datetime(2001, 1, 1, tzinfo=UTC), b"Subject: Moved here\r\n\r\nx\r\n")
    sync.sync_once(runtime, account.id)
    found = inbox(runtime, account)
    assert (found.total, found.stored, found.aside) == (TOTAL - 2, FIRST_PAGE + 1, TOTAL - FIRST_PAGE - 3)
    with runtime.mailbox(account.id, account.generation).read() as connection:
        assert len(skipped_messages.uids(connection, found.id, "any")) == found.aside
        assert len(messages.uids(connection, found.id)) == found.stored
