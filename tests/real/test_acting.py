"""Actions against Dovecot, as servers with and without MOVE and UIDPLUS carry them out."""

import pytest

from soinbox_web.model.account import Account
from soinbox_web.model.message import MessageKey
from soinbox_web.runtime import Runtime
from soinbox_web.services import acting, sync
from soinbox_web.store import actions, folders, messages
from tests.real.accounts import add_account
from tests.servers.mailbox import RealMailbox

pytestmark = pytest.mark.real


def key(runtime: Runtime, account: Account, uid: int, folder: str = "INBOX") -> MessageKey:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        found = folders.by_name(connection, folder)
    assert found is not None
    return MessageKey(account.id, folder, found.uidvalidity, uid)


def add(runtime: Runtime, account: Account, kind: actions.Kind, uid: int, **arguments: object) -> int:
    with runtime.db.write() as connection:
        where = key(runtime, account, uid)
        now = runtime.clock.now()
        return actions.add(connection, account.user_id, kind, where, now, arguments=arguments)


def push(runtime: Runtime, account: Account, without: set[str] = frozenset()) -> set[str]:  # type: ignore[assignment]
    with sync.connect(runtime, account) as connection:
        kept = tuple(word for word in connection.capabilities if word not in without)
        connection.client.capabilities = kept
        return acting.push(runtime, account, connection)


def state(runtime: Runtime, action: int) -> tuple[str, str]:
    with runtime.db.read() as connection:
        row = connection.execute("SELECT state, problem FROM actions WHERE id = ?", (action,)).fetchone()
    return row["state"], row["problem"] or ""


def here(runtime: Runtime, account: Account) -> dict[int, frozenset[str]]:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        inbox = folders.by_name(connection, "INBOX")
        assert inbox is not None
        return messages.uid_flags(connection, inbox.id)


@pytest.fixture
def account(runtime: Runtime, mailbox: RealMailbox) -> Account:
    for number in range(5):
        mailbox.deliver_text(f"Bericht {number}")
    account = add_account(runtime, mailbox)
    sync.sync_once(runtime, account.id)
    return account


def test_delete_moves_to_the_trash(runtime: Runtime, mailbox: RealMailbox, account: Account) -> None:
    for without in ({"x"}, {"MOVE"}):
        uid = min(here(runtime, account))
        action = add(runtime, account, "delete", uid)
        assert push(runtime, account, without) == {"Trash"}
        assert state(runtime, action)[0] == "done"
        assert uid not in here(runtime, account)
    assert len(mailbox.messages("Trash")) == 2
    assert len(mailbox.messages()) == 3


@pytest.mark.parametrize("without", [{"x"}, {"MOVE"}])
def test_a_move_to_where_a_message_lies_never_loses_it(
    runtime: Runtime, mailbox: RealMailbox, account: Account, without: set[str]
) -> None:
    action = add(runtime, account, "move", 1, folder="INBOX")
    with runtime.db.write() as connection:
        connection.execute("UPDATE actions SET attempts = 1")  # a try before this one broke off
    push(runtime, account, without)
    assert state(runtime, action)[0] == "done"
    assert len(mailbox.messages()) == len(here(runtime, account)) == 5


def test_a_message_that_only_looks_like_the_copy_is_not_taken_for_it(
    runtime: Runtime, mailbox: RealMailbox, account: Account
) -> None:
    for amount, folder in (("900", "INBOX"), ("100", "Archive")):
        mailbox.deliver_text("Rekening", f"{amount} euro", message_id="<1@klant.example>", folder=folder)
    sync.sync_once(runtime, account.id)
    add(runtime, account, "move", max(here(runtime, account)), folder="Archive")
    with runtime.db.write() as connection:
        connection.execute("UPDATE actions SET attempts = 1")  # a try before this one broke off
    push(runtime, account, {"MOVE"})
    assert len(mailbox.messages()) == 5
    kept = b"".join(mailbox.messages("Archive"))
    assert b"900 euro" in kept and b"100 euro" in kept


def test_without_uidplus_nothing_else_is_expunged(
    runtime: Runtime, mailbox: RealMailbox, account: Account
) -> None:
    with mailbox.dovecot.signed_in(mailbox.address) as client:
        client.select("INBOX")
        client.uid("STORE", "5", "+FLAGS", "(\\Deleted)")
    action = add(runtime, account, "delete", 1)
    push(runtime, account, {"MOVE", "UIDPLUS"})
    assert state(runtime, action)[0] == "done"
    assert len(mailbox.messages()) == 5
    assert len(mailbox.messages("Trash")) == 1
    assert "\\Deleted" in here(runtime, account)[1]


def test_expunge_is_final_and_takes_no_other(
    runtime: Runtime, mailbox: RealMailbox, account: Account
) -> None:
    add(runtime, account, "expunge", 2)
    push(runtime, account)
    assert len(mailbox.messages()) == 4 and 2 not in here(runtime, account)


def test_a_folder_that_is_not_there_and_a_stale_key_are_told(runtime: Runtime, account: Account) -> None:
    lost = add(runtime, account, "move", 1, folder="Bestaat niet")
    with runtime.db.write() as connection:
        stale = MessageKey(account.id, "INBOX", 1, 1)
        gone = actions.add(
            connection, account.user_id, "flag", stale, runtime.clock.now(), arguments={"add": ["\\Seen"]}
        )
    push(runtime, account)
    assert state(runtime, lost)[0] == state(runtime, gone)[0] == "failed"
    assert "folder_missing" in state(runtime, lost)[1] and "message_gone" in state(runtime, gone)[1]


def test_an_append_is_never_done_twice(runtime: Runtime, mailbox: RealMailbox, account: Account) -> None:
    raw = b"Subject: Verzonden\r\nMessage-ID: <eens@tests.example>\r\n\r\nHallo\r\n"
    arguments = {"flags": ["\\Seen"], "message_id": "<eens@tests.example>", "look_first": False}
    for attempts in (0, 1):
        with runtime.db.write() as connection:
            where = MessageKey(account.id, "", 0, 0)
            number = actions.add(
                connection,
                account.user_id,
                "append",
                where,
                runtime.clock.now(),
                arguments=arguments,
                content=raw,
            )
            connection.execute("UPDATE actions SET attempts = ? WHERE id = ?", (attempts, number))
        push(runtime, account)
        assert state(runtime, number)[0] == "done"
    assert len(mailbox.messages("Sent")) == 1


def test_a_flag_that_would_end_the_command_is_refused(runtime: Runtime, account: Account) -> None:
    action = add(runtime, account, "flag", 1, add=["\\Seen)\r\nx LOGOUT"], remove=[])
    with pytest.raises(Exception, match="input_invalid"):
        push(runtime, account)
    assert state(runtime, action)[0] == "failed"
