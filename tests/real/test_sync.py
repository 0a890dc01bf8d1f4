"""Synchronising against Debian's Dovecot: here equals there afterwards, and the server is left alone."""

import imaplib
from datetime import timedelta
from pathlib import Path

import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.mail.imap import folders as server
from soinbox_web.mail.imap.commands import run
from soinbox_web.model.account import Account
from soinbox_web.problems import SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.services import sync
from soinbox_web.services.sync.session import Session
from soinbox_web.store import account_hours, accounts, changes, folders, messages
from tests.clock import HandClock
from tests.real.accounts import add_account
from tests.servers.mailbox import RealMailbox

pytestmark = pytest.mark.real


def here(runtime: Runtime, account: Account, folder: str = "INBOX") -> dict[int, frozenset[str]]:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        found = folders.by_name(connection, folder)
        return messages.uid_flags(connection, found.id) if found else {}


def there(client: imaplib.IMAP4, folder: str = "INBOX") -> dict[int, frozenset[str]]:
    client.select(folder, readonly=True)
    _, answers = client.uid("FETCH", "1:*", "(FLAGS)")
    found = {}
    for answer in answers:
        if answer:
            uid = int(answer.split(b"UID ")[1].split()[0].rstrip(b")"))
            flags = imaplib.ParseFlags(answer)
            found[uid] = frozenset(flag.decode() for flag in flags) - {"\\Recent"}
    return found


def rows(runtime: Runtime, account: Account, folder: str = "INBOX") -> list[dict[str, object]]:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        found = folders.by_name(connection, folder)
        assert found is not None
        return [dict(row) for row in messages.page(connection, found.id, limit=1000)]


def test_everything_arrives_and_nothing_changes_on_the_server(runtime: Runtime, mailbox: RealMailbox) -> None:
    for number in range(3):
        mailbox.deliver_text(f"Offerte {number}", date=f"Mon, 23 Nov 2026 08:3{number}:00 +0000")
    mailbox.deliver_text("Gelezen", flags=["\\Seen"], folder="Sent")
    account = add_account(runtime, mailbox)
    report = sync.sync_once(runtime, account.id)
    assert [row["subject"] for row in rows(runtime, account)] == ["Offerte 2", "Offerte 1", "Offerte 0"]
    assert (report.fetched, report.messages, report.removed) == (4, 4, 0)
    with mailbox.dovecot.signed_in(mailbox.address) as client:
        assert there(client) == here(runtime, account)
        assert all("\\Seen" not in flags for flags in there(client).values())
    again = sync.sync_once(runtime, account.id)
    assert (again.fetched, again.updated, again.removed) == (0, 0, 0)
    with runtime.db.read() as connection:
        assert accounts.read(connection, account.id).imap_status.last_success_at is not None


def test_the_first_page_is_committed_before_the_rest(runtime: Runtime, mailbox: RealMailbox) -> None:
    for number in range(260):
        mailbox.deliver_text(f"Bericht {number}")
    account = add_account(runtime, mailbox)
    stored: list[int] = []
    with sync.connect(runtime, account) as connection:
        session = sync.open_session(
            runtime, account, connection, lambda p: stored.append(len(here(runtime, account)))
        )
        sync.synchronise(session)
    assert stored[:2] == [50, 260]
    newest = sorted(here(runtime, account))[-1]
    with runtime.mailbox(account.id, account.generation).read() as connection:
        assert [row["topic"] for row in changes.since(connection, 0)].count("folder") >= 3
        assert messages.find(connection, "INBOX", folders.by_name(connection, "INBOX").uidvalidity, newest)  # type: ignore[union-attr]
    assert runtime.mailbox(account.id, account.generation).longest_write < 1.0


@pytest.mark.parametrize("without", [set(), {"QRESYNC"}, {"QRESYNC", "CONDSTORE", "ESEARCH", "LIST-STATUS"}])
def test_what_others_do_is_taken_over(runtime: Runtime, mailbox: RealMailbox, without: set[str]) -> None:
    for number in range(20):
        mailbox.deliver_text(f"Bericht {number}")
    account = add_account(runtime, mailbox)

    def synchronise() -> None:
        with sync.connect(runtime, account) as connection:
            kept = tuple(word for word in connection.capabilities if word not in without)
            connection.client.capabilities = kept
            sync.synchronise(sync.open_session(runtime, account, connection))

    synchronise()
    with mailbox.dovecot.signed_in(mailbox.address) as client:
        client.select("INBOX")
        client.uid("STORE", "3,5", "+FLAGS", "(\\Seen \\Flagged)")
        client.uid("STORE", "7:9", "+FLAGS", "(\\Deleted)")
        client.expunge()
        mailbox.deliver_text("Nieuw")
        synchronise()
        client.noop()
        assert here(runtime, account) == there(client)
    assert len(here(runtime, account)) == 18
    with runtime.mailbox(account.id, account.generation).read() as connection:
        inbox = folders.by_name(connection, "INBOX")
        assert inbox is not None and (inbox.stored, inbox.unread, inbox.total) == (18, 16, 18)


def test_a_look_at_the_folder_that_is_open_is_one_round_trip_and_misses_nothing(
    runtime: Runtime, mailbox: RealMailbox
) -> None:
    for number in range(20):
        mailbox.deliver_text(f"Bericht {number}")
    account = add_account(runtime, mailbox)

    def commands(session: Session) -> list[bytes]:
        asked: list[bytes] = []
        send = session.connection.client.wire.send

        def counted(data: bytes) -> None:
            asked.append(data.split(None, 1)[1])
            send(data)

        session.connection.client.wire.send = counted  # type: ignore[method-assign]
        sync.refresh(session, "INBOX")
        session.connection.client.wire.send = send  # type: ignore[method-assign]
        return asked

    with (
        sync.connect(runtime, account) as connection,
        mailbox.dovecot.signed_in(mailbox.address) as client,
    ):
        session = sync.open_session(runtime, account, connection)
        sync.synchronise(session)
        assert commands(session)[0].startswith(b"EXAMINE")  # another folder was the last
        for change in (
            lambda: client.uid("STORE", "3", "+FLAGS", "(\\Flagged)"),
            lambda: mailbox.deliver_text("Nieuw"),
            lambda: (client.uid("STORE", "7", "+FLAGS", "(\\Deleted)"), client.expunge()),
        ):
            still = commands(session)
            assert still[1] == b"NOOP\r\n" and len(still) == 2
            assert still[0].startswith(b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE")
            client.select("INBOX")
            change()
            assert len(commands(session)) > 2
            assert here(runtime, account) == there(client)
        server.examine(connection, "Sent")
        assert commands(session)[0].startswith(b"EXAMINE")


def test_folders_come_go_and_are_renamed(runtime: Runtime, mailbox: RealMailbox) -> None:
    mailbox.deliver_text("In het archief", folder="Entwürfe & meer/日本")
    mailbox.deliver_text("Weg", folder="Oud")
    account = add_account(runtime, mailbox)
    sync.sync_once(runtime, account.id)
    assert len(here(runtime, account, "Entwürfe & meer/日本")) == 1
    with runtime.mailbox(account.id, account.generation).read() as connection:
        assert folders.by_role(connection, "trash").name == "Trash"  # type: ignore[union-attr]
        before = folders.by_name(connection, "Entwürfe & meer/日本")
    with mailbox.dovecot.signed_in(mailbox.address) as client:
        client.rename('"Entw&APw-rfe &- meer/&ZeVnLA-"', "Japan")
        client.delete("Oud")
        client.create("Nieuw")
    sync.sync_once(runtime, account.id)
    with runtime.mailbox(account.id, account.generation).read() as connection:
        names = {folder.name: folder for folder in folders.listing(connection)}
    assert {"Japan", "Nieuw"} <= set(names) and "Oud" not in names
    assert before is not None and names["Japan"].id == before.id
    assert len(here(runtime, account, "Japan")) == 1


def test_broken_names_and_odd_messages_stop_nothing(runtime: Runtime, mailbox: RealMailbox) -> None:
    mailbox.deliver_text("Goed")
    mailbox.deliver(b"")
    mailbox.deliver(b"\xff\xfe\x00 nonsense without an end")
    mailbox.deliver(b"Subject: =?utf-8?b?gebroken?= \xe9t\xe9\r\nFrom: <<>>\r\nDate: morgen\r\n\r\n")
    mailbox.deliver(b"From: x@y.example\r\n" * 3 + b"Subject: " + b"lang " * 20_000 + b"\r\n\r\n")
    inbox = mailbox.dovecot.maildir(mailbox.address, "INBOX")
    broken = mailbox.dovecot.maildir(mailbox.address, "Kapot")
    broken.rename(inbox / ".&Kapot")
    account = add_account(runtime, mailbox)
    sync.sync_once(runtime, account.id)
    assert len(here(runtime, account)) == 5
    assert {row["subject"] for row in rows(runtime, account)} >= {"Goed", ""}
    with runtime.mailbox(account.id, account.generation).read() as connection:
        names = [folder.name for folder in folders.listing(connection)]
        assert "INBOX" in names and "Trash" in names


def test_a_folder_that_the_server_cannot_open_stops_no_other(runtime: Runtime, mailbox: RealMailbox) -> None:
    """Dovecot says NO [SERVERBUG] then, which others say in passing."""
    mailbox.deliver_text("Besloten", folder="Archive")
    mailbox.deliver_text("Anders", folder="Klanten")
    locked = mailbox.dovecot.maildir(mailbox.address, "Archive")
    locked.chmod(0)
    account = add_account(runtime, mailbox)
    try:
        sync.sync_once(runtime, account.id)
    finally:
        locked.chmod(0o700)
    assert len(here(runtime, account, "Klanten")) == 1
    with runtime.mailbox(account.id, account.generation).read() as connection:
        archive = folders.by_name(connection, "Archive")
        assert archive is not None
        problem = folders.problem(connection, archive.id)
        assert problem is not None and problem.code == "server_unavailable"


def test_a_message_that_the_server_hangs_up_over_is_set_aside_for_a_day(
    runtime: Runtime, mailbox: RealMailbox, clock: HandClock
) -> None:
    """Dovecot says BYE when it cannot read a file."""
    for number in range(5):
        mailbox.deliver_text(f"Bericht {number}")
    mailbox.deliver_text("Anders", folder="Klanten")
    file = unreadable(mailbox, "Bericht 2")
    account = add_account(runtime, mailbox)
    for _ in range(3):  # the first goes around it, and it is not asked for again today
        sync.sync_once(runtime, account.id)
    assert {row["subject"] for row in rows(runtime, account)} == {f"Bericht {n}" for n in (0, 1, 3, 4)}
    assert len(here(runtime, account, "Klanten")) == 1
    clock.turn(days=1)
    file.chmod(0o600)
    sync.sync_once(runtime, account.id)
    assert len(here(runtime, account)) == 5


def unreadable(mailbox: RealMailbox, subject: str) -> Path:
    """Nobody may read the file of this message in INBOX."""
    inbox = mailbox.dovecot.maildir(mailbox.address, "INBOX")
    (file,) = [f for f in inbox.glob("[cn]*/*") if f"Subject: {subject}\r\n".encode() in f.read_bytes()]
    file.chmod(0)
    return file


def test_a_new_uidvalidity_rebuilds_the_folder(runtime: Runtime, mailbox: RealMailbox) -> None:
    mailbox.deliver_text("Blijft", folder="Werk")
    account = add_account(runtime, mailbox)
    sync.sync_once(runtime, account.id)
    with mailbox.dovecot.signed_in(mailbox.address) as client:
        client.delete("Werk")
    mailbox.deliver_text("Blijft", folder="Werk")
    mailbox.deliver_text("Nieuw", folder="Werk")
    uidlist = mailbox.dovecot.folder / "mail" / mailbox.address / ".Werk" / "dovecot-uidlist"
    uidlist.unlink(missing_ok=True)
    sync.sync_once(runtime, account.id)
    assert {row["subject"] for row in rows(runtime, account, "Werk")} == {"Blijft", "Nieuw"}


def test_a_refused_password_is_recorded_and_not_insisted_upon(runtime: Runtime, mailbox: RealMailbox) -> None:
    account = add_account(runtime, mailbox)
    mailbox.dovecot.set_password(mailbox.address, "something-else")
    with pytest.raises(SoinboxError) as raised:
        sync.sync_once(runtime, account.id)
    assert raised.value.problem.code == "credentials_wrong"
    with runtime.db.read() as connection:
        found = accounts.read(connection, account.id)
        assert found.state == "needs_password"
        assert [attempt.code for attempt in accounts.attempts(connection, account.id)] == [
            "credentials_wrong"
        ]


@pytest.mark.parametrize("clock", [SystemClock()])
def test_the_server_dies_in_the_middle(
    runtime: Runtime, own_mailbox: RealMailbox, clock: SystemClock
) -> None:
    for number in range(700):
        own_mailbox.deliver_text(f"Bericht {number}")
    account = add_account(runtime, own_mailbox)
    with sync.connect(runtime, account) as connection:
        session = sync.open_session(runtime, account, connection, lambda p: own_mailbox.dovecot.kill())
        with pytest.raises(SoinboxError):
            sync.synchronise(session)
    assert 50 <= len(here(runtime, account)) < 700
    own_mailbox.dovecot.start()
    sync.sync_once(runtime, account.id)
    assert len(here(runtime, account)) == 700


def test_a_refused_command_leaves_the_connection_usable(runtime: Runtime, mailbox: RealMailbox) -> None:
    account = add_account(runtime, mailbox)
    with sync.connect(runtime, account) as connection:
        with pytest.raises(SoinboxError) as raised:
            run(connection, "EXAMINE", '"Bestaat niet"')
        assert raised.value.problem.code == "command_refused"
        run(connection, "NOOP")


def test_what_is_moved_here_did_not_arrive_late(runtime: Runtime, mailbox: RealMailbox) -> None:
    mailbox.deliver_text("Eerst")
    account = add_account(runtime, mailbox)
    sync.sync_once(runtime, account.id)
    with mailbox.dovecot.signed_in(mailbox.address) as client:
        for age, subject in ((5, "Teruggehaald"), (0, "Nieuw")):
            at = runtime.clock.now() - timedelta(hours=age)
            client.append("INBOX", "", at, f"Subject: {subject}\r\n\r\nHallo\r\n".encode())
    assert sync.sync_once(runtime, account.id).fetched == 2
    with runtime.db.read() as connection:
        (hour,) = [
            each
            for each in account_hours.last_day(connection, account.id, runtime.clock.now())
            if each.arrived
        ]
    assert hour.arrived == 1 and hour.latest_seconds < 60
