"""Mail whose fate is unknown: a copy in Sent that the provider filed proves that it was sent (trust.md 4)."""

from dataclasses import replace
from datetime import timedelta

from soinbox_web.model.account import Account
from soinbox_web.runtime import Runtime
from soinbox_web.services.sending.answered import mark_answered
from soinbox_web.store import accounts, drafts, folders, messages, outbox, requests
from soinbox_web.store.outbox import OutboxRow

LOOKING = timedelta(seconds=60)  # before the user is asked to decide


def is_looking(runtime: Runtime, row: OutboxRow) -> bool:
    """Sent is still being looked at; the user is not asked yet."""
    if row.state != "uncertain" or row.finished_at is None:
        return False
    return runtime.clock.now() - row.finished_at < LOOKING


def fetch_sent(runtime: Runtime, account: Account) -> None:
    """Ask the mailroom for what is in Sent now."""
    with runtime.mailbox(account.id, account.generation).read() as connection:
        sent = folders.by_role(connection, "sent")
    if sent is not None:
        with runtime.db.write() as connection:
            requests.ask(connection, account.id, "open_folder", sent.name, runtime.clock.now())


def settle_found(runtime: Runtime) -> int:
    """Uncertain mail that lies in Sent becomes sent; how many."""
    with runtime.db.read() as connection:
        rows = outbox.uncertain(connection)
        known = {each.id: each for each in accounts.all(connection)}
    found = [row for row in rows if row.account_id in known and _in_sent(runtime, known[row.account_id], row)]
    now = runtime.clock.now()
    for row in found:
        told = [replace(each, state="sent") if each.state == "uncertain" else each for each in row.recipients]
        with runtime.db.write() as connection:
            if not outbox.settle_uncertain(connection, row.id, told, now):
                continue
            mark_answered(connection, row, now)
            if row.draft_id is not None and all(each.state != "delayed" for each in told):
                drafts.remove(connection, row.user_id, row.draft_id, now)
    return len(found)


def _in_sent(runtime: Runtime, account: Account, row: OutboxRow) -> bool:
    """Not when an earlier try reached somebody: then the copy in Sent is of that try."""
    if row.reached:
        return False
    with runtime.mailbox(account.id, account.generation).read() as connection:
        sent = {each.id for each in folders.listing(connection) if each.role in ("sent", "all")}
        return any(each["folder_id"] in sent for each in messages.by_message_id(connection, row.message_id))
