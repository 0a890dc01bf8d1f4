"""A connection that breaks anywhere: a problem with a name, nothing lost, and the next run mends it."""

import pytest

from soinbox_web import __version__
from soinbox_web.model.account import Account
from soinbox_web.problems import SoinboxError
from soinbox_web.problems.catalogue import KINDS
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime
from soinbox_web.services import sync
from soinbox_web.store import folders, messages, skipped_messages
from tests.real.accounts import add_account, through
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.mailbox import RealMailbox

pytestmark = pytest.mark.real

COUNT = 120


@pytest.fixture
def proxy(ca: Authority, mailbox: RealMailbox) -> FaultProxy:
    dovecot = mailbox.dovecot
    return FaultProxy(
        ("127.0.0.1", dovecot.imaps_port), certificate=ca.issue("localhost"), upstream=dovecot.client_context
    )


def uids(runtime: Runtime, account: Account) -> list[int]:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        inbox = folders.by_name(connection, "INBOX")
        return messages.uids(connection, inbox.id) if inbox else []


@pytest.mark.parametrize("how", ["reset", "close"])
def test_cut_anywhere(runtime: Runtime, mailbox: RealMailbox, proxy: FaultProxy, how: str) -> None:
    for number in range(COUNT):
        mailbox.deliver_text(f"Bericht {number}")
    account = add_account(runtime, mailbox)
    with proxy:
        account = through(runtime, account, proxy)
        sync.sync_once(runtime, account.id)
        whole = proxy.bytes_down
        for step in range(12):
            runtime.forget_mailbox(account.id, account.generation)
            proxy.fault = Fault(cut_after=40 + whole * step // 12, how=how)  # type: ignore[arg-type]
            with pytest.raises(SoinboxError) as raised:
                sync.sync_once(runtime, account.id)
            assert raised.value.problem.code in KINDS
            assert raised.value.problem.code != "credentials_wrong"
            stored = uids(runtime, account)
            assert len(stored) == len(set(stored)) <= COUNT
            proxy.fault = None
            sync.sync_once(runtime, account.id)
            assert uids(runtime, account) == list(range(1, COUNT + 1))


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        (b"RFC822.SIZE", b"RFC822.SIZE(("),
        (b"ENVELOPE (", b"ENVELOPE )"),
        (b"FETCH (UID 7 ", b"FETCH (UID 9999999999 "),
        (b"FETCH (UID 7 ", b"FETCH (UID 8 "),
        (b"BODYSTRUCTURE", b"BODYSTRUCTURE {99999999999}\r\n"),
        (b"* SEARCH", b"* SEARCH 99999999999"),
        (b"[UIDVALIDITY ", b"[UIDVALIDITY 1"),
    ],
)
def test_a_server_that_talks_nonsense(
    runtime: Runtime, mailbox: RealMailbox, proxy: FaultProxy, said: bytes, instead: bytes
) -> None:
    for number in range(20):
        mailbox.deliver_text(f"Bericht {number}")
    account = add_account(runtime, mailbox)
    with proxy:
        account = through(runtime, account, proxy)
        proxy.fault = Fault(replace=(said, instead))
        try:
            sync.sync_once(runtime, account.id)
        except SoinboxError as error:
            assert error.problem.code in KINDS
        assert set(uids(runtime, account)) <= set(range(1, 21))
        proxy.fault = None
        sync.sync_once(runtime, account.id)
    with runtime.mailbox(account.id, account.generation).read() as connection:
        inbox = folders.by_name(connection, "INBOX")
        assert inbox is not None
        skipped = skipped_messages.uids(connection, inbox.id, __version__)
        assert sorted([*messages.uids(connection, inbox.id), *skipped]) == list(range(1, 21))


def test_a_folder_that_keeps_starting_anew_is_left_alone(
    runtime: Runtime, mailbox: RealMailbox, proxy: FaultProxy
) -> None:
    mailbox.deliver_text("Bericht")
    account = add_account(runtime, mailbox)
    with proxy:
        account = through(runtime, account, proxy)
        for turn in range(8):
            proxy.fault = Fault(replace=(b"[UIDVALIDITY ", b"[UIDVALIDITY %d" % turn))
            sync.sync_once(runtime, account.id)
        with runtime.mailbox(account.id, account.generation).read() as connection:
            inbox = folders.by_name(connection, "INBOX")
            assert inbox is not None
            assert folders.problem(connection, inbox.id) is not None
        sync.sync_once(runtime, account.id)
    assert uids(runtime, account) == [1]


def test_a_folder_with_a_broken_name_keeps_a_problem_of_its_own(
    runtime: Runtime, mailbox: RealMailbox, proxy: FaultProxy
) -> None:
    mailbox.deliver_text("Bericht")
    mailbox.deliver_text("Onbereikbaar", folder="Kapot")
    account = add_account(runtime, mailbox)
    with proxy:
        account = through(runtime, account, proxy)
        proxy.fault = Fault(replace=(b"Kapot", b"&Kapo"))
        sync.sync_once(runtime, account.id)
    with runtime.mailbox(account.id, account.generation).read() as connection:
        named = folders.by_name(connection, "&Kapo")
        assert named is not None
        found = folders.problem(connection, named.id)
        assert found is not None and found.code == "command_refused"
    assert uids(runtime, account) == [1]
