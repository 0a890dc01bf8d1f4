"""The mailroom against Debian's Dovecot: mail arrives, actions go out, failures are handled by class."""

import os
import signal
import subprocess
import sys
import time

import pytest

from soinbox_web.model.account import Account
from soinbox_web.model.listing import Query
from soinbox_web.model.message import MessageKey
from soinbox_web.runtime import Runtime
from soinbox_web.services import reading, searching
from soinbox_web.settings import child_environment
from soinbox_web.store import accounts, actions, bodies, changes, folders, leases, messages, requests
from soinbox_web.workers.supervisor import Supervisor
from tests.real.accounts import add_account, tell
from tests.servers.mailbox import RealMailbox
from tests.workers.conftest import Eventually

pytestmark = pytest.mark.real


def connect(runtime: Runtime, mailbox: RealMailbox) -> Account:
    """What set-up does at its end: the account, and a change that tells of it."""
    account = add_account(runtime, mailbox)
    tell(runtime, account)
    return account


def subjects(runtime: Runtime, account: Account, folder: str = "INBOX") -> set[str]:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        found = folders.by_name(connection, folder)
        return {row["subject"] for row in messages.page(connection, found.id)} if found else set()


def key(runtime: Runtime, account: Account, subject: str, folder: str = "INBOX") -> MessageKey:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        found = folders.by_name(connection, folder)
        assert found is not None
        rows = messages.page(connection, found.id, limit=1000)
        uid = next(row["uid"] for row in rows if row["subject"] == subject)
        return MessageKey(account.id, folder, found.uidvalidity, uid)


def status(runtime: Runtime, account: Account) -> Account:
    with runtime.db.read() as connection:
        return accounts.read(connection, account.id)


def state(runtime: Runtime, request_id: int) -> str:
    """How far a request is; "" when there is none."""
    with runtime.db.read() as connection:
        found = requests.of(connection, request_id)
    return found.state if found else ""


def flags_there(mailbox: RealMailbox, folder: str = "INBOX") -> bytes:
    with mailbox.dovecot.signed_in(mailbox.address) as client:
        client.select(folder, readonly=True)
        return b" ".join(line for line in client.uid("FETCH", "1:*", "(FLAGS)")[1] if line)


def test_a_new_account_is_heard_of_and_new_mail_arrives_within_two_seconds(
    runtime: Runtime, mailbox: RealMailbox, supervisor: Supervisor, eventually: Eventually
) -> None:
    mailbox.deliver_text("Al daar")
    account = connect(runtime, mailbox)
    eventually(lambda: "Al daar" in subjects(runtime, account), 3)
    eventually(lambda: status(runtime, account).imap_status.mode == "push_all")
    eventually(lambda: "Sent" in {f.name for f in folders_of(runtime, account) if f.synced_at})
    for number in range(3):
        mailbox.deliver_text(f"Vers {number}")
        took = eventually(lambda number=number: f"Vers {number}" in subjects(runtime, account), 5)
        assert took < 2.0
    assert b"\\Seen" not in flags_there(mailbox)


def test_flags_and_expunges_of_another_client_arrive(
    runtime: Runtime, mailbox: RealMailbox, supervisor: Supervisor, eventually: Eventually
) -> None:
    mailbox.deliver_text("Blijft")
    mailbox.deliver_text("Gaat")
    account = connect(runtime, mailbox)
    eventually(lambda: len(subjects(runtime, account)) == 2)
    eventually(lambda: all(f.synced_at for f in folders_of(runtime, account)))
    with mailbox.dovecot.signed_in(mailbox.address) as client:
        client.select("INBOX")
        client.uid("STORE", str(key(runtime, account, "Blijft").uid), "+FLAGS", "(\\Flagged)")
        client.uid("STORE", str(key(runtime, account, "Gaat").uid), "+FLAGS", "(\\Deleted)")
        client.expunge()
    assert eventually(lambda: subjects(runtime, account) == {"Blijft"}) < 2.0
    with runtime.mailbox(account.id, account.generation).read() as connection:
        where = key(runtime, account, "Blijft")
        row = messages.find(connection, where.folder, where.uidvalidity, where.uid)
        assert row is not None
        assert "\\Flagged" in messages.flags(row)


def test_actions_are_pushed_merged_and_taken_over(
    runtime: Runtime, mailbox: RealMailbox, supervisor: Supervisor, eventually: Eventually
) -> None:
    for number in range(30):
        mailbox.deliver_text(f"Bericht {number}")
    account = connect(runtime, mailbox)
    eventually(lambda: len(subjects(runtime, account)) == 30)
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        for number in range(20):
            where = key(runtime, account, f"Bericht {number}")
            actions.add(
                connection, account.user_id, "flag", where, now, arguments={"add": ["\\Seen"], "remove": []}
            )
        gone = actions.add(connection, account.user_id, "delete", key(runtime, account, "Bericht 20"), now)
        undone = actions.add(connection, account.user_id, "delete", key(runtime, account, "Bericht 21"), now)
        actions.cancel(connection, account.user_id, [undone], now)
        actions.add(
            connection,
            account.user_id,
            "move",
            key(runtime, account, "Bericht 22"),
            now,
            arguments={"folder": "Archive"},
        )
        actions.add(
            connection, account.user_id, "append", MessageKey(account.id, "", 0, 0), now,
            content=b"Subject: Verzonden\r\nMessage-ID: <sent@tests.example>\r\n\r\nHallo",
            arguments={"flags": ["\\Seen"], "message_id": "<sent@tests.example>", "look_first": True},
        )  # fmt: skip

    def open_actions() -> int:
        with runtime.db.read() as connection:
            rows = connection.execute("SELECT count(*) FROM actions WHERE state IN ('open', 'claimed')")
            return int(rows.fetchone()[0])

    eventually(lambda: open_actions() == 0, 10)
    eventually(lambda: "Bericht 20" in subjects(runtime, account, "Trash"))
    eventually(lambda: "Bericht 22" in subjects(runtime, account, "Archive"))
    eventually(lambda: "Verzonden" in subjects(runtime, account, "Sent"))
    assert {"Bericht 20", "Bericht 22"}.isdisjoint(subjects(runtime, account))
    assert "Bericht 21" in subjects(runtime, account)
    assert flags_there(mailbox).count(b"\\Seen") == 20
    assert len(mailbox.messages("Trash")) == 1
    with runtime.db.read() as connection:
        states = dict(connection.execute("SELECT id, state FROM actions").fetchall())
    assert states[gone] == "done" and states[undone] == "cancelled"


def test_a_body_is_fetched_fast_while_a_big_mailbox_synchronises(
    runtime: Runtime, mailbox: RealMailbox, supervisor: Supervisor, eventually: Eventually
) -> None:
    for number in range(3000):
        mailbox.deliver_text(f"Oud {number}", date="Mon, 2 Mar 2020 08:30:00 +0000")
    account = connect(runtime, mailbox)
    eventually(lambda: len(subjects(runtime, account)) >= 50, 10)
    where = key(runtime, account, next(iter(subjects(runtime, account))))
    with runtime.db.write() as connection:
        asked = requests.ask(connection, account.id, "body", str(where), runtime.clock.now())
    assert eventually(lambda: state(runtime, asked) == "done") < 1.5
    with runtime.mailbox(account.id, account.generation).read() as connection:
        row = messages.find(connection, where.folder, where.uidvalidity, where.uid)
        assert row is not None
        assert b"Hello." in (bodies.get(connection, row["id"]) or b"")
        assert row["preview"] == "Hello."
    assert b"\\Seen" not in flags_there(mailbox)


def test_what_arrives_has_its_text_soon(
    runtime: Runtime, own_mailbox: RealMailbox, supervisor: Supervisor, eventually: Eventually
) -> None:
    def texts() -> list[str | None]:
        with runtime.mailbox(account.id, account.generation).read() as connection:
            return [row["preview"] for row in connection.execute("SELECT preview FROM messages")]

    own_mailbox.deliver_text("Een")
    account = connect(runtime, own_mailbox)
    eventually(lambda: texts() == ["Hello."])
    for count in (2, 3):
        own_mailbox.deliver_text(f"Nummer {count}")
        eventually(lambda count=count: texts() == ["Hello."] * count)


def test_old_messages_on_a_page_get_their_texts(
    runtime: Runtime, own_mailbox: RealMailbox, supervisor: Supervisor, eventually: Eventually
) -> None:
    for number in range(3):
        own_mailbox.deliver_text(f"Oud {number}", date="Mon, 2 Mar 2020 08:30:00 +0000")
    account = connect(runtime, own_mailbox)
    eventually(lambda: len(subjects(runtime, account)) == 3)
    eventually(lambda: all(folder.synced_at for folder in folders_of(runtime, account)))

    def page() -> list[str | None]:
        found = reading.listing(runtime, account.user_id, account.id, Query())
        reading.fetch_texts(runtime, found.rows)
        return [row.preview for row in found.rows]

    assert page() == [None] * 3
    eventually(lambda: page() == ["Hello."] * 3)
    with runtime.db.read() as connection:
        asked = connection.execute("SELECT count(*) FROM requests WHERE kind = 'texts'").fetchone()[0]
    assert asked <= 2, "not at each look"


def test_the_server_is_killed_and_comes_back(
    runtime: Runtime, own_mailbox: RealMailbox, supervisor: Supervisor, eventually: Eventually
) -> None:
    own_mailbox.deliver_text("Voor")
    account = connect(runtime, own_mailbox)
    eventually(lambda: subjects(runtime, account) == {"Voor"})
    eventually(lambda: all(f.synced_at for f in folders_of(runtime, account)))
    own_mailbox.dovecot.kill()
    eventually(lambda: status(runtime, account).imap_status.problem is not None)
    found = status(runtime, account)
    assert found.state == "failing"
    assert found.imap_status.next_retry_at is not None
    assert 25 <= (found.imap_status.next_retry_at - runtime.clock.now()).total_seconds() <= 40
    own_mailbox.dovecot.start()
    own_mailbox.deliver_text("Na")
    with runtime.db.write() as connection:
        requests.ask(connection, account.id, "refresh", "", runtime.clock.now())
    eventually(lambda: subjects(runtime, account) == {"Voor", "Na"}, within=80.0)  # it may be silent at first
    eventually(lambda: status(runtime, account).imap_status.problem is None)


def test_a_refused_password_stops_at_once_and_a_new_one_goes_on(
    runtime: Runtime, own_mailbox: RealMailbox, supervisor: Supervisor, eventually: Eventually
) -> None:
    own_mailbox.deliver_text("Voor", date="Mon, 2 Mar 2020 08:30:00 +0000")
    account = connect(runtime, own_mailbox)
    eventually(lambda: subjects(runtime, account) == {"Voor"})
    own_mailbox.dovecot.set_password(own_mailbox.address, "nieuw-geheim")
    own_mailbox.dovecot.restart()
    eventually(lambda: status(runtime, account).imap_status.problem is not None)
    with runtime.db.write() as connection:
        requests.ask(connection, account.id, "refresh", "", runtime.clock.now())
    eventually(lambda: status(runtime, account).state == "needs_password")
    with runtime.db.write() as connection:
        requests.ask(connection, account.id, "refresh", "", runtime.clock.now())
        asked = requests.ask(
            connection, account.id, "body", str(key(runtime, account, "Voor")), runtime.clock.now()
        )
    time.sleep(1.0)
    with runtime.db.read() as connection:
        refused = [a for a in accounts.attempts(connection, account.id) if a.code == "credentials_wrong"]
        assert len(refused) == 1
        answered = requests.of(connection, asked)
        assert answered is not None and answered.problem is not None
        assert answered.problem.code in ("credentials_wrong", "server_unavailable")
    with runtime.db.write() as connection:
        accounts.seal_secret(connection, runtime.vault, account, "imap", "nieuw-geheim")
        accounts.record_attempt(connection, account.id, "imap", runtime.clock.now())
    tell(runtime, account)
    own_mailbox.deliver_text("Na")
    eventually(lambda: subjects(runtime, account) == {"Voor", "Na"})


def test_a_removed_account_takes_its_file_and_threads_along(
    runtime: Runtime, mailbox: RealMailbox, supervisor: Supervisor, eventually: Eventually
) -> None:
    mailbox.deliver_text("Iets")
    account = connect(runtime, mailbox)
    eventually(lambda: subjects(runtime, account) == {"Iets"})
    with runtime.db.write() as connection:
        accounts.remove(connection, account.id)
        changes.record(connection, "account", runtime.clock.now(), account_id=account.id, detail="removed")
    eventually(lambda: not runtime.mailbox_path(account.id, account.generation).exists())
    eventually(lambda: not supervisor.posts)


def test_the_process_takes_the_lease_and_ends_cleanly(runtime: Runtime, eventually: Eventually) -> None:
    command = [sys.executable, "-m", "soinbox_web.workers.mailroom"]
    environment = child_environment(runtime.settings)
    first = subprocess.Popen(command, env=environment)
    try:

        def held() -> bool:
            with runtime.db.read() as connection:
                return leases.beats(connection, "mailroom", runtime.clock.now())

        eventually(held, 10)
        second = subprocess.Popen(command, env=environment)
        try:
            time.sleep(1.5)
            assert second.poll() is None
            first.send_signal(signal.SIGTERM)
            begin = time.monotonic()
            assert first.wait(5) == 0
            assert time.monotonic() - begin < 3
            eventually(held, 5)
        finally:
            second.send_signal(signal.SIGTERM)
            assert second.wait(5) == 0
    finally:
        if first.poll() is None:
            os.kill(first.pid, signal.SIGKILL)


def folders_of(runtime: Runtime, account: Account) -> list[folders.Folder]:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        return folders.listing(connection)


def test_a_search_that_needs_the_server_is_answered(
    runtime: Runtime, mailbox: RealMailbox, supervisor: Supervisor, eventually: Eventually
) -> None:
    mailbox.deliver_text("Lang geleden", "Een kroonluchter.", date="Mon, 02 Nov 2009 08:00:00 +0000")
    account = connect(runtime, mailbox)
    eventually(lambda: "Lang geleden" in subjects(runtime, account), 5)
    eventually(lambda: status(runtime, account).imap_status.mode == "push_all")
    inbox = next(f for f in reading.folders_of(runtime, account.user_id, account.id) if f.role == "inbox")

    def state() -> str:
        return searching.coverage(runtime, account, inbox, "kroonluchter").state

    assert state() == "asking"
    eventually(lambda: state() == "asked", 5)
    listing = reading.listing(runtime, account.user_id, account.id, Query(text="kroonluchter"))
    assert [row.subject for row in listing.rows] == ["Lang geleden"]
