"""Connected accounts: their secrets, how they fare, checking now, removing."""

from datetime import timedelta

from soinbox_web.clock import timestamp
from soinbox_web.model.account import Account
from soinbox_web.problems import AccessError, Problem, SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.store import accounts, changes

CHECK_EVERY = timedelta(seconds=30)


def secret(runtime: Runtime, account: Account, side: accounts.Side) -> str:
    """The password or token of one side; StoreError key_missing when it cannot be opened."""
    with runtime.db.read() as connection:
        return accounts.open_secret(connection, runtime.vault, account, side)


def own(runtime: Runtime, user_id: int, account_id: int) -> Account:
    """The user's own account; AccessError not_found for anybody else's."""
    with runtime.db.read() as connection:
        account = accounts.read(connection, account_id)
    if account.user_id != user_id:
        raise AccessError(Problem("not_found"))
    return account


def of_user(runtime: Runtime, user_id: int) -> list[Account]:
    """The user's accounts, the oldest first."""
    with runtime.db.read() as connection:
        return accounts.of_user(connection, user_id)


def refresh(runtime: Runtime, user_id: int, account_id: int) -> None:
    """Ask the mailroom to look now, whatever stopped it; at most one open request, one every 30 s.

    SoinboxError local_limit when the last one is younger.
    """
    account = own(runtime, user_id, account_id)
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        last = connection.execute(
            "SELECT max(created_at) FROM requests WHERE account_id = ? AND kind = 'refresh' AND created_at > ?",
            (account.id, timestamp(now - CHECK_EVERY)),
        ).fetchone()[0]
        if last is not None:
            raise SoinboxError(
                Problem("local_limit", side="imap", facts={"host": account.imap.host}, retry_after_seconds=30)
            )
        connection.execute(
            "INSERT INTO requests (account_id, kind, created_at) VALUES (?, 'refresh', ?)",
            (account.id, timestamp(now)),
        )
        changes.record(connection, "request", now, account_id=account.id, user_id=user_id, detail="refresh")


def remove(runtime: Runtime, user_id: int, account_id: int) -> None:
    """Take the account and its local copy away; the mailbox at the provider and the user's drafts stay."""
    account = own(runtime, user_id, account_id)
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        accounts.remove(connection, account.id)
        changes.record(connection, "account", now, account_id=account.id, user_id=user_id, detail="removed")
    runtime.forget_mailbox(account.id, account.generation)
