"""By which names (authserv-id, RFC 8601) an account's own server tells what it found out about messages.

A name is learnt when it stood above the first Received of mail from several domains; few names are kept.
"""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from soinbox_web.clock import timestamp

DOMAINS = 3  # of senders, that a name has to be seen about
NAMES = 20  # of one account


def note(
    connection: sqlite3.Connection, account_id: int, seen: Iterable[tuple[str, str]], at: datetime
) -> None:
    """Take in (name, domain of the sender) pairs; beyond NAMES those go that were seen least, longest ago."""
    here = _domains(connection, account_id)
    for name, domain in seen:
        domains = here.setdefault(name, [])
        if domain in domains or len(domains) >= DOMAINS:
            continue
        domains.append(domain)
        connection.execute(
            "INSERT OR REPLACE INTO own_servers (account_id, name, domains, seen_at) VALUES (?, ?, ?, ?)",
            (account_id, name, json.dumps(domains), timestamp(at)),
        )
    connection.execute(
        "DELETE FROM own_servers WHERE account_id = ?1 AND name NOT IN (SELECT name FROM own_servers"
        " WHERE account_id = ?1 ORDER BY json_array_length(domains) DESC, seen_at DESC, name LIMIT ?2)",
        (account_id, NAMES),
    )


def news(
    connection: sqlite3.Connection, account_id: int, seen: Iterable[tuple[str, str]]
) -> set[tuple[str, str]]:
    """The pairs that `note` has something to learn from."""
    here = _domains(connection, account_id)
    return {
        (name, domain)
        for name, domain in seen
        if domain not in here.get(name, []) and len(here.get(name, [])) < DOMAINS
    }


def learnt(connection: sqlite3.Connection, account_id: int) -> frozenset[str]:
    """The names to be believed."""
    here = _domains(connection, account_id)
    return frozenset(name for name, domains in here.items() if len(domains) >= DOMAINS)


def _domains(connection: sqlite3.Connection, account_id: int) -> dict[str, list[str]]:
    rows = connection.execute("SELECT name, domains FROM own_servers WHERE account_id = ?", (account_id,))
    return {row["name"]: json.loads(row["domains"]) for row in rows}
