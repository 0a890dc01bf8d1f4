"""The commands that change a mailbox; used only for what somebody asked for."""

import re
from collections.abc import Collection, Iterable

from soinbox_web.mail.imap.client import refuse_breaks
from soinbox_web.mail.imap.commands import (
    CommandRefused,
    Tagged,
    begin,
    check_ours,
    heard,
    quoted,
    refusal,
    run,
    translated,
)
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.imap.folders import uids_found
from soinbox_web.model import uid_set
from soinbox_web.problems import InputError, Problem

_COPYUID = re.compile(rb"\[COPYUID (\d{1,10}) ([\d:,]+) ([\d:,]+)\]", re.IGNORECASE)
_FLAG = re.compile(r"\\?[A-Za-z0-9$_.-]{1,100}")


def store_flags(
    connection: ImapConnection,
    uids: Iterable[int],
    *,
    add: Collection[str] = (),
    remove: Collection[str] = (),
) -> None:
    """Set and clear flags in the folder that is selected. Raises CommandRefused."""
    chosen = uid_set.write(uids)
    for sign, flags in (("+", add), ("-", remove)):
        if not all(_FLAG.fullmatch(flag) for flag in flags):
            raise InputError(Problem("input_invalid", facts={"detail": "flag"}))
        if flags:
            run(connection, "UID", "STORE", chosen, f"{sign}FLAGS.SILENT", f"({' '.join(flags)})")


Places = dict[int, tuple[int, int]]  # by old UID: UIDVALIDITY and UID where the message lies now


def move(connection: ImapConnection, uids: Collection[int], target: str) -> tuple[bool, Places]:
    """Move messages to a folder (wire name): MOVE (RFC 6851), else COPY and expunge.

    (False, …) when they could only be flagged \\Deleted where they were, for want of UIDPLUS. Their new
    places are known where the server tells them (COPYUID, RFC 4315).
    """
    if "MOVE" not in connection.capabilities:
        places = copy(connection, uids, target)
        return expunge(connection, uids), places
    done = run(connection, "UID", "MOVE", uid_set.write(uids), quoted(target))
    return True, _places([done.text, *(answer[0] for answer in done.answers)])


def copy(connection: ImapConnection, uids: Collection[int], target: str) -> Places:
    """Copy messages to a folder (wire name); where the copies lie, as far as the server tells."""
    return _places([run(connection, "UID", "COPY", uid_set.write(uids), quoted(target)).text])


def _places(lines: Iterable[bytes]) -> Places:
    for line in lines:
        if found := _COPYUID.search(line):
            try:
                old, new = (uid_set.read(part.decode(), 100_000) for part in (found[2], found[3]))
                return {a: (int(found[1]), b) for a, b in zip(old, new, strict=True)}
            except ValueError:
                return {}
    return {}


def expunge(connection: ImapConnection, uids: Collection[int]) -> bool:
    """Remove these messages for good, and no others; False when the server only lets us flag them."""
    store_flags(connection, uids, add=["\\Deleted"])
    if "UIDPLUS" not in connection.capabilities:
        return False
    run(connection, "UID", "EXPUNGE", uid_set.write(uids))
    return True


def create(connection: ImapConnection, wire: str) -> None:
    """Make a folder; one that is there already is fine."""
    try:
        run(connection, "CREATE", quoted(wire))
    except CommandRefused as error:
        if "ALREADYEXISTS" not in error.problem.evidence.upper():
            raise


def append(connection: ImapConnection, wire: str, message: bytes, flags: Collection[str]) -> None:
    """Add a message to a folder, dated now. Raises CommandRefused; other SoinboxErrors when it is unsure."""
    client = connection.client
    with translated(connection):
        client.literal = message  # type: ignore[assignment]  # imaplib sends it after the continuation
        tag = begin(client, "APPEND", quoted(wire), f"({' '.join(flags)})")
        for answer in heard(client, "APPEND"):
            if isinstance(answer, Tagged):
                check_ours(answer, (tag,))
                if not answer.ok:
                    raise refusal(answer)
                return


def find_message_id(connection: ImapConnection, message_id: str, size: int | None = None) -> list[int]:
    """UIDs in the folder that is open whose Message-ID (and size in bytes) is this one."""
    refuse_breaks(message_id)
    exactly = [] if size is None else ["LARGER", str(max(0, size - 1)), "SMALLER", str(size + 1)]
    asked = ("HEADER", "Message-ID", quoted(message_id))
    with connection.client.unhurried():
        return uids_found(run(connection, "UID", "SEARCH", *asked, *exactly).answers)
