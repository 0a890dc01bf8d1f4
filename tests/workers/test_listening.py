"""How news is heard: by IDLE, renewed in time; by polling without it; silence is a dead line."""

import time
from pathlib import Path

import pytest

from soinbox_web.mail import folders as server
from soinbox_web.mail import idle
from soinbox_web.problems import SoinboxError
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime
from soinbox_web.services import sync
from soinbox_web.store import accounts
from soinbox_web.workers import keeper
from soinbox_web.workers.supervisor import Supervisor
from tests.real.accounts import add_account
from tests.real.test_sync_faults import through
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.mailbox import RealMailbox
from tests.workers.conftest import Eventually
from tests.workers.test_mailroom import connect, status, subjects, tell

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
    monkeypatch.setattr(keeper, "ROUND", 0.3)
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
