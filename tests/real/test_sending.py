"""Sending through Dovecot and Postfix: delivered once, one copy in Sent, the source marked as answered."""

from collections.abc import Iterator

import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.model.message import MessageKey
from soinbox_web.model.server import Login
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime
from soinbox_web.services import acting, composing, members, message_content, sending, sync
from soinbox_web.services.composing import Source, Typed
from soinbox_web.store import accounts, folders, messages, outbox
from tests.clock import HandClock
from tests.servers.dovecot import Dovecot
from tests.servers.mailbox import RealMailbox
from tests.servers.postfix import Postfix

pytestmark = pytest.mark.real


def connected(runtime: Runtime, mailbox: RealMailbox, smtp: Login) -> Account:
    """An account of a user whose first address is the mailbox's."""
    member: Member = members.add(runtime, mailbox.address, "Anna de Vries", "licht aan in huis", True)
    with runtime.db.write() as connection:
        number = accounts.insert(
            connection, member.id, mailbox.address, mailbox.imap_login, smtp, runtime.clock.now()
        )
        account = accounts.read(connection, number)
        for side in ("imap", "smtp"):
            accounts.seal_secret(connection, runtime.vault, account, side, mailbox.password)
    sync.sync_once(runtime, account.id)
    return account


def push(runtime: Runtime, account: Account) -> None:
    """What the mailroom does with open actions."""
    with sync.connect(runtime, account) as connection:
        acting.push(runtime, account, connection)
    sync.sync_once(runtime, account.id)


def newest(runtime: Runtime, account: Account, folder: str = "INBOX") -> tuple[MessageKey, frozenset[str]]:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        found = folders.by_name(connection, folder)
        assert found is not None
        row = messages.page(connection, found.id)[0]
        return MessageKey(account.id, folder, found.uidvalidity, row["uid"]), messages.flags(row)


def test_an_answer_is_delivered_filed_once_and_marked(
    runtime: Runtime, mailbox: RealMailbox, clock: HandClock
) -> None:
    mailbox.deliver_text("Offerte", "Hoi Anna")
    account = connected(runtime, mailbox, mailbox.smtp_login)
    key, flags = newest(runtime, account)
    assert "\\Answered" not in flags
    (raw,) = mailbox.messages()
    source = Source(key, message_content.parsed(raw), raw, "Eva schreef:")
    draft_id = composing.start(runtime, account.user_id, account.id, "reply", source=source)
    draft = composing.read(runtime, account.user_id, draft_id)
    composing.save(
        runtime, account.user_id, draft_id,
        Typed(account.id, draft.to, bcc=mailbox.address, subject=draft.subject,
              body=f"Akkoord\n{draft.body}"),
    )  # fmt: skip
    outbox_id = sending.queue(runtime, account.user_id, draft_id)
    result = sending.deliver(runtime, outbox_id)
    assert result is not None and result.state == "sent", result
    assert len(mailbox.sent()) == 1 and b"In-Reply-To:" in mailbox.sent()[0]
    clock.turn(seconds=31)
    push(runtime, account)
    push(runtime, account)
    (copy,) = mailbox.messages("Sent")
    assert b"Bcc:" in copy and b"Bcc:" not in mailbox.sent()[0]
    with runtime.mailbox(account.id, account.generation).read() as connection2:
        row = messages.find(connection2, key.folder, key.uidvalidity, key.uid)
    assert row is not None and "\\Answered" in messages.flags(row)


@pytest.fixture
def postfix(ca: Authority, dovecot: Dovecot, mailbox: RealMailbox) -> Iterator[Postfix]:
    server = Postfix(ca, dovecot, mailbox.address).start()
    yield server
    server.close()


def test_through_postfix_one_is_told_that_it_is_unknown(
    runtime: Runtime, mailbox: RealMailbox, postfix: Postfix
) -> None:
    runtime.clock = SystemClock()
    account = connected(
        runtime, mailbox, Login(postfix.host, postfix.starttls_port, "starttls", mailbox.address)
    )
    draft_id = composing.start(runtime, account.user_id, account.id, "new")
    to = f"{mailbox.address}, niemand@noordlicht.example"
    composing.save(runtime, account.user_id, draft_id, Typed(account.id, to, subject="Été", body=".\nHoi"))
    outbox_id = sending.queue(runtime, account.user_id, draft_id)
    sending.deliver(runtime, outbox_id)
    with runtime.db.read() as connection:
        row = outbox.of(connection, outbox_id)
    assert row is not None and row.state == "sent", row
    states = {each.address: (each.state, each.line) for each in row.recipients}
    assert states[mailbox.address][0] == "sent"
    assert states["niemand@noordlicht.example"][0] == "refused"
    assert "550" in states["niemand@noordlicht.example"][1]
