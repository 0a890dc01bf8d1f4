"""What is not here is asked of the server: words in texts never fetched, merged into the list and told."""

import pytest

from soinbox_web.mail.imap import folders as server
from soinbox_web.mail.imap.commands import CommandRefused
from soinbox_web.model.account import Account
from soinbox_web.model.listing import Query
from soinbox_web.problems import InputError
from soinbox_web.runtime import Runtime
from soinbox_web.services import fetching, reading, searching, sync
from soinbox_web.store import folders, messages, requests
from tests.real.accounts import add_account
from tests.servers.mailbox import RealMailbox

pytestmark = pytest.mark.real


@pytest.fixture
def account(runtime: Runtime, mailbox: RealMailbox) -> Account:
    """Its envelopes are here, its texts are not."""
    mailbox.deliver_text("Offerte", "Bijlage over de kroonluchter.", date="Mon, 02 Nov 2020 08:00:00 +0000")
    mailbox.deliver_text("Kroonluchter", "Niets bijzonders.", date="Mon, 02 Nov 2019 08:00:00 +0000")
    mailbox.deliver_text("Koffie", 'Tot zo in het café "De Zon".', date="Mon, 02 Nov 2018 08:00:00 +0000")
    mailbox.deliver_text("Elders", "Ook hier een kroonluchter.", folder="Archive")
    account = add_account(runtime, mailbox)
    sync.sync_once(runtime, account.id)
    return account


def ask(runtime: Runtime, account: Account) -> None:
    """What the mailroom does with the requests that are open."""
    with runtime.db.read() as reading_:
        asked = [r for r in requests.open_of(reading_, account.id) if r.kind == "search"]
    with sync.connect(runtime, account) as connection:
        session = sync.open_session(runtime, account, connection)
        for request in asked:
            missing = searching.answer(runtime, account, connection, request.subject)
            for name, uids in missing.items():
                sync.fetch(session, name, uids)
            with runtime.db.write() as writing:
                requests.finish(writing, request.id, runtime.clock.now())


def found(
    runtime: Runtime, account: Account, text: str, *, everywhere: bool = False
) -> tuple[list[str], int]:
    listing = reading.listing(runtime, account.user_id, account.id, Query(text=text, everywhere=everywhere))
    return [row.subject for row in listing.rows], listing.count


def test_words_in_texts_that_are_not_here(runtime: Runtime, account: Account) -> None:
    inbox = next(f for f in reading.folders_of(runtime, account.user_id, account.id) if f.role == "inbox")
    assert found(runtime, account, "kroonluchter") == (["Kroonluchter"], 1)
    coverage = searching.coverage(runtime, account, inbox, "kroonluchter")
    assert (coverage.state, coverage.unread) == ("asking", 3)
    ask(runtime, account)
    assert found(runtime, account, "kroonluchter") == (["Offerte", "Kroonluchter"], 2)
    assert searching.coverage(runtime, account, inbox, "kroonluchter").state == "asked"
    with runtime.db.read() as connection:
        assert not requests.open_of(connection, account.id), "asked once"


def test_all_folders(runtime: Runtime, account: Account) -> None:
    assert searching.coverage(runtime, account, None, "kroonluchter").state == "asking"
    ask(runtime, account)
    everywhere = found(runtime, account, "kroonluchter", everywhere=True)
    assert sorted(everywhere[0]) == ["Elders", "Kroonluchter", "Offerte"] and everywhere[1] == 3


@pytest.mark.parametrize("text", ["café", '"het café"', "café zon", "CAFÉ"])
def test_words_beyond_ascii_and_phrases(runtime: Runtime, account: Account, text: str) -> None:
    inbox = next(f for f in reading.folders_of(runtime, account.user_id, account.id) if f.role == "inbox")
    searching.coverage(runtime, account, inbox, text)
    ask(runtime, account)
    assert found(runtime, account, text)[0] == ["Koffie"]


def test_a_message_that_is_not_even_listed_here_is_fetched(runtime: Runtime, account: Account) -> None:
    with runtime.mailbox(account.id, account.generation).write() as connection:
        inbox = folders.by_name(connection, "INBOX")
        assert inbox is not None
        gone = messages.page(connection, inbox.id)[0]
        assert gone["subject"] == "Offerte"
        messages.remove(connection, inbox.id, [gone["uid"]])
        connection.execute("UPDATE folders SET total = 3 WHERE id = ?", (inbox.id,))
    searching.coverage(runtime, account, inbox, "bijlage")
    ask(runtime, account)
    assert found(runtime, account, "bijlage") == (["Offerte"], 1)


def test_nothing_is_asked_when_all_is_here(runtime: Runtime, account: Account) -> None:
    with sync.connect(runtime, account) as connection:
        reader = fetching.Reader(runtime, account, connection)
        while fetching.fetch_some(reader, since=None):
            pass
    inbox = next(f for f in reading.folders_of(runtime, account.user_id, account.id) if f.role == "inbox")
    assert searching.coverage(runtime, account, inbox, "kroonluchter").state == "here"
    assert found(runtime, account, "kroonluchter") == (["Offerte", "Kroonluchter"], 2)


def test_what_a_person_types_is_never_a_command(runtime: Runtime, account: Account) -> None:
    with sync.connect(runtime, account) as connection:
        server.examine(connection, "INBOX")
        for text in ('x" OR ALL', "x\\", "{5}", "(ALL)", "*"):
            assert server.text_search(connection, [text]) == []
        with pytest.raises((InputError, CommandRefused)):
            server.text_search(connection, ["x\r\na LOGOUT"])
