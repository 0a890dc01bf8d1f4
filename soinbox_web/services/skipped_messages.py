"""Messages that could not be fetched and stand aside: which, why, and the beginning of their source."""

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from sqlite3 import Row

from soinbox_web.clock import moment
from soinbox_web.model.account import Account
from soinbox_web.model.folder import Role
from soinbox_web.model.message import MessageKey, Reason
from soinbox_web.problems import AccessError, Problem, SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.store import accounts, actions, folders, requests, skipped_messages
from soinbox_web.store.overlay import Overlay

MOST = 200  # on a page
ASK_AGAIN = timedelta(seconds=30)  # after a source could not be fetched


@dataclass(frozen=True, slots=True)
class SetAside:
    """One of them, named as far as anything is known of it (`size` in bytes, 0 when it is not)."""

    key: MessageKey
    role: Role  # of its folder
    reason: Reason
    sender: str
    subject: str
    date: datetime | None
    size: int


def listing(runtime: Runtime, user_id: int, account_id: int) -> list[SetAside]:
    """Those of an account, but for deleted ones. AccessError not_found for anybody else's."""
    account = _own(runtime, user_id, account_id)
    with runtime.db.read() as connection:
        overlay = Overlay(actions.open_of(connection, account.id))
    with runtime.mailbox(account.id, account.generation).read() as connection:
        rows = skipped_messages.listing(connection, MOST)
    return [
        _read(account, row)
        for row in rows
        if not overlay.hides((row["folder"], row["uidvalidity"], row["uid"]))
    ]


def folders_left_out(runtime: Runtime, user_id: int, account_id: int) -> int:
    """How many folders of the server are not here."""
    account = _own(runtime, user_id, account_id)
    with runtime.mailbox(account.id, account.generation).read() as connection:
        return folders.left_out(connection)


def one(runtime: Runtime, user_id: int, key: MessageKey) -> SetAside:
    """The one that a key names; AccessError not_found."""
    account = _own(runtime, user_id, key.account_id)
    return _read(account, _row(runtime, account, key))


def source(runtime: Runtime, user_id: int, key: MessageKey) -> bytes | None:
    """What its source begins with; None while it is fetched. Whatever problem the mailroom met with it."""
    account = _own(runtime, user_id, key.account_id)
    packed = _row(runtime, account, key)["source"]
    if packed is not None:
        return zlib.decompress(packed)
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        failed = requests.failed_since(connection, account.id, "body", str(key), now - ASK_AGAIN)
        if failed is not None:
            raise SoinboxError(failed)
        requests.ask(connection, account.id, "body", str(key), now)
    return None


def _own(runtime: Runtime, user_id: int, account_id: int) -> Account:
    with runtime.db.read() as connection:
        account = accounts.read(connection, account_id)
    if account.user_id != user_id:
        raise AccessError(Problem("not_found"))
    return account


def _row(runtime: Runtime, account: Account, key: MessageKey) -> Row:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        row = skipped_messages.find(connection, key.folder, key.uidvalidity, key.uid)
    if row is None:
        raise AccessError(Problem("not_found"))
    return row


def _read(account: Account, row: Row) -> SetAside:
    key = MessageKey(account.id, row["folder"], row["uidvalidity"], row["uid"])
    date = moment(row["date"]) if row["date"] else None
    return SetAside(key, row["role"], row["reason"], row["sender"], row["subject"], date, row["size"])
