"""The outbox worker outlives a database that cannot be written for a while, and forgets no mail of it."""

import sqlite3
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from soinbox_web.model.member import Member
from soinbox_web.model.server import Login
from soinbox_web.rehearsal.behaviour import SmtpBehaviour
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from soinbox_web.runtime import Runtime
from soinbox_web.services import composing, sending
from soinbox_web.services.composing import Typed
from soinbox_web.store import accounts, database, outbox
from soinbox_web.workers import outbox as worker
from soinbox_web.workers.watch import Watch
from tests import seed
from tests.workers.conftest import Eventually


@pytest.fixture
def smtp(ca: Authority) -> Iterator[ScriptedSmtp]:
    behaviour = SmtpBehaviour(tls="implicit", certificate=ca.issue("127.0.0.1"), delays={"DATA": 0.5})
    with ScriptedSmtp(behaviour) as running:
        yield running


def mail(runtime: Runtime, member: Member, smtp: ScriptedSmtp) -> int:
    """A mail that is due, in the member's one account."""
    with runtime.db.read() as connection:
        account = accounts.by_address(connection, member.id, member.address)
    if account is None:
        login = Login("127.0.0.1", smtp.port, "ssl", member.address)
        account = seed.account(runtime, member, smtp=login)
    draft_id = composing.start(runtime, account.user_id, account.id, "new")
    composing.save(
        runtime, account.user_id, draft_id, Typed(account.id, to="bram@klant.example", subject="V", body="H")
    )
    outbox_id = sending.queue(runtime, account.user_id, draft_id)
    with runtime.db.write() as connection:
        connection.execute("UPDATE outbox SET not_before = created_at WHERE id = ?", (outbox_id,))
    return outbox_id


@pytest.fixture
def held(runtime: Runtime, member: Member, smtp: ScriptedSmtp, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    return mail(runtime, member, smtp)


def row(runtime: Runtime, outbox_id: int) -> outbox.OutboxRow:
    with runtime.db.read() as connection:
        found = outbox.of(connection, outbox_id)
    assert found is not None
    return found


def locked(runtime: Runtime) -> sqlite3.Connection:
    """The database, held by another program."""
    other = sqlite3.connect(runtime.db.path, isolation_level=None, timeout=5)
    other.execute("BEGIN IMMEDIATE")
    return other


@pytest.fixture
def work(runtime: Runtime) -> Iterator[threading.Thread]:
    stop = threading.Event()
    run = partial(worker.Outbox(runtime).run, stop)
    thread = threading.Thread(target=Watch(runtime.clock).keep, args=("outbox", run, stop), daemon=True)
    yield thread
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_locked_database_at_the_start_delays_the_mail_only(
    runtime: Runtime, held: int, smtp: ScriptedSmtp, work: threading.Thread, eventually: Eventually
) -> None:
    other = locked(runtime)
    work.start()
    work.join(1.0)
    other.close()
    eventually(lambda: row(runtime, held).state == "sent", 10)
    assert len(smtp.messages) == 1


def test_a_database_locked_before_the_dot_delays_the_mail_only(
    runtime: Runtime, held: int, smtp: ScriptedSmtp, work: threading.Thread, eventually: Eventually
) -> None:
    work.start()
    eventually(lambda: row(runtime, held).phase == "connected")
    other = locked(runtime)  # the dot cannot be noted, so it is not sent
    work.join(2.0)
    other.close()
    eventually(lambda: row(runtime, held).state != "sending", 10)
    assert row(runtime, held).state == "held" and not smtp.messages


def test_a_database_locked_after_the_dot_leaves_the_mail_uncertain(
    runtime: Runtime, held: int, smtp: ScriptedSmtp, work: threading.Thread, eventually: Eventually
) -> None:
    smtp.behaviour = SmtpBehaviour(
        tls="implicit", certificate=smtp.behaviour.certificate, delays={"DOT": 0.5}
    )
    work.start()
    eventually(lambda: row(runtime, held).phase == "dot")
    other = locked(runtime)
    work.join(2.0)
    other.close()
    eventually(lambda: row(runtime, held).state != "sending", 10)
    assert row(runtime, held).state == "uncertain" and len(smtp.messages) == 1


def test_a_sender_that_was_killed_beside_it_is_relieved(
    runtime: Runtime, held: int, smtp: ScriptedSmtp, work: threading.Thread, eventually: Eventually
) -> None:
    with runtime.db.write() as connection:  # not due before the worker has looked around
        connection.execute("UPDATE outbox SET not_before = '2027-01-01T00:00:00.000Z'")
    work.start()
    work.join(1.0)
    with runtime.db.write() as connection:  # `soinbox send` claimed it, and is no more
        assert outbox.claim(connection, held, "killed", runtime.clock.now())
    eventually(lambda: row(runtime, held).state == "held", 10)


def test_a_user_whose_server_hangs_holds_up_nobody_elses_mail(
    runtime: Runtime,
    member: Member,
    colleague: Member,
    ca: Authority,
    work: threading.Thread,
    eventually: Eventually,
) -> None:
    identity = ca.issue("127.0.0.1")
    hangs = SmtpBehaviour(tls="implicit", certificate=identity, stall_at="GREETING")
    with (
        ScriptedSmtp(hangs) as slow,
        ScriptedSmtp(SmtpBehaviour(tls="implicit", certificate=identity)) as quick,
    ):
        first = [mail(runtime, member, slow) for _ in range(2 * worker.AT_ONCE)]
        other = mail(runtime, colleague, quick)
        work.start()
        eventually(lambda: row(runtime, other).state == "sent", 10)
        eventually(lambda: slow.connections >= 2, 10)
        assert slow.connections == 2 and {row(runtime, each).state for each in first} <= {"held", "sending"}
