"""Consents that were asked for at an issuer: one `state` each, good once, for one session, for 15 minutes."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from soinbox_web.clock import timestamp
from soinbox_web.store.sessions import digest
from soinbox_web.store.vault import Vault

KEPT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Consent:
    """`attempt` is the set-up it belongs to, `client` the operator's client, `link` leads to the issuer."""

    attempt: str
    client: str
    link: str
    verifier: str


def insert(
    connection: sqlite3.Connection,
    vault: Vault,
    session_id: int,
    state: str,
    consent: Consent,
    now: datetime,
) -> None:
    """A new one takes the place of the attempt's older ones."""
    connection.execute("DELETE FROM oauth_consents WHERE expires_at <= ?", (timestamp(now),))
    connection.execute("DELETE FROM oauth_consents WHERE attempt = ?", (consent.attempt,))
    hashed = digest(state)
    text = json.dumps([consent.client, consent.link, consent.verifier])
    connection.execute(
        "INSERT INTO oauth_consents (state_hash, session_id, attempt, sealed, expires_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (hashed, session_id, consent.attempt, vault.seal(text, ["consent", hashed, session_id]),
         timestamp(now + KEPT)),
    )  # fmt: skip


def asked(
    connection: sqlite3.Connection, vault: Vault, session_id: int, attempt: str, now: datetime
) -> Consent | None:
    """The one that this session asked for in this attempt, as long as it is good."""
    row = connection.execute(
        "SELECT * FROM oauth_consents WHERE attempt = ? AND session_id = ? AND expires_at > ?",
        (attempt, session_id, timestamp(now)),
    ).fetchone()
    return _consent(vault, row) if row else None


def redeem(
    connection: sqlite3.Connection, vault: Vault, session_id: int, state: str, now: datetime
) -> Consent | None:
    """The consent of this state, which is used up by it; None for an unknown, used, late or foreign one."""
    row = connection.execute(
        "DELETE FROM oauth_consents WHERE state_hash = ? AND session_id = ? AND expires_at > ? RETURNING *",
        (digest(state), session_id, timestamp(now)),
    ).fetchone()
    return _consent(vault, row) if row else None


def _consent(vault: Vault, row: sqlite3.Row) -> Consent:
    text = vault.unseal(row["sealed"], ["consent", row["state_hash"], row["session_id"]])
    client, link, verifier = json.loads(text)
    return Consent(row["attempt"], client, link, verifier)
