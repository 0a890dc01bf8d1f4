"""Whole messages of the folder that is open, without marking them as read."""

from collections.abc import Iterable, Iterator

from soinbox_web.mail.imap.commands import Tally, stream
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.imap.envelope import uid_of
from soinbox_web.mail.imap.tokens import pairs, tokens
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
    for answer in stream(connection, "UID", "FETCH", uid_set.write(waiting), f"(UID {item})", passed=Tally()):
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


def fetch_bodies(connection: ImapConnection, asked: Iterable[int]) -> Iterator[tuple[int, bytes | None]]:
    """(UID, raw message) of those that are still there, each once; None for one beyond our caps, at the end.

    Raises SoinboxError.
    """
    waiting, too_large = set(asked), set[int]()
    answers = stream(
        connection, "UID", "FETCH", uid_set.write(waiting), "(UID BODY.PEEK[])",
        passed=lambda answer: too_large.add(uid_of(answer)),
    )  # fmt: skip
    for answer in answers:
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
    for uid in sorted(waiting & too_large if 0 not in too_large else waiting):
        yield uid, None


def fetch_beginning(connection: ImapConnection, uid: int, most: int) -> bytes | None:
    """The first `most` bytes of a message; None when it is gone. Raises SoinboxError."""
    found = None
    asked = ("UID", "FETCH", str(uid), f"(UID BODY.PEEK[]<0.{most}>)")
    for answer in stream(connection, *asked, passed=Tally()):
        try:
            items = pairs(tokens(answer)[2])
            raw = items["BODY[]<0>"]
            found = raw if int(items["UID"]) == uid and isinstance(raw, bytes) else found
        except (ValueError, IndexError, KeyError, TypeError, AttributeError):
            continue  # an answer about something else
    return found[:most] if found is not None else None
