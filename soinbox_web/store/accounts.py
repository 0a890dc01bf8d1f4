"""Accounts: their servers, their sealed secrets, how each side fares, and the last attempts."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from soinbox_web.clock import moment, timestamp
from soinbox_web.model.account import Account, SideStatus
from soinbox_web.model.server import Login
from soinbox_web.problems import AccessError, Problem, StoreError
from soinbox_web.store import account_hours, changes
from soinbox_web.store.vault import Associated, Vault
from soinbox_web.texts import Translate

Side = Literal["imap", "smtp"]
SecretSide = Literal["imap", "smtp", "oauth"]  # oauth: the refresh token, for both sides
KEPT_ATTEMPTS = 20
_STATUS = (
    "last_success_at", "last_attempt_at", "next_retry_at", "consecutive_failures", "problem", "mode",
    "alive_at",
)  # fmt: skip
_OF_SIDES = ", ".join(f"{side}.{name} AS {side}_{name}" for side in ("imap", "smtp") for name in _STATUS)
_ACCOUNTS = (
    f"SELECT a.*, {_OF_SIDES} FROM accounts a"  # noqa: S608
    " LEFT JOIN account_status imap ON imap.account_id = a.id AND imap.side = 'imap'"
    " LEFT JOIN account_status smtp ON smtp.account_id = a.id AND smtp.side = 'smtp'"
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to reach a server: `code` is the problem's ("" when it went well), `line` their words."""

    side: Side
    at: datetime
    ok: bool
    code: str
    line: str


def read(connection: sqlite3.Connection, account_id: int) -> Account:
    """One account; AccessError not_found when there is none."""
    found = _select(connection, "id = ?", account_id)
    if not found:
        raise AccessError(Problem("not_found"))
    return found[0]


def of_user(connection: sqlite3.Connection, user_id: int) -> list[Account]:
    """A user's accounts, the oldest (the default) first."""
    return _select(connection, "user_id = ?", user_id)


def all(connection: sqlite3.Connection) -> list[Account]:
    """Every account of the instance."""
    return _select(connection, "1")


def by_address(connection: sqlite3.Connection, user_id: int, address: str) -> Account | None:
    """The user's account of this address, whatever its case."""
    found = _select(connection, "user_id = ? AND address = ?", user_id, address)
    return found[0] if found else None


def insert(
    connection: sqlite3.Connection,
    user_id: int,
    address: str,
    imap: Login,
    smtp: Login | None,
    at: datetime,
    *,
    name: str = "",
    provider: str = "",
    auth: str = "password",
    files_sent_copy: str = "unknown",
) -> int:
    """A new account without secrets; its id. IntegrityError when the user has that address already."""
    row = {
        "user_id": user_id, "address": address, "name": name, "provider": provider, "auth": auth,
        "files_sent_copy": files_sent_copy, "created_at": timestamp(at), **_columns(imap, smtp, at),
    }  # fmt: skip
    cursor = connection.execute(
        f"INSERT INTO accounts ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",  # noqa: S608
        list(row.values()),
    )
    return int(cursor.lastrowid or 0)


def update_login(
    connection: sqlite3.Connection, account_id: int, imap: Login, smtp: Login | None, at: datetime
) -> None:
    """Other servers or user names; secrets sealed for the old ones no longer open."""
    row = _columns(imap, smtp, at)
    connection.execute(
        f"UPDATE accounts SET {', '.join(f'{name} = ?' for name in row)} WHERE id = ?",  # noqa: S608
        [*row.values(), account_id],
    )


def seal_consent(
    connection: sqlite3.Connection, vault: Vault, account_id: int, issuer: str, refresh: str, at: datetime
) -> None:
    """From now on the account signs in with tokens of this issuer; its passwords are forgotten."""
    connection.execute(
        "UPDATE accounts SET auth = 'oauth2', issuer = ?, consented_at = ? WHERE id = ?",
        (issuer, timestamp(at), account_id),
    )
    connection.execute("DELETE FROM account_secrets WHERE account_id = ?", (account_id,))
    seal_secret(connection, vault, read(connection, account_id), "oauth", refresh)


def use_passwords(connection: sqlite3.Connection, account_id: int) -> None:
    """From now on the account signs in with passwords; its refresh token is forgotten."""
    connection.execute(
        "UPDATE accounts SET auth = 'password', issuer = '', consented_at = '' WHERE id = ?", (account_id,)
    )
    connection.execute("DELETE FROM account_secrets WHERE account_id = ? AND side = 'oauth'", (account_id,))


def set_sync_days(connection: sqlite3.Connection, account_id: int, days: int | None) -> None:
    """How far back messages are fetched; None: all of them."""
    connection.execute("UPDATE accounts SET sync_days = ? WHERE id = ?", (days, account_id))


def next_generation(connection: sqlite3.Connection, account: Account, at: datetime) -> None:
    """From now on another mailbox file is the account's: what the server holds is fetched anew."""
    connection.execute("UPDATE accounts SET generation = generation + 1 WHERE id = ?", (account.id,))
    changes.record(
        connection, "account", at, user_id=account.user_id, account_id=account.id, detail="rebuilt"
    )


def remove(connection: sqlite3.Connection, account_id: int) -> None:
    """The account with its secrets, status, outbox and open actions; drafts stay, without account."""
    connection.execute("DELETE FROM accounts WHERE id = ?", (account_id,))


def seal_secret(
    connection: sqlite3.Connection, vault: Vault, account: Account, side: SecretSide, secret: str
) -> None:
    """Store the secret of one side, bound to that side's server and user name."""
    connection.execute(
        "INSERT OR REPLACE INTO account_secrets (account_id, side, sealed) VALUES (?, ?, ?)",
        (account.id, side, vault.seal(secret, associated(account, side))),
    )


def open_secret(connection: sqlite3.Connection, vault: Vault, account: Account, side: SecretSide) -> str:
    """The secret of one side; StoreError key_missing when there is none, or it is another server's."""
    row = connection.execute(
        "SELECT sealed FROM account_secrets WHERE account_id = ? AND side = ?", (account.id, side)
    ).fetchone()
    if row is None:
        raise StoreError(Problem("key_missing", side="smtp" if side == "smtp" else "imap"))
    return vault.unseal(row["sealed"], associated(account, side))


def stored_secret(connection: sqlite3.Connection, vault: Vault, account: Account, side: SecretSide) -> str:
    """As `open_secret`, but "" when there is none that opens."""
    try:
        return open_secret(connection, vault, account, side)
    except StoreError as error:
        if error.problem.code != "key_missing":
            raise
        return ""


def as_json(account: Account, user: str, folders: int, translate: Translate) -> dict[str, Any]:
    """contract.md's `account`; `user` is the owner's address, `folders` how many are known."""
    status = account.imap_status
    problem = status.problem or account.smtp_status.problem
    return {
        "address": account.address,
        "user": user,
        "state": account.state,
        "last_success_at": _text(status.last_success_at),
        "last_attempt_at": _text(status.last_attempt_at),
        "next_retry_at": _text(status.next_retry_at),
        "problem": problem.as_json(translate) if problem else None,
        "folders": folders,
    }


def associated(account: Account, side: SecretSide) -> Associated:
    """What a sealed secret is bound to (trust.md section 3)."""
    if side == "oauth":
        return [account.user_id, account.id, side, account.issuer, 0, account.address, ""]
    login = account.imap if side == "imap" else account.smtp
    if login is None:
        return [account.user_id, account.id, side, "", 0, "", ""]
    return [account.user_id, account.id, side, login.host, login.port, login.username, login.security]


def record_attempt(
    connection: sqlite3.Connection,
    account_id: int,
    side: Side,
    at: datetime,
    problem: Problem | None = None,
    *,
    next_retry_at: datetime | None = None,
    line: str = "",
) -> None:
    """One try, gone well (`problem` None) or not: the log keeps the last 20, status and hours follow."""
    connection.execute(
        "INSERT INTO account_attempts (account_id, side, at, ok, code, line) VALUES (?, ?, ?, ?, ?, ?)",
        (account_id, side, timestamp(at), problem is None, problem.code if problem else "",
         line or (problem.evidence if problem else "")),
    )  # fmt: skip
    connection.execute(
        "DELETE FROM account_attempts WHERE account_id = ?1 AND id NOT IN"
        " (SELECT id FROM account_attempts WHERE account_id = ?1 ORDER BY id DESC LIMIT ?2)",
        (account_id, KEPT_ATTEMPTS),
    )
    before = status(connection, account_id, side)
    if problem is None:
        now = SideStatus(at, at, next_retry_at, 0, None, before.mode, at)
    else:
        failures = before.consecutive_failures + 1
        now = SideStatus(before.last_success_at, at, next_retry_at, failures, problem, before.mode, at)
        account_hours.add(connection, account_id, at, failures=1)
    set_status(connection, account_id, side, now)


def attempts(connection: sqlite3.Connection, account_id: int) -> list[Attempt]:
    """The last 20 tries, newest first."""
    rows = connection.execute(
        "SELECT * FROM account_attempts WHERE account_id = ? ORDER BY id DESC LIMIT ?",
        (account_id, KEPT_ATTEMPTS),
    )
    return [Attempt(r["side"], moment(r["at"]), bool(r["ok"]), r["code"], r["line"]) for r in rows]


def status(connection: sqlite3.Connection, account_id: int, side: Side) -> SideStatus:
    """How one side fares; an empty status before the first attempt."""
    row = connection.execute(
        "SELECT * FROM account_status WHERE account_id = ? AND side = ?", (account_id, side)
    ).fetchone()
    return _status(row) if row else SideStatus()


def set_status(connection: sqlite3.Connection, account_id: int, side: Side, status: SideStatus) -> None:
    """Replace the status of one side."""
    connection.execute(
        "INSERT OR REPLACE INTO account_status (account_id, side, last_success_at, last_attempt_at,"
        " next_retry_at, consecutive_failures, problem, mode, alive_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            account_id, side, _text(status.last_success_at), _text(status.last_attempt_at),
            _text(status.next_retry_at), status.consecutive_failures,
            json.dumps(status.problem.as_row()) if status.problem else None, status.mode,
            _text(status.alive_at),
        ),
    )  # fmt: skip


def _select(connection: sqlite3.Connection, where: str, *values: Any) -> list[Account]:
    """Accounts and how their sides fare, by one statement however many there are."""
    rows = connection.execute(f"{_ACCOUNTS} WHERE {where} ORDER BY a.id", values).fetchall()
    return [_account(row, _status(row, "imap_"), _status(row, "smtp_")) for row in rows]


def _account(row: sqlite3.Row, imap_status: SideStatus, smtp_status: SideStatus) -> Account:
    imap, smtp = (
        Login(
            *(row[f"{side}_{name}"] for name in ("host", "port", "security", "username", "pin")),
        )
        for side in ("imap", "smtp")
    )
    return Account(
        id=row["id"], user_id=row["user_id"], address=row["address"], name=row["name"],
        provider=row["provider"], generation=row["generation"], auth=row["auth"], imap=imap,
        smtp=smtp if smtp.host else None, paused=bool(row["paused"]), files_sent_copy=row["files_sent_copy"],
        issuer=row["issuer"], consented_at=row["consented_at"], sync_days=row["sync_days"],
        imap_status=imap_status,
        smtp_status=smtp_status,
    )  # fmt: skip


def _status(row: sqlite3.Row, prefix: str = "") -> SideStatus:
    """What a row says of one side; an empty status when there is none yet."""
    success, attempt, retry, failures, problem, mode, alive = (row[prefix + name] for name in _STATUS)
    return SideStatus(
        _moment(success), _moment(attempt), _moment(retry), failures or 0,
        Problem.from_row(json.loads(problem)) if problem else None, mode or "", _moment(alive),
    )  # fmt: skip


def _columns(imap: Login, smtp: Login | None, at: datetime) -> dict[str, Any]:
    return {
        "imap_host": imap.host, "imap_port": imap.port, "imap_security": imap.security,
        "imap_username": imap.username, "imap_pin": imap.pin,
        "smtp_host": smtp.host if smtp else None, "smtp_port": smtp.port if smtp else None,
        "smtp_security": smtp.security if smtp else None, "smtp_username": smtp.username if smtp else None,
        "smtp_pin": smtp.pin if smtp else "",
        "updated_at": timestamp(at),
    }  # fmt: skip


def _text(at: datetime | None) -> str | None:
    return timestamp(at) if at else None


def _moment(text: str | None) -> datetime | None:
    return moment(text) if text else None
