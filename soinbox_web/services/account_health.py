"""How an account fares: every attempt recorded, the next one decided by the class of the failure."""

import random
from dataclasses import replace
from datetime import datetime
from typing import Literal

from soinbox_web.model import backoff
from soinbox_web.problems import AccessError, Problem
from soinbox_web.runtime import Runtime
from soinbox_web.store import accounts, changes

Side = Literal["imap", "smtp"]


def succeeded(runtime: Runtime, account_id: int, side: Side = "imap", *, mode: str = "") -> None:
    """Signed in and up to date; `mode` as in SideStatus, or "" (as it was)."""
    _record(runtime, account_id, side, None, None, mode)


def still_well(runtime: Runtime, account_id: int, *, alive: bool = True) -> None:
    """The connection lives and all is up to date, as of now; no attempt, so nothing for the log.

    `alive`: so does whatever works for the account.
    """
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        status = accounts.status(connection, account_id, "imap")
        if alive:
            status = replace(status, alive_at=now)
        if status.problem is None and status.last_success_at is not None:
            status = replace(status, last_success_at=now)
        accounts.set_status(connection, account_id, "imap", status)


def signed(runtime: Runtime, account_id: int, *, alive: bool) -> None:
    """A sign of life of whatever works for the account; StoreError when nothing can be written down."""
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        status = accounts.status(connection, account_id, "imap")
        if alive:
            status = replace(status, alive_at=now)
        accounts.set_status(connection, account_id, "imap", status)


def failed(runtime: Runtime, account_id: int, problem: Problem, side: Side = "imap") -> datetime | None:
    """Record a failure; when to try again, or None: not before something changes."""
    now = runtime.clock.now()
    with runtime.db.read() as connection:
        failures = accounts.status(connection, account_id, side).consecutive_failures + 1
    retry = backoff.next_try(problem, failures, now, random.random())
    _record(runtime, account_id, side, problem, retry, "")
    return retry


def stays_failed(
    runtime: Runtime, account_id: int, problem: Problem, retry: datetime | None, side: Side = "imap"
) -> None:
    """The problem of before is still the one; the server was not asked again, so nothing for the log."""
    with runtime.db.write() as connection:
        status = accounts.status(connection, account_id, side)
        accounts.set_status(
            connection, account_id, side, replace(status, problem=problem, next_retry_at=retry)
        )


def _record(
    runtime: Runtime, account_id: int, side: Side, problem: Problem | None, retry: datetime | None, mode: str
) -> None:
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        try:
            account = accounts.read(connection, account_id)
        except AccessError:
            return  # removed meanwhile
        accounts.record_attempt(connection, account_id, side, now, problem, next_retry_at=retry)
        if mode:
            status = replace(accounts.status(connection, account_id, side), mode=mode)
            accounts.set_status(connection, account_id, side, status)
        changes.record(connection, "status", now, user_id=account.user_id, account_id=account_id, detail=side)
