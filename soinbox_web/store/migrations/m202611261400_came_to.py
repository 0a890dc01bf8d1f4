"""Where a message that was moved lies now, so that it can be brought back (COPYUID, RFC 4315)."""

from sqlite_utils import Database


def apply(database: Database) -> None:
    """Add the column: JSON with folder, uidvalidity, uid, message_id and subject."""
    database.execute("ALTER TABLE actions ADD COLUMN came_to TEXT")
