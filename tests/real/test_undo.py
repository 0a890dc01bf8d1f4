"""Bringing back what was moved or deleted: at once, and after the server has done it (COPYUID)."""

import pytest

from soinbox_web.model.account import Account
from soinbox_web.model.message import MessageKey
from soinbox_web.runtime import Runtime
from soinbox_web.services import acting, sync, triage
from soinbox_web.store import folders, messages
from tests.real.accounts import add_account
from tests.servers.mailbox import RealMailbox

pytestmark = pytest.mark.real


@pytest.fixture
def account(runtime: Runtime, mailbox: RealMailbox) -> Account:
    for subject in ("Een", "Twee", "Drie"):
        mailbox.deliver_text(subject)
    mailbox.dovecot.create_folder(mailbox.address, "Projecten")
    account = add_account(runtime, mailbox)
    sync.sync_once(runtime, account.id)
    return account


def key(runtime: Runtime, account: Account, subject: str) -> MessageKey:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        inbox = folders.by_name(connection, "INBOX")
        assert inbox is not None
        row = next(row for row in messages.page(connection, inbox.id) if row["subject"] == subject)
        return MessageKey(account.id, "INBOX", inbox.uidvalidity, row["uid"])


def push(runtime: Runtime, account: Account) -> None:
    with runtime.db.write() as connection:
        connection.execute("UPDATE actions SET not_before = created_at WHERE state = 'open'")
    sync.sync_once(runtime, account.id, push=acting.push)


def there(mailbox: RealMailbox, folder: str) -> list[str]:
    return sorted(
        line.decode().removeprefix("Subject: ")
        for raw in mailbox.dovecot.messages(mailbox.address, folder)
        for line in raw.splitlines()
        if line.startswith(b"Subject: ")
    )


@pytest.mark.parametrize(("verb", "target"), [("move", "Projecten"), ("delete", "Trash")])
def test_a_removal_that_the_server_has_carried_out(
    runtime: Runtime, mailbox: RealMailbox, account: Account, verb: triage.Verb, target: str
) -> None:
    keys = [key(runtime, account, "Een"), key(runtime, account, "Twee")]
    ids = triage.act(runtime, account.user_id, keys, verb, target if verb == "move" else "")
    push(runtime, account)
    assert there(mailbox, target) == ["Een", "Twee"] and there(mailbox, "INBOX") == ["Drie"]
    recent = triage.recent(runtime, account.user_id)
    role = "trash" if verb == "delete" else ""
    assert [(each.subject, each.folder, each.role, each.to, each.to_role) for each in recent] == [
        ("Twee", "INBOX", "inbox", target, role), ("Een", "INBOX", "inbox", target, role),
    ]  # fmt: skip
    assert triage.undo(runtime, account.user_id, ids) == 2
    assert triage.undo(runtime, account.user_id, ids) == 0, "a double click brings nothing back twice"
    push(runtime, account)
    assert there(mailbox, "INBOX") == ["Drie", "Een", "Twee"] and there(mailbox, target) == []


def test_before_the_server_knows_it_is_a_row_less(
    runtime: Runtime, mailbox: RealMailbox, account: Account
) -> None:
    ids = triage.act(runtime, account.user_id, [key(runtime, account, "Een")], "move", "Projecten")
    assert [each.subject for each in triage.recent(runtime, account.user_id)] == ["Een"]
    assert triage.undo(runtime, account.user_id, ids) == 1
    assert triage.recent(runtime, account.user_id) == []
    push(runtime, account)
    assert there(mailbox, "INBOX") == ["Drie", "Een", "Twee"]


def test_without_copyuid_the_message_is_found_by_its_message_id(
    runtime: Runtime, mailbox: RealMailbox, account: Account
) -> None:
    ids = triage.act(runtime, account.user_id, [key(runtime, account, "Een")], "move", "Projecten")
    push(runtime, account)
    with runtime.db.write() as connection:
        connection.execute("UPDATE actions SET came_to = json_set(came_to, '$.uid', 0) WHERE id = ?", ids)
    assert triage.undo(runtime, account.user_id, ids) == 1
    push(runtime, account)
    assert there(mailbox, "INBOX") == ["Drie", "Een", "Twee"]


def test_a_message_that_went_on_stays_where_it_is(
    runtime: Runtime, mailbox: RealMailbox, account: Account
) -> None:
    ids = triage.act(runtime, account.user_id, [key(runtime, account, "Een")], "move", "Projecten")
    push(runtime, account)
    with mailbox.dovecot.signed_in(mailbox.address) as client:
        client.select("Projecten")
        client.uid("MOVE", "1", "Archive")
    triage.undo(runtime, account.user_id, ids)
    push(runtime, account)
    assert there(mailbox, "Archive") == ["Een"] and there(mailbox, "INBOX") == ["Drie", "Twee"]


def test_nobody_brings_back_what_is_not_theirs(runtime: Runtime, account: Account) -> None:
    ids = triage.act(runtime, account.user_id, [key(runtime, account, "Een")], "move", "Projecten")
    push(runtime, account)
    assert triage.recent(runtime, account.user_id + 1) == []
    assert triage.undo(runtime, account.user_id + 1, ids) == 0
