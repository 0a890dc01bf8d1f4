"""Whole messages of the folder that is open, without marking them as read."""

from collections.abc import Iterable, Iterator

from soinbox_web.mail.answers import stream
from soinbox_web.mail.imap import ImapConnection
from soinbox_web.mail.tokens import pairs, tokens
from soinbox_web.model import uid_set

LARGEST = 50_000_000  # bytes; the client refuses longer literals


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
