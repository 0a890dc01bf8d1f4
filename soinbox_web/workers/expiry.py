"""The janitor: what has served its time is thrown away, once an hour; set-ups that are over, each minute."""

import threading
from datetime import timedelta

from soinbox_web.clock import timestamp
from soinbox_web.runtime import Runtime
from soinbox_web.services import setup
from soinbox_web.store import account_hours, accounts, changes, expiry

EVERY = 3600.0
SETUPS_EVERY = 60.0


def run(runtime: Runtime, stop: threading.Event) -> None:
    """Tidy now and every hour until `stop` is set; set-ups that are over, and their secrets, each minute."""
    next_tidying = runtime.clock.monotonic()
    while not stop.is_set():
        setup.wipe(runtime)
        if runtime.clock.monotonic() >= next_tidying:
            tidy(runtime)
            next_tidying = runtime.clock.monotonic() + EVERY
        stop.wait(SETUPS_EVERY)


def tidy(runtime: Runtime) -> None:
    """Old changes, expired set-up attempts, finished requests and actions, stale look-ups."""
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        changes.prune(connection, now)
        account_hours.forget(connection, now)
    with runtime.db.write() as connection:
        expiry.forget_expired(connection, timestamp(now))
    with runtime.db.write() as connection:
        expiry.forget_finished(connection, timestamp(now - timedelta(days=7)))
    with runtime.db.read() as connection:
        known = accounts.all(connection)
    for account in known:
        if runtime.mailbox_path(account.id, account.generation).exists():
            mailbox = runtime.mailbox(account.id, account.generation)
            with mailbox.write() as connection:
                changes.prune(connection, now)
            mailbox.connection().execute("PRAGMA incremental_vacuum(1000)").fetchall()
