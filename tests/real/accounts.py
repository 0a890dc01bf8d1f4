"""Accounts for tests that synchronise real mailboxes."""

from dataclasses import replace
from typing import Protocol

from soinbox_web.model.account import Account
from soinbox_web.model.server import Login
from soinbox_web.runtime import Runtime
from soinbox_web.store import accounts, changes
from tests.servers.mailbox import RealMailbox


def add_user(runtime: Runtime, address: str = "anna@noordlicht.example") -> int:
    """A user with a person card; its id."""
    at = "2026-11-23T09:00:00.000Z"
    with runtime.db.write() as connection:
        person = connection.execute(
            "INSERT INTO persons (first_name, created_at, updated_at) VALUES ('Anna', ?, ?)", (at, at)
        ).lastrowid
        user = connection.execute(
            "INSERT INTO users (address, name, password_hash, person_id, created_at) VALUES (?, ?, '', ?, ?)",
            (address, address, person, at),
        ).lastrowid
    return int(user or 0)


def add_account(runtime: Runtime, mailbox: RealMailbox, *, provider: str = "") -> Account:
    """The mailbox as an account of a new user, its password sealed."""
    user = add_user(runtime, mailbox.address)
    return connect_account(runtime, user, mailbox.imap_login, mailbox.password, provider=provider)


def connect_account(
    runtime: Runtime, user_id: int, login: Login, password: str, *, provider: str = ""
) -> Account:
    """An account of a user, its password sealed; a mailroom that runs hears of it by `tell`."""
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        number = accounts.insert(connection, user_id, login.username, login, None, now, provider=provider)
        made = accounts.read(connection, number)
        accounts.seal_secret(connection, runtime.vault, made, "imap", password)
        return made


class Door(Protocol):
    """Whatever stands before a server on loopback."""

    @property
    def port(self) -> int: ...


def through(runtime: Runtime, account: Account, door: Door) -> Account:
    """The same account, its server reached through something that stands before it."""
    login = replace(account.imap, port=door.port)
    with runtime.db.write() as connection:
        secret = accounts.open_secret(connection, runtime.vault, account, "imap")
        accounts.update_login(connection, account.id, login, None, runtime.clock.now())
        moved = accounts.read(connection, account.id)
        accounts.seal_secret(connection, runtime.vault, moved, "imap", secret)
        return moved


def tell(runtime: Runtime, account: Account) -> None:
    """A change that tells the mailroom of an account."""
    with runtime.db.write() as connection:
        changes.record(connection, "account", runtime.clock.now(), account_id=account.id)
