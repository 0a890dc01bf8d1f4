"""Budgets: a server that allows one connection is served by one; a host never has too many for errands."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime
from soinbox_web.store import actions, bodies, requests
from soinbox_web.workers.connection_budget import Budget
from soinbox_web.workers.supervisor import Supervisor
from tests.servers.dovecot import Dovecot
from tests.servers.mailbox import RealMailbox
from tests.workers.conftest import Eventually
from tests.workers.test_mailroom import connect, flags_there, key, state, status, subjects


def test_a_host_has_its_number() -> None:
    budget = Budget(of_host=2)
    assert [budget.take("a.example") for _ in range(3)] == [True, True, False]
    assert budget.take("b.example")
    budget.give("a.example")
    assert budget.take("a.example")


@pytest.fixture
def narrow(ca: Authority, mailbox: RealMailbox) -> Iterator[RealMailbox]:
    """A mailbox on a server that allows one connection for each user."""
    dovecot = Dovecot(ca, max_connections=1).start()
    dovecot.add_user(mailbox.address, mailbox.password)
    yield replace(mailbox, dovecot=dovecot)
    dovecot.close()


@pytest.mark.real
def test_a_server_that_allows_one_connection(
    runtime: Runtime, narrow: RealMailbox, supervisor: Supervisor, eventually: Eventually
) -> None:
    narrow.deliver_text("Eerst")
    account = connect(runtime, narrow)
    eventually(lambda: "Eerst" in subjects(runtime, account), within=10)
    with runtime.db.write() as connection:
        where = key(runtime, account, "Eerst")
        actions.add(
            connection, account.user_id, "flag", where, runtime.clock.now(), arguments={"add": ["\\Flagged"]}
        )
        asked = requests.ask(connection, account.id, "body", str(where), runtime.clock.now())
    eventually(lambda: state(runtime, asked) == "done", within=20)
    with runtime.mailbox(account.id, account.generation).read() as connection:
        assert bodies.total(connection) > 0
    eventually(lambda: _nothing_open(runtime, account.id), within=20)
    narrow.deliver_text("Daarna")
    eventually(lambda: "Daarna" in subjects(runtime, account), within=20)
    assert status(runtime, account).imap_status.problem is None
    supervisor.end()
    assert b"\\Flagged" in flags_there(narrow)


def _nothing_open(runtime: Runtime, account_id: int) -> bool:
    with runtime.db.read() as connection:
        return actions.waiting(connection, account_id)[0] == 0
