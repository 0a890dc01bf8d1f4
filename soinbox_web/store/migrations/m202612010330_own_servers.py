"""By which names an account's own server signs what it found out about messages (RFC 8601, authserv-id)."""

from sqlite_utils import Database


def apply(database: Database) -> None:
    """`domains`: JSON, the first few sender domains about which it was seen."""
    database.execute(
        "CREATE TABLE own_servers ("
        " account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,"
        " name TEXT NOT NULL,"
        " domains TEXT NOT NULL,"
        " seen_at TEXT NOT NULL,"
        " PRIMARY KEY (account_id, name)"
        ") STRICT"
    )
