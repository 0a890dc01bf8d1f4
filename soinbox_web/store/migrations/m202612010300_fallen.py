"""Accounts give signs of life; the parts of the product that fell are known to all its processes."""

from sqlite_utils import Database

SCHEMA = """
CREATE TABLE fallen (
  part TEXT NOT NULL PRIMARY KEY,
  count INTEGER NOT NULL,
  again_at TEXT NOT NULL
) STRICT, WITHOUT ROWID
"""


def apply(database: Database) -> None:
    """A column and a table more."""
    database.execute("ALTER TABLE account_status ADD COLUMN alive_at TEXT")
    database.execute(SCHEMA)
