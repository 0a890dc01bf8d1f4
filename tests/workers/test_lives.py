"""Nothing ends in silence: a life that ends by an error is begun again; one that does not run is not well."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from soinbox_web.runtime import Runtime
from soinbox_web.store import database
from soinbox_web.workers.supervisor import Supervisor
from tests.servers.mailbox import RealMailbox
from tests.workers.conftest import Eventually
from tests.workers.test_mailroom import connect, subjects

pytestmark = pytest.mark.real
AGAIN = 60.0  # seconds after the end of a fault until mail flows


@contextmanager
def locked(runtime: Runtime) -> Iterator[None]:
    """The precious database is another's, for longer than anybody waits for it."""
    other = sqlite3.connect(runtime.db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a lock for long."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)


def test_a_problem_that_cannot_be_noted_does_not_end_an_account(
    impatient: None,
    runtime: Runtime,
    own_mailbox: RealMailbox,
    supervisor: Supervisor,
    eventually: Eventually,
    caplog: pytest.LogCaptureFixture,
) -> None:
    own_mailbox.deliver_text("Voor")
    account = connect(runtime, own_mailbox)
    eventually(lambda: subjects(runtime, account) == {"Voor"})
    with locked(runtime):
        own_mailbox.dovecot.kill()
        eventually(lambda: "database_locked" in caplog.text or "StoreError" in caplog.text, 20)
    own_mailbox.dovecot.start()
    own_mailbox.deliver_text("Na")
    eventually(lambda: subjects(runtime, account) == {"Voor", "Na"}, AGAIN)
