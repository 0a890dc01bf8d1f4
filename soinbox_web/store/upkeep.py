"""What upkeep asks of the precious file: key rotation, and setting things right after a restore."""

import sqlite3
from datetime import datetime

from soinbox_web.clock import timestamp
from soinbox_web.model.account import as_seen
from soinbox_web.store import accounts, fallen, instance_figures


def is_precious(connection: sqlite3.Connection) -> bool:
    """Whether this is a file of the precious kind: an empty one, or a mailbox file, is intact as well."""
    asked = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('users', 'outbox')"
    return bool(connection.execute(asked).fetchone()[0] == 2)


def sealed_by_other_keys(
    connection: sqlite3.Connection, kid: str, limit: int, after: tuple[int, str] = (0, "")
) -> list[tuple[int, str]]:
    """(account id, side) of secrets that another key than `kid` sealed, those behind `after`."""
    rows = connection.execute(
        "SELECT account_id, side FROM account_secrets"
        " WHERE sealed NOT LIKE ? || ':%' AND (account_id, side) > (?, ?)"
        " ORDER BY account_id, side LIMIT ?",
        (kid, *after, limit),
    )
    return [(row["account_id"], row["side"]) for row in rows]


def secrets_without_key(connection: sqlite3.Connection, kids: list[str]) -> list[tuple[int, str]]:
    """(account id, side) of secrets whose key is not among `kids`."""
    rows = connection.execute("SELECT account_id, side, sealed FROM account_secrets")
    return [(row["account_id"], row["side"]) for row in rows if row["sealed"].partition(":")[0] not in kids]


def settle_after_restore(connection: sqlite3.Connection, now: datetime) -> dict[str, int]:
    """Unsent mail is uncertain, open actions cancelled, sessions ended, leases free; the counts."""
    changes = {
        "outbox_uncertain": "UPDATE outbox SET state = 'uncertain', claimed_by = NULL"
        " WHERE state IN ('held', 'sending')",
        "actions_cancelled": "UPDATE actions SET state = 'cancelled', finished_at = :at"
        " WHERE state IN ('open', 'claimed')",
        "sessions_ended": "DELETE FROM sessions",
        "requests_dropped": "DELETE FROM requests WHERE state = 'open'",
        "attempts_wiped": "DELETE FROM setup_attempts",
    }
    at = {"at": timestamp(now)}
    for state in ("waiting", "delayed"):  # who was told since the backup was made is not known
        connection.execute(
            "UPDATE outbox SET recipients = replace(recipients, ?, ?)"
            " WHERE state IN ('held', 'sending', 'uncertain')",
            (f'"state": "{state}"', '"state": "uncertain"'),
        )
    report = {name: connection.execute(statement, at).rowcount for name, statement in changes.items()}
    connection.execute("UPDATE accounts SET generation = generation + 1")
    connection.execute("DELETE FROM leases")
    return report


def down(connection: sqlite3.Connection, now: datetime) -> dict[str, str]:
    """What ought to run and does not, by part or by address of an account; no mailroom that was stopped.

    Nor in a file of an older version, which nothing runs on.
    """
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'fallen'").fetchone():
        return {}
    found = {each.part: f"ended by an error, {each.count} times in a row" for each in fallen.all(connection)}
    age = instance_figures.heartbeat_age(connection, fallen.MAILROOM, now)
    if age is None:
        return found
    if age > instance_figures.ALIVE:
        return {fallen.MAILROOM: "gives no sign of life", **found}
    seen = [as_seen(each, now) for each in accounts.all(connection)]
    silent = [each.address for each in seen if each.is_silent]
    return {**found, **dict.fromkeys(silent, "is not kept up to date")}
