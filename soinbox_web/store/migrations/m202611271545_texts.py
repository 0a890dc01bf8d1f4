"""The texts of the messages on a page can be asked for."""

from sqlite_utils import Database

SCHEMA = """
CREATE TABLE requests (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('body', 'refresh', 'open_folder', 'search', 'texts')),
  subject TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'failed')),
  problem TEXT,
  created_at TEXT NOT NULL,
  finished_at TEXT
) STRICT
"""


def apply(database: Database) -> None:
    """One kind more; what is asked at this moment stays asked."""
    database.execute("ALTER TABLE requests RENAME TO requests_before")
    database.execute(SCHEMA)
    database.execute("INSERT INTO requests SELECT * FROM requests_before")
    database.execute("DROP TABLE requests_before")
    database.execute("CREATE INDEX requests_open ON requests(state, account_id)")
