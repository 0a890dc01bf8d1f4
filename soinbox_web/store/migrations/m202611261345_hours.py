"""What each account met in each hour: arrivals, how late they were, failures."""

from sqlite_utils import Database

SCHEMA = """
CREATE TABLE account_hours (
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  hour TEXT NOT NULL,
  arrived INTEGER NOT NULL DEFAULT 0,
  latest_seconds INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account_id, hour)
) STRICT, WITHOUT ROWID
"""


def apply(database: Database) -> None:
    """Create the table."""
    database.execute(SCHEMA)
