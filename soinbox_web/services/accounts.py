"""Connected accounts: their secrets, how they fare, checking now, removing."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from soinbox_web.clock import timestamp
from soinbox_web.mail import issuers, oauth
from soinbox_web.mail.net.network import Network
from soinbox_web.model.account import Account, as_seen
from soinbox_web.model.day import Hour
from soinbox_web.model.folder import Folder
from soinbox_web.problems import AccessError, Problem, ServerError, SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.store import account_hours, accounts, actions, changes, folders, requests
from soinbox_web.texts import Translate

log = logging.getLogger(__name__)

CHECK_EVERY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class AccountReport:
    """What the status page shows; `waiting` is the number of messages the server has and the copy has not.

    `unpushed` counts what was done here and not yet told to the server, since `unpushed_since` (RFC 3339).
    """

    account: Account
    folders: list[Folder]
    waiting: int
    attempts: list[accounts.Attempt]
    checking: bool
    as_of: datetime | None
    day: list[Hour]
    unpushed: int
    unpushed_since: str


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
    return as_seen(account, runtime.clock.now())


def of_user(runtime: Runtime, user_id: int) -> list[Account]:
    """The user's accounts, the oldest first."""
    with runtime.db.read() as connection:
        return [as_seen(each, runtime.clock.now()) for each in accounts.of_user(connection, user_id)]


def everyone(runtime: Runtime) -> list[Account]:
    """Every account of the instance."""
    with runtime.db.read() as connection:
        return [as_seen(each, runtime.clock.now()) for each in accounts.all(connection)]


def by_address(runtime: Runtime, address: str) -> Account:
    """The first account of this address, whoever's; AccessError account_missing (for the command line)."""
    wanted = address.strip().casefold()
    found = [account for account in everyone(runtime) if account.address.casefold() == wanted]
    if not found:
        raise AccessError(Problem("account_missing", facts={"address": address}))
    return found[0]


def status_json(runtime: Runtime, account: Account, translate: Translate) -> dict[str, Any]:
    """contract.md's `account`."""
    with runtime.db.read() as connection:
        owner = connection.execute("SELECT address FROM users WHERE id = ?", (account.user_id,)).fetchone()
    return accounts.as_json(account, owner["address"], len(_folders(runtime, account)), translate)


def report(runtime: Runtime, user_id: int, account_id: int) -> AccountReport:
    """How one of the user's accounts fares; AccessError not_found."""
    account = own(runtime, user_id, account_id)
    found = [folder for folder in _folders(runtime, account) if folder.selectable]
    with runtime.db.read() as connection:
        attempts = accounts.attempts(connection, account.id)
        checking = any(request.kind == "refresh" for request in requests.open_of(connection, account.id))
        day = account_hours.last_day(connection, account.id, runtime.clock.now())
        unpushed, oldest = actions.waiting(connection, account.id)
    waiting = sum(folder.awaited for folder in found)
    return AccountReport(
        account,
        found,
        waiting,
        attempts,
        checking,
        account.imap_status.last_success_at,
        day,
        unpushed,
        oldest,
    )


def refresh(runtime: Runtime, user_id: int, account_id: int) -> None:
    """Ask the mailroom to look now, whatever stopped it.

    Within 30 s of the last time ServerError local_limit.
    """
    account = own(runtime, user_id, account_id)
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        recent = connection.execute(
            "SELECT 1 FROM requests WHERE account_id = ? AND kind = 'refresh' AND created_at > ?",
            (account.id, timestamp(now - CHECK_EVERY)),
        ).fetchone()
        if recent is None:
            requests.ask(connection, account.id, "refresh", "", now)
            return
    seconds = round(CHECK_EVERY.total_seconds())
    raise ServerError(Problem("checked_just_now", side="imap", retry_after_seconds=seconds))


def fetch_back(runtime: Runtime, user_id: int, account_id: int, days: int | None) -> None:
    """How far back messages are fetched from now on, in days (None: all): the copy is made anew.

    AccessError not_found for anybody else's account.
    """
    account = own(runtime, user_id, account_id)
    if account.sync_days == days:
        return
    with runtime.db.write() as connection:
        accounts.set_sync_days(connection, account.id, days)
        accounts.next_generation(connection, account, runtime.clock.now())
    runtime.forget_mailbox(account.id, account.generation)


def unsent(runtime: Runtime, account: Account) -> int:
    """How many messages wait in the outbox and would go with the account."""
    with runtime.db.read() as connection:
        row = connection.execute(
            "SELECT count(*) FROM outbox WHERE account_id = ? AND state IN ('held', 'failed', 'uncertain')",
            (account.id,),
        ).fetchone()
    return int(row[0])


def remove(runtime: Runtime, account_id: int) -> None:
    """Take the account and its local copy away; the mailbox at the provider and the user's drafts stay.

    Who may do that is asked before (`own`). AccessError not_found.
    """
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        account = accounts.read(connection, account_id)
        refresh = (
            accounts.stored_secret(connection, runtime.vault, account, "oauth")
            if account.auth == "oauth2"
            else ""
        )
        accounts.remove(connection, account_id)
        changes.record(
            connection, "account", now, account_id=account_id, user_id=account.user_id, detail="removed"
        )
    runtime.forget_mailbox(account.id, account.generation)
    if refresh:
        _revoke(runtime, account, refresh)


def _revoke(runtime: Runtime, account: Account, refresh: str) -> None:
    """Tell the issuer that the permission is over; the account is gone whatever it answers."""
    client = issuers.client_for(runtime.settings, account.imap.host)
    if client is None or issuers.issuer_url(client) != account.issuer:
        return
    network = Network(runtime.settings, runtime.clock)
    try:
        oauth.revoke(client, issuers.issuer_of(client, network), network, refresh)
    except SoinboxError as error:
        log.warning("account %d: permission not revoked: %s", account.id, error.problem.code)


def _folders(runtime: Runtime, account: Account) -> list[Folder]:
    if not runtime.mailbox_path(account.id, account.generation).exists():
        return []
    with runtime.mailbox(account.id, account.generation).read() as connection:
        return folders.listing(connection)
