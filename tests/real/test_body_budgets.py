"""Bodies outlive a new UIDVALIDITY and keep to a budget; a move that broke off is not done twice."""

import pytest

from soinbox_web.mail.imap import folders as server
from soinbox_web.mail.mime import pool
from soinbox_web.model.account import Account
from soinbox_web.model.message import MessageKey
from soinbox_web.problems import SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.services import acting, fetching, sync
from soinbox_web.services.sync import folder_list
from soinbox_web.store import actions, bodies, folders, messages, requests, search
from tests.mail.mime.bombs import BOMBS
from tests.mail.mime.busy import filled
from tests.real.accounts import add_account
from tests.real.test_sync import unreadable
from tests.servers.mailbox import RealMailbox

pytestmark = pytest.mark.real


def fetched(runtime: Runtime, account: Account) -> set[str]:
    """Subjects of the messages in INBOX whose body is here."""
    with runtime.mailbox(account.id, account.generation).read() as connection:
        inbox = folders.by_name(connection, "INBOX")
        assert inbox is not None
        rows = messages.page(connection, inbox.id)
        return {row["subject"] for row in rows if bodies.has(connection, row["id"]) and row["preview"]}


def fetch_all(runtime: Runtime, account: Account) -> None:
    with sync.connect(runtime, account) as connection:
        reader = fetching.Reader(runtime, account, connection)
        while fetching.fetch_some(reader):
            pass


def test_bodies_live_through_a_new_uidvalidity(runtime: Runtime, mailbox: RealMailbox) -> None:
    for subject in ("Een", "Twee"):
        mailbox.deliver_text(subject)
    account = add_account(runtime, mailbox)
    sync.sync_once(runtime, account.id)
    fetch_all(runtime, account)
    assert fetched(runtime, account) == {"Een", "Twee"}
    with runtime.mailbox(account.id, account.generation).write() as connection:
        connection.execute("UPDATE folders SET uidvalidity = uidvalidity + 1 WHERE name = 'INBOX'")
    sync.sync_once(runtime, account.id)
    assert fetched(runtime, account) == {"Een", "Twee"}
    with runtime.mailbox(account.id, account.generation).read() as connection:
        assert connection.execute("SELECT count(*) FROM kept_bodies").fetchone()[0] == 0
        assert (
            connection.execute("SELECT count(*) FROM search WHERE search MATCH 'body:hello'").fetchone()[0]
            == 2
        )


def test_bodies_live_through_a_new_uidvalidity_whose_rebuild_broke_off(
    runtime: Runtime, mailbox: RealMailbox
) -> None:
    for subject in ("Een", "Twee"):
        mailbox.deliver_text(subject)
    account = add_account(runtime, mailbox)
    sync.sync_once(runtime, account.id)
    fetch_all(runtime, account)
    with sync.connect(runtime, account) as line:
        session = sync.open_session(runtime, account, line)
        with session.mailbox.read() as connection:
            inbox = folders.by_name(connection, "INBOX")
        assert inbox is not None
        folder_list.forget_messages(session, inbox, keep_bodies=True)
    sync.sync_once(runtime, account.id)
    assert fetched(runtime, account) == {"Een", "Twee"}
    with runtime.mailbox(account.id, account.generation).read() as connection:
        assert connection.execute("SELECT count(*) FROM kept_bodies").fetchone()[0] == 0


def test_the_oldest_bodies_go_first(
    runtime: Runtime, mailbox: RealMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for subject in ("Oud", "Nieuw"):
        mailbox.deliver_text(subject)
    account = add_account(runtime, mailbox)
    sync.sync_once(runtime, account.id)
    fetch_all(runtime, account)
    with runtime.mailbox(account.id, account.generation).read() as connection:
        excess = bodies.total(connection)
        rows = connection.execute("SELECT message_rowid FROM bodies ORDER BY message_rowid").fetchall()
    with runtime.mailbox(account.id, account.generation).write() as connection:
        assert bodies.evict(connection, 0) == 0
        assert bodies.evict(connection, 1) == 1
        assert not bodies.has(connection, rows[0][0]) and bodies.has(connection, rows[1][0])
        assert bodies.evict(connection, excess, but=[rows[1][0]]) == 0


def test_bodies_come_although_another_folder_cannot_be_opened(runtime: Runtime, mailbox: RealMailbox) -> None:
    for subject, folder in (("Besloten", "Archive"), ("Een", "INBOX"), ("Anders", "Klanten")):
        mailbox.deliver_text(subject, folder=folder)
    account = add_account(runtime, mailbox)
    sync.sync_once(runtime, account.id)
    with runtime.mailbox(account.id, account.generation).read() as connection:
        (archive,) = [f for f in folders.listing(connection) if f.name == "Archive"]
    key = MessageKey(account.id, "Archive", archive.uidvalidity, 1)
    with runtime.db.write() as connection:
        asked = requests.ask(connection, account.id, "body", str(key), runtime.clock.now())
        request = requests.of(connection, asked)
        assert request is not None
    locked = mailbox.dovecot.maildir(mailbox.address, "Archive")
    locked.chmod(0)
    try:
        with sync.connect(runtime, account) as line:
            reader = fetching.Reader(runtime, account, line)
            fetching.answer(reader, request)
            while fetching.fetch_some(reader):
                pass
    finally:
        locked.chmod(0o700)
    with runtime.db.read() as connection:
        answered = requests.of(connection, asked)
    assert answered is not None and answered.state == "failed" and answered.problem is not None
    with runtime.mailbox(account.id, account.generation).read() as connection:
        unread = connection.execute("SELECT subject FROM messages WHERE preview IS NULL").fetchall()
    assert [row["subject"] for row in unread] == ["Besloten"]


def test_a_body_that_the_server_hangs_up_over_holds_no_other_up(
    runtime: Runtime, mailbox: RealMailbox
) -> None:
    for minute, subject in enumerate(("Oud", "Stuk", "Nieuw")):
        mailbox.deliver_text(subject, date=f"Mon, 23 Nov 2026 08:{minute:02d}:00 +0000")
    account = add_account(runtime, mailbox)
    sync.sync_once(runtime, account.id)
    unreadable(mailbox, "Stuk")
    for _ in range(2):
        with pytest.raises(SoinboxError):
            fetch_all(runtime, account)
    fetch_all(runtime, account)
    assert fetched(runtime, account) == {"Oud", "Nieuw"}


def test_a_body_that_takes_too_much_is_kept_without_its_text_and_costs_no_other_its_own(
    runtime: Runtime, mailbox: RealMailbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox.deliver_text("Voor")
    mailbox.deliver(BOMBS["parameters half quoted"](900_000).replace(b"Subject: bomb", b"Subject: Bom"))
    mailbox.deliver_text("Na")
    account = add_account(runtime, mailbox)
    sync.sync_once(runtime, account.id)
    monkeypatch.setattr(pool, "SECONDS", 0.06)
    fetch_all(runtime, account)
    with runtime.mailbox(account.id, account.generation).read() as connection:
        rows = connection.execute("SELECT subject, preview FROM messages ORDER BY uid").fetchall()
    assert [(row["subject"], bool(row["preview"])) for row in rows] == [
        ("Voor", True), ("Bom", False), ("Na", True),
    ]  # fmt: skip
    assert fetched(runtime, account) == {"Voor", "Na"}
    assert [each for each in caplog.records if each.funcName == "_texts"]


def test_a_text_that_there_was_no_time_to_read_is_read_later(
    runtime: Runtime, mailbox: RealMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox.deliver_text("Een")
    mailbox.deliver_text("Twee")
    account = add_account(runtime, mailbox)
    sync.sync_once(runtime, account.id)
    with monkeypatch.context() as busy, filled(f"account {account.id}"):
        busy.setattr(pool, "WAIT", 0.05)
        fetch_all(runtime, account)
        assert fetched(runtime, account) == set()
        with runtime.mailbox(account.id, account.generation).read() as stored:
            assert stored.execute("SELECT count(*) FROM unread_texts").fetchone()[0] == 2
        fetching.tidy(runtime, account)
        assert fetched(runtime, account) == set()
        with sync.connect(runtime, account) as connection:
            assert not fetching.fetch_some(fetching.Reader(runtime, account, connection))
    while fetching.tidy(runtime, account):
        pass
    assert fetched(runtime, account) == {"Een", "Twee"}
    with runtime.mailbox(account.id, account.generation).read() as stored:
        assert len(search.find(stored, "hello")) == 2
        assert not stored.execute("SELECT count(*) FROM unread_texts").fetchone()[0]


def test_no_background_bodies_on_a_full_disk(
    runtime: Runtime, mailbox: RealMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox.deliver_text("Een")
    account = add_account(runtime, mailbox)
    sync.sync_once(runtime, account.id)
    monkeypatch.setattr(fetching, "DISK_KEPT_FREE", 1.1)
    fetch_all(runtime, account)
    assert fetched(runtime, account) == set()


def test_a_move_that_broke_off_after_the_copy_copies_once(runtime: Runtime, mailbox: RealMailbox) -> None:
    mailbox.deliver_text("Verhuist")
    account = add_account(runtime, mailbox)
    sync.sync_once(runtime, account.id)
    now = runtime.clock.now()
    with runtime.mailbox(account.id, account.generation).read() as connection:
        inbox = folders.by_name(connection, "INBOX")
        assert inbox is not None
        key = MessageKey(account.id, "INBOX", inbox.uidvalidity, messages.uids(connection, inbox.id)[0])
    with runtime.db.write() as writing:
        moved = actions.add(writing, account.user_id, "delete", key, now)
        writing.execute("UPDATE actions SET attempts = 1, not_before = ? WHERE id = ?", ("", moved))
    with mailbox.dovecot.signed_in(mailbox.address) as client:
        client.select("INBOX")
        client.uid("COPY", str(key.uid), "Trash")
    with sync.connect(runtime, account) as connection:
        connection.client.capabilities = tuple(c for c in connection.capabilities if c != "MOVE")
        acting.push(runtime, account, connection)
        assert server.examine(connection, "INBOX").status.total == 0
    assert len(mailbox.messages("Trash")) == 1
