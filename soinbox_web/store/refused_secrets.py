"""Refused sign-ins of the last quarter of an hour, by keyed hashes: never the secret itself."""

import json
import sqlite3
from datetime import datetime, timedelta

from soinbox_web.clock import moment, timestamp
from soinbox_web.model.server import Login
from soinbox_web.problems import Problem
from soinbox_web.store.vault import Vault

KEPT = timedelta(minutes=15)


def remember(
    connection: sqlite3.Connection,
    vault: Vault,
    user_id: int,
    login: Login,
    secret: str,
    problem: Problem,
    now: datetime,
) -> None:
    """Note that a server refused this secret; older notes go."""
    connection.execute("DELETE FROM refused_secrets WHERE refused_at <= ?", (timestamp(now - KEPT),))
    connection.execute(
        "INSERT OR REPLACE INTO refused_secrets (fingerprint, problem, user_id, host, login, refused_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            _fingerprint(vault, login, secret), json.dumps(problem.as_row()), user_id, login.host,
            _login(vault, login), timestamp(now),
        ),
    )  # fmt: skip


def forget(connection: sqlite3.Connection, vault: Vault, login: Login) -> None:
    """This login works now: what it was refused for says nothing any more."""
    connection.execute("DELETE FROM refused_secrets WHERE login = ?", (_login(vault, login),))


def answer(
    connection: sqlite3.Connection, vault: Vault, login: Login, secret: str, now: datetime
) -> Problem | None:
    """What the server said to this very secret in the last 15 minutes."""
    row = connection.execute(
        "SELECT problem FROM refused_secrets WHERE fingerprint = ? AND refused_at > ?",
        (_fingerprint(vault, login, secret), timestamp(now - KEPT)),
    ).fetchone()
    return Problem.from_row(json.loads(row["problem"])) if row else None


def refusals(connection: sqlite3.Connection, vault: Vault, login: Login, since: datetime) -> list[datetime]:
    """When this login was refused after `since`, oldest first."""
    rows = connection.execute(
        "SELECT refused_at FROM refused_secrets WHERE login = ? AND refused_at > ? ORDER BY refused_at",
        (_login(vault, login), timestamp(since)),
    )
    return [moment(row["refused_at"]) for row in rows]


def refused_users(connection: sqlite3.Connection, host: str, since: datetime) -> list[datetime]:
    """The last refusal of each user at this host after `since`, oldest first."""
    rows = connection.execute(
        "SELECT max(refused_at) AS last FROM refused_secrets WHERE host = ? AND refused_at > ?"
        " GROUP BY user_id ORDER BY last",
        (host, timestamp(since)),
    )
    return [moment(row["last"]) for row in rows]


def _fingerprint(vault: Vault, login: Login, secret: str) -> str:
    return vault.fingerprint("refused secret", login.host, str(login.port), login.username, secret)


def _login(vault: Vault, login: Login) -> str:
    return vault.fingerprint("refused login", login.host, str(login.port), login.username)
