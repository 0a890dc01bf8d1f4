"""The schema of a mailbox file: a copy of what the server holds, thrown away when it changes."""

import sqlite3
from pathlib import Path

from soinbox_web.store.database import Database

VERSION = 7

SCHEMA = """
CREATE TABLE IF NOT EXISTS folders (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  wire TEXT NOT NULL,
  delimiter TEXT NOT NULL DEFAULT '',
  role TEXT NOT NULL DEFAULT '',
  selectable INTEGER NOT NULL DEFAULT 1,
  uidvalidity INTEGER NOT NULL DEFAULT 0,
  uidnext INTEGER NOT NULL DEFAULT 0,
  highestmodseq INTEGER NOT NULL DEFAULT 0,
  total INTEGER NOT NULL DEFAULT 0,
  stored INTEGER NOT NULL DEFAULT 0,
  aside INTEGER NOT NULL DEFAULT 0,
  unread INTEGER NOT NULL DEFAULT 0,
  rebuilds INTEGER NOT NULL DEFAULT 0,
  synced_at TEXT NOT NULL DEFAULT '',
  swept_at TEXT NOT NULL DEFAULT '',
  problem TEXT
) STRICT;

-- id is ordered by date (store/messages.py), so a page, a search and a keyset need no other order.
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY,
  folder_id INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
  uid INTEGER NOT NULL,
  sort_at TEXT NOT NULL,
  flags TEXT NOT NULL,
  seen INTEGER NOT NULL,
  size INTEGER NOT NULL,
  date TEXT,
  internal_date TEXT,
  subject TEXT NOT NULL,
  sender_name TEXT NOT NULL,
  sender_address TEXT NOT NULL,
  sort_sender TEXT NOT NULL,
  sort_subject TEXT NOT NULL,
  correspondents TEXT NOT NULL,
  message_id TEXT NOT NULL,
  in_reply_to TEXT NOT NULL,
  reference_ids TEXT NOT NULL,
  thread_id INTEGER,
  preview TEXT,
  has_attachments INTEGER NOT NULL,
  has_invitation INTEGER NOT NULL,
  UNIQUE (folder_id, uid)
) STRICT;
CREATE INDEX IF NOT EXISTS messages_by_date ON messages(folder_id);
CREATE INDEX IF NOT EXISTS messages_unread ON messages(folder_id) WHERE seen = 0;
CREATE INDEX IF NOT EXISTS messages_with_attachment ON messages(folder_id) WHERE has_attachments = 1;
CREATE INDEX IF NOT EXISTS messages_never_read_whole ON messages(folder_id) WHERE preview IS NULL;
CREATE INDEX IF NOT EXISTS messages_by_sender ON messages(folder_id, sort_sender);
CREATE INDEX IF NOT EXISTS messages_by_subject ON messages(folder_id, sort_subject);
CREATE INDEX IF NOT EXISTS messages_by_message_id ON messages(message_id);
CREATE INDEX IF NOT EXISTS messages_by_thread ON messages(thread_id);

CREATE TABLE IF NOT EXISTS thread_links (
  message_id TEXT PRIMARY KEY,
  thread_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS thread_links_by_thread ON thread_links(thread_id);

CREATE TABLE IF NOT EXISTS bodies (
  message_rowid INTEGER PRIMARY KEY REFERENCES messages(id) ON DELETE CASCADE,
  packed BLOB NOT NULL,
  size INTEGER NOT NULL,
  fetched_at TEXT NOT NULL,
  object_id TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS bodies_by_size ON bodies(size);
CREATE INDEX IF NOT EXISTS bodies_by_object ON bodies(object_id) WHERE object_id IS NOT NULL;

-- Bodies whose text there was no time to read, for the machine was too busy: it is read when there is.
CREATE TABLE IF NOT EXISTS unread_texts (
  message_rowid INTEGER PRIMARY KEY REFERENCES bodies(message_rowid) ON DELETE CASCADE
) STRICT;

-- Bodies of messages that left their folder, for a while: the same message may turn up in another one.
CREATE TABLE IF NOT EXISTS loose_bodies (
  object_id TEXT PRIMARY KEY,
  packed BLOB NOT NULL,
  size INTEGER NOT NULL,
  text TEXT NOT NULL
) STRICT;

-- Bodies of a folder that is built anew (UIDVALIDITY changed), until their messages are here again.
CREATE TABLE IF NOT EXISTS kept_bodies (
  folder_id INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
  message_id TEXT NOT NULL,
  message_size INTEGER NOT NULL,
  date TEXT,
  packed BLOB NOT NULL,
  size INTEGER NOT NULL,
  text TEXT NOT NULL,
  fetched_at TEXT NOT NULL
) STRICT;

-- Messages that are not fetched: what cannot be had until another version tries, or (version '') older than
-- the account's horizon. `reason` is a code (store/skipped_messages.py); `day` is when the connection
-- broke over it; the rest is its name as far as it is known, and the beginning of its source for a while.
CREATE TABLE IF NOT EXISTS set_aside (
  folder_id INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
  uid INTEGER NOT NULL,
  reason TEXT NOT NULL,
  version TEXT NOT NULL,
  day TEXT NOT NULL DEFAULT '',
  sender TEXT NOT NULL DEFAULT '',
  subject TEXT NOT NULL DEFAULT '',
  date TEXT,
  size INTEGER NOT NULL DEFAULT 0,
  source BLOB,
  PRIMARY KEY (folder_id, uid)
) STRICT;

-- What the server itself found for a query, for a while (store/search.py).
CREATE TABLE IF NOT EXISTS found (
  query TEXT NOT NULL,
  folder_id INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
  uid INTEGER NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (query, folder_id, uid)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS facts (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  topic TEXT NOT NULL,
  user_id INTEGER,
  account_id INTEGER,
  detail TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5 (
  subject, correspondents, body, tokenize="unicode61 remove_diacritics 2"
);
CREATE VIRTUAL TABLE IF NOT EXISTS search_terms USING fts5vocab(search, instance);
"""


VIRTUAL = ("search", "search_terms")


def create(connection: sqlite3.Connection) -> None:
    """Make the tables of a fresh file; one of another version is left as it is (`is_current` tells)."""
    if connection.execute("PRAGMA user_version").fetchone()[0] not in (0, VERSION):
        return
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version={VERSION}")


def is_current(connection: sqlite3.Connection) -> bool:
    """This version of the product made the file; another's is thrown away and fetched again."""
    return bool(connection.execute("PRAGMA user_version").fetchone()[0] == VERSION)


def is_whole(connection: sqlite3.Connection) -> bool:
    """Whether everything in a file of this version can be read; costs reading all of it.

    Raises what reading it raises. Called within a write, which the search index asks for.
    """
    if connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
        return False
    blank = Database(Path(":memory:"))
    try:
        create(blank.connection())
        if _layout(blank.connection()) != _layout(connection):
            return False
    finally:
        blank.close()
    for name in (row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")):
        if name not in VIRTUAL:
            for _ in connection.execute(f'SELECT * FROM "{name}"'):  # noqa: S608
                continue
    connection.execute("INSERT INTO search (search) VALUES ('integrity-check')")
    return True


def _layout(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%'")
    return {(row[0], row[1] or "") for row in rows}
