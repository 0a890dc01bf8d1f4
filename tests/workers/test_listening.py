"""How news is heard: by IDLE, renewed in time; by polling without it; silence is a dead line."""

import threading
import time
from pathlib import Path

import pytest

from bench import mailboxes
from soinbox_web.mail.imap import folders as server
from soinbox_web.mail.imap import idle
from soinbox_web.mail.imap.commands import CommandRefused
from soinbox_web.model.account import Account
from soinbox_web.problems import Problem, SoinboxError
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime
from soinbox_web.services import sync
from soinbox_web.store import accounts, requests
from soinbox_web.workers import account_sync
from soinbox_web.workers.scheduler import Scheduler
from soinbox_web.workers.supervisor import Supervisor
from tests.real.accounts import add_account, tell
from tests.real.test_sync_faults import through
from tests.servers.dovecot import Dovecot
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.mailbox import RealMailbox
from tests.workers.conftest import Eventually
from tests.workers.test_mailroom import connect, folders_of, key, state, status, subjects

pytestmark = pytest.mark.real


@pytest.fixture
def proxy(ca: Authority, mailbox: RealMailbox) -> FaultProxy:
    dovecot = mailbox.dovecot
    return FaultProxy(
        ("127.0.0.1", dovecot.imaps_port), certificate=ca.issue("localhost"), upstream=dovecot.client_context
    )


def test_polling_where_idle_is_not_offered(
    runtime: Runtime,
    mailbox: RealMailbox,
    proxy: FaultProxy,
    supervisor: Supervisor,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(account_sync, "ROUND", 0.3)
    proxy.fault = Fault(replace=(b" IDLE", b""))
    with proxy:
        account = through(runtime, add_account(runtime, mailbox), proxy)
        tell(runtime, account)
        eventually(lambda: status(runtime, account).imap_status.mode == "poll")
        mailbox.deliver_text("Vers")
        eventually(lambda: "Vers" in subjects(runtime, account))
        supervisor.end()


def test_idle_is_renewed_in_time(
    runtime: Runtime,
    mailbox: RealMailbox,
    supervisor: Supervisor,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert idle.RENEWED <= 9 * 60
    begun: list[float] = []
    begin = idle.Idle.begin

    def counted(self: idle.Idle) -> bool:
        begun.append(time.monotonic())
        return begin(self)

    monkeypatch.setattr(idle.Idle, "begin", counted)
    monkeypatch.setattr(idle, "RENEWED", 0.2)
    account = connect(runtime, mailbox)
    eventually(lambda: len(begun) >= 4)
    mailbox.deliver_text("Vers")
    eventually(lambda: "Vers" in subjects(runtime, account))


def test_a_noop_that_is_not_answered_is_a_dead_line(
    runtime: Runtime, mailbox: RealMailbox, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert idle.ALIVE == 30.0
    monkeypatch.setattr(idle, "ALIVE", 0.5)
    with proxy:
        account = through(runtime, add_account(runtime, mailbox), proxy)
        with sync.connect(runtime, account) as connection:
            server.examine(connection, "INBOX")
            idle.check(connection)
        proxy.fault = Fault(cut_after=proxy.bytes_down, how="silence")
        connection = sync.connect(runtime, account)
        server.examine(connection, "INBOX")
        began = time.monotonic()
        with pytest.raises(SoinboxError) as raised:
            for _ in range(50):
                idle.check(connection)
        assert raised.value.problem.retry == "later"
        assert 0.4 < time.monotonic() - began < 3.0


def test_a_paused_account_has_no_post_and_goes_on_when_told(
    runtime: Runtime, mailbox: RealMailbox, supervisor: Supervisor, eventually: Eventually
) -> None:
    account = connect(runtime, mailbox)
    eventually(lambda: account.id in supervisor.posts)
    for paused in (1, 0):
        with runtime.db.write() as connection:
            connection.execute("UPDATE accounts SET paused = ? WHERE id = ?", (paused, account.id))
        tell(runtime, account)
        eventually(lambda paused=paused: (account.id in supervisor.posts) != bool(paused))
    mailbox.deliver_text("Vers")
    eventually(lambda: "Vers" in subjects(runtime, account))


def test_a_damaged_mailbox_file_is_thrown_away_and_fetched_again(
    runtime: Runtime, mailbox: RealMailbox, supervisor: Supervisor, eventually: Eventually
) -> None:
    mailbox.deliver_text("Daar")
    account = add_account(runtime, mailbox)
    damaged = runtime.mailbox_path(account.id, account.generation)
    damaged.parent.mkdir(parents=True, exist_ok=True)
    damaged.write_bytes(b"no database at all " * 1000)
    tell(runtime, account)

    def again() -> bool:
        with runtime.db.read() as connection:
            current = accounts.read(connection, account.id)
        return current.generation > account.generation and "Daar" in subjects(runtime, current)

    eventually(again, 8)
    assert Path(damaged).exists() is False


def test_news_of_every_folder_is_heard_at_once(
    runtime: Runtime, mailbox: RealMailbox, supervisor: Supervisor, eventually: Eventually
) -> None:
    """NOTIFY: what another program does in other folders is here long before the next round."""
    mailbox.deliver_text("Oud", folder="Klanten")
    account = connect(runtime, mailbox)
    eventually(lambda: status(runtime, account).imap_status.mode == "push_all")
    eventually(lambda: subjects(runtime, account, "Klanten") == {"Oud"})
    time.sleep(0.5)
    with mailbox.dovecot.signed_in(mailbox.address) as client:
        client.append("Klanten", None, None, b"Subject: Elders\r\n\r\nx\r\n")  # type: ignore[arg-type]
        eventually(lambda: subjects(runtime, account, "Klanten") == {"Oud", "Elders"})
        client.create("Nieuw")
        client.append("Nieuw", None, None, b"Subject: Eerste\r\n\r\nx\r\n")  # type: ignore[arg-type]
        eventually(lambda: subjects(runtime, account, "Nieuw") == {"Eerste"})
        client.select("Klanten")
        client.store("1", "+FLAGS", "\\Deleted")
        client.expunge()
        eventually(lambda: subjects(runtime, account, "Klanten") == {"Elders"})
        client.append("INBOX", None, None, b"Subject: Ook hier\r\n\r\nx\r\n")  # type: ignore[arg-type]
        eventually(lambda: "Ook hier" in subjects(runtime, account))


def test_a_folder_whose_name_comes_as_a_literal_is_heard_like_others(
    runtime: Runtime, mailbox: RealMailbox, supervisor: Supervisor, eventually: Eventually
) -> None:
    odd, spelled = 'zij zei """ja"""', '"zij zei \\"\\"\\"ja\\"\\"\\""'
    with mailbox.dovecot.signed_in(mailbox.address) as client:
        client.create(spelled)
        account = connect(runtime, mailbox)
        eventually(lambda: status(runtime, account).imap_status.mode == "push_all")
        eventually(lambda: any(f.name == odd and f.synced_at for f in folders_of(runtime, account)))
        time.sleep(0.5)
        for subject in ("Eerste", "Tweede"):
            message = f"Subject: {subject}\r\n\r\nx\r\n".encode()
            client.append(spelled, None, None, message)  # type: ignore[arg-type]
            eventually(lambda subject=subject: subject in subjects(runtime, account, odd))
    assert status(runtime, account).imap_status.problem is None


def test_an_open_folder_is_heard_where_the_server_tells_of_one_only(
    runtime: Runtime,
    mailbox: RealMailbox,
    proxy: FaultProxy,
    supervisor: Supervisor,
    eventually: Eventually,
) -> None:
    mailbox.deliver_text("Oud", folder="Klanten")
    proxy.fault = Fault(replace=(b" NOTIFY", b""))
    with proxy:
        account = through(runtime, add_account(runtime, mailbox), proxy)
        tell(runtime, account)
        eventually(lambda: status(runtime, account).imap_status.mode == "push")
        eventually(lambda: subjects(runtime, account, "Klanten") == {"Oud"})
        with runtime.db.write() as connection:
            requests.ask(connection, account.id, "open_folder", "Klanten", runtime.clock.now())
        time.sleep(1.0)
        for subject in ("Vers", "Nog een"):
            mailbox.deliver_text(subject, folder="Klanten")
            eventually(lambda subject=subject: subject in subjects(runtime, account, "Klanten"))
        with runtime.db.write() as connection:
            where = key(runtime, account, "Vers", "Klanten")
            asked = requests.ask(connection, account.id, "body", str(where), runtime.clock.now())
        eventually(lambda: state(runtime, asked) == "done")
        supervisor.end()


def test_a_folder_that_cannot_be_opened_is_not_tried_on_and_on(
    runtime: Runtime,
    mailbox: RealMailbox,
    supervisor: Supervisor,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mailbox.deliver_text("Oud", folder="Klanten")
    opened: list[str] = []
    examine = server.examine

    def refused(connection: object, wire: str, since: object = None) -> object:
        if wire == "Klanten":
            opened.append(wire)
            raise CommandRefused(Problem("command_refused", "imap"))
        return examine(connection, wire, since)  # type: ignore[arg-type]

    monkeypatch.setattr(server, "examine", refused)
    account = connect(runtime, mailbox)
    eventually(lambda: status(runtime, account).imap_status.mode == "push_all")
    time.sleep(2.0)
    assert 1 <= len(opened) <= 3


def test_a_large_mailbox_lets_others_go_first(
    runtime: Runtime, dovecot: Dovecot, mailbox: RealMailbox, eventually: Eventually
) -> None:
    """With one thread for all accounts the first page of one comes before the last of another."""
    maildir = dovecot.maildir(mailbox.address, "INBOX")
    owner = maildir.stat()
    mailboxes.fill(maildir, 6_000, (owner.st_uid, owner.st_gid))
    dovecot.add_user("bram@noordlicht.example", mailbox.password)
    other = RealMailbox("bram@noordlicht.example", mailbox.password, dovecot, mailbox.smtp)
    other.deliver_text("Klein")
    large, small = add_account(runtime, mailbox), add_account(runtime, other)
    supervisor = Supervisor(runtime)
    supervisor.loop = Scheduler(runtime.clock, threads=1)
    stop = threading.Event()
    thread = threading.Thread(target=supervisor.run, args=(stop,), daemon=True)
    thread.start()
    try:
        eventually(lambda: "Klein" in subjects(runtime, small), within=20)
        with runtime.mailbox(large.id, large.generation).read() as connection:
            (stored,) = connection.execute("SELECT count(*) FROM messages").fetchone()
        assert 50 <= stored < 6_000
        eventually(lambda: _stored(runtime, large) == 6_000, within=30)
    finally:
        stop.set()
        thread.join(10)


def _stored(runtime: Runtime, account: Account) -> int:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        return int(connection.execute("SELECT count(*) FROM messages").fetchone()[0])
