"""Copies of a database while it is in use (SQLite's backup API), each checked before it counts."""

import sqlite3
from pathlib import Path

from soinbox_web.problems import Problem, StoreError
from soinbox_web.store.database import Database


def copy(database: Database, target: Path) -> None:
    """Copy the file as it is now to `target`.

    StoreError file_unwritable when that cannot be made, database_damaged when the copy is not intact.
    """
    part = target.with_suffix(".part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
    except OSError as error:
        facts = {"path": str(target)}
        raise StoreError(Problem("file_unwritable", evidence=error.strerror or "", facts=facts)) from error
    copied = Database(part)
    try:
        database.connection().backup(copied.connection())
        close_log(copied)
        found = check(copied.connection())
    finally:
        copied.close()
    if found != "ok":
        raise StoreError(Problem("database_damaged", evidence=found, facts={"path": database.path.name}))
    part.chmod(0o600)
    part.replace(target)


def close_log(database: Database) -> None:
    """Bring all into the file itself, on the disk, so that it may be moved alone."""
    database.connection().execute("PRAGMA journal_mode=DELETE")


def check(connection: sqlite3.Connection, *, quick: bool = False) -> str:
    """ "ok", or what SQLite's integrity check says."""
    try:
        return str(
            connection.execute("PRAGMA quick_check" if quick else "PRAGMA integrity_check").fetchone()[0]
        )
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # a schema's text can be damaged too
        return str(error)
