"""Whole messages of the folder that is open, without marking them as read."""

from collections.abc import Iterable, Iterator

from soinbox_web.mail.answers import stream
from soinbox_web.mail.imap import ImapConnection
from soinbox_web.mail.tokens import pairs, tokens
from soinbox_web.model import uid_set

LONGEST_ID = 255  # characters
LARGEST = 50_000_000  # bytes; the client refuses longer literals


def object_ids(connection: ImapConnection, asked: Iterable[int]) -> dict[int, str]:
    """By UID what names a message in whichever folder it lies: EMAILID (RFC 8474), X-GM-MSGID at Gmail.

    Nothing where the server offers neither. Raises SoinboxError.
    """
    offered = connection.capabilities
    item = "EMAILID" if "OBJECTID" in offered else "X-GM-MSGID" if "X-GM-EXT-1" in offered else ""
    waiting, found = set(asked), dict[int, str]()
    if not item or not waiting:
        return found
    for answer in stream(connection, "UID", "FETCH", uid_set.write(waiting), f"(UID {item})"):
        try:
            items = pairs(tokens(answer)[2])
            uid, told = int(items["UID"]), items[item]
        except (ValueError, IndexError, KeyError, TypeError, AttributeError):
            continue  # an answer about something else
        name = told[0] if isinstance(told, list) and told else told
        if uid in waiting and isinstance(name, str) and len(name) <= LONGEST_ID:
            waiting.discard(uid)
            connection.client.go_on()
            found[uid] = name
    return found


def fetch_bodies(connection: ImapConnection, asked: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """(UID, raw message) of those that are still there, each once. Raises SoinboxError."""
    waiting = set(asked)
    for answer in stream(connection, "UID", "FETCH", uid_set.write(waiting), "(UID BODY.PEEK[])"):
        try:
            items = pairs(tokens(answer)[2])
            uid = int(items["UID"])
            raw = items["BODY[]"]
        except (ValueError, IndexError, KeyError, TypeError, AttributeError):
            continue  # an answer about something else
        if uid in waiting:
            waiting.discard(uid)
            connection.client.go_on()
            yield uid, raw if isinstance(raw, bytes) else b""
