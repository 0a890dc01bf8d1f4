"""COMPRESS with Debian's Dovecot: the same mailbox through a tenth of the bytes; a cut is a cut."""

import socket
import time

import pytest

from soinbox_web.mail.imap import idle
from soinbox_web.mail.net.network import Network
from soinbox_web.model.account import Account
from soinbox_web.problems import SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.services import sync
from soinbox_web.services.sync.session import Session
from tests.real.accounts import add_account, through
from tests.real.test_sync import here, there
from tests.real.test_sync_faults import proxy
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.mailbox import RealMailbox

__all__ = ["proxy"]
pytestmark = pytest.mark.real

MESSAGES = 300


class Far(Network):
    """Every server is across the internet."""

    def is_far(self, sock: socket.socket) -> bool:
        return True


def far(runtime: Runtime, account: Account) -> Session:
    connection = sync.connect(runtime, account, Far(runtime.settings, runtime.clock))
    return sync.open_session(runtime, account, connection)


@pytest.fixture
def account(runtime: Runtime, mailbox: RealMailbox) -> Account:
    for number in range(MESSAGES):
        mailbox.deliver_text(f"Bericht {number}", "Een regel tekst.\n" * 50)
    return add_account(runtime, mailbox)


def test_the_same_mailbox_through_a_fraction_of_the_bytes(
    runtime: Runtime, mailbox: RealMailbox, account: Account, proxy: FaultProxy
) -> None:
    taken = []
    with proxy:
        account = through(runtime, account, proxy)
        for compressed in (False, True):
            runtime.forget_mailbox(account.id, account.generation)
            before = proxy.bytes_down
            if compressed:
                session = far(runtime, account)
                sync.synchronise(session)
                session.connection.logout()
            else:
                sync.sync_once(runtime, account.id)
            taken.append(proxy.bytes_down - before)
            assert len(here(runtime, account)) == MESSAGES
    assert taken[1] < taken[0] / 4
    with mailbox.dovecot.signed_in(mailbox.address) as client:
        assert there(client) == here(runtime, account)


def test_news_is_heard_and_taken_in(runtime: Runtime, mailbox: RealMailbox, account: Account) -> None:
    session = far(runtime, account)
    sync.synchronise(session)
    sync.refresh(session, "INBOX")
    listening = idle.Idle(session.connection)
    listening.begin()
    mailbox.deliver_text("Nieuws")
    until = time.monotonic() + 10
    heard = False
    while not heard and time.monotonic() < until:
        heard = session.connection.client.wire.readable(0.2) and listening.hear()
    listening.end()
    assert heard
    sync.fetch_news(session, "INBOX")
    assert len(here(runtime, account)) == MESSAGES + 1
    session.connection.logout()


@pytest.mark.parametrize("after", [3_000, 6_000, 9_000, 15_000, 25_000])
def test_a_cut_amidst_packed_bytes_loses_nothing(
    runtime: Runtime, mailbox: RealMailbox, account: Account, proxy: FaultProxy, after: int
) -> None:
    with proxy:
        account = through(runtime, account, proxy)
        proxy.fault = Fault(cut_after=after)
        try:
            session = far(runtime, account)
            sync.synchronise(session)
            session.connection.logout()
        except SoinboxError as error:
            assert error.problem.code in ("dropped", "timeout", "server_unavailable")
        proxy.fault = None
        session = far(runtime, account)
        sync.synchronise(session)
        session.connection.logout()
    with mailbox.dovecot.signed_in(mailbox.address) as client:
        assert there(client) == here(runtime, account)
