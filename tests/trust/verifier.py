"""The verifier: a mailbox file beside its server, and what was asked for beside what was done.

It looks at the server with the standard library alone, so that a fault of the product's own reading shows.
"""

import imaplib
import re
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from soinbox_web.mail.imap.folder_names import decode
from soinbox_web.model.account import Account
from soinbox_web.runtime import Runtime
from soinbox_web.store import folders, messages

Flags = frozenset[str]


class Server(Protocol):
    """Whatever lets one look into a mailbox."""

    def signed_in(self, address: str) -> AbstractContextManager[imaplib.IMAP4_SSL]:
        """A client of the standard library, signed in."""
        ...


_LIST = re.compile(rb'\(([^)]*)\) "?[^" ]*"? (?:"((?:[^"\\]|\\.)*)"|(\S+))')
_FETCHED = re.compile(rb"\d+ \((?:UID (\d+) FLAGS \(([^)]*)\)|FLAGS \(([^)]*)\) UID (\d+))")
_MESSAGE_ID = re.compile(rb"(?im)^message-id:\s*(<[^>]*>)")


def server_side(server: Server, address: str) -> dict[str, dict[int, Flags]]:
    """Folder by folder the flags of every UID that the server holds."""
    found: dict[str, dict[int, Flags]] = {}
    with server.signed_in(address) as client:
        for name, wire in _folders(client):
            client.select(wire, readonly=True)
            found[name] = {}
            for item in client.uid("FETCH", "1:*", "(FLAGS)")[1]:
                if isinstance(item, bytes) and (read := _FETCHED.match(item)):
                    flags = (read[2] or read[3] or b"").decode().split()
                    found[name][int(read[1] or read[4])] = frozenset(flags) - {"\\Recent"}
    return found


def message_ids(server: Server, address: str) -> Counter[tuple[str, str]]:
    """How often each message (by Message-ID) lies in each folder."""
    counted: Counter[tuple[str, str]] = Counter()
    with server.signed_in(address) as client:
        for name, wire in _folders(client):
            client.select(wire, readonly=True)
            for item in client.uid("FETCH", "1:*", "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")[1]:
                if isinstance(item, tuple) and (read := _MESSAGE_ID.search(item[1])):
                    counted[name, read[1].decode()] += 1
    return counted


def file_side(runtime: Runtime, account: Account) -> dict[str, dict[int, Flags]]:
    """The same of the mailbox file."""
    with runtime.mailbox(account.id, account.generation).read() as connection:
        return {
            folder.name: messages.uid_flags(connection, folder.id)
            for folder in folders.listing(connection)
            if folder.selectable
        }


def differences(runtime: Runtime, account: Account, server: Server) -> list[str]:
    """What is not as it should be, in words; empty when the file equals the server and is sound."""
    there, here = server_side(server, account.address), file_side(runtime, account)
    wrong = [f"folder {name!r} is not here" for name in there.keys() - here.keys()]
    wrong += [f"folder {name!r} is not on the server" for name in here.keys() - there.keys()]
    for name in there.keys() & here.keys():
        theirs, ours = there[name], here[name]
        wrong += [f"{name}: lost UID {uid}" for uid in theirs.keys() - ours.keys()]
        wrong += [f"{name}: UID {uid} is gone from the server" for uid in ours.keys() - theirs.keys()]
        wrong += [
            f"{name}: UID {uid} has {sorted(ours[uid])}, on the server {sorted(theirs[uid])}"
            for uid in theirs.keys() & ours.keys()
            if theirs[uid] != ours[uid]
        ]
    return wrong + unsound(runtime, account)


def unsound(runtime: Runtime, account: Account) -> list[str]:
    """What is wrong inside the two files, whatever the server holds."""
    wrong = []
    with runtime.mailbox(account.id, account.generation).read() as connection:
        for folder in folders.listing(connection):
            rows = connection.execute(
                "SELECT count(*), count(DISTINCT uid), sum(seen = 0) FROM messages WHERE folder_id = ?",
                (folder.id,),
            ).fetchone()
            if rows[0] != rows[1]:
                wrong.append(f"{folder.name}: a UID is stored twice")
            if (folder.stored, folder.unread) != (rows[0], rows[2] or 0):
                wrong.append(
                    f"{folder.name}: counts {folder.stored}, {folder.unread} for {rows[0]}, {rows[2]}"
                )
        for table, column in (("search", "rowid"), ("bodies", "message_rowid")):
            orphans = connection.execute(
                f"SELECT count(*) FROM {table} WHERE {column} NOT IN (SELECT id FROM messages)"
            ).fetchone()[0]
            if orphans:
                wrong.append(f"{table}: {orphans} rows without their message")
        missing = connection.execute(
            "SELECT count(*) FROM messages WHERE id NOT IN (SELECT rowid FROM search)"
        ).fetchone()[0]
        if missing:
            wrong.append(f"search: {missing} messages are not in it")
        aside = connection.execute("SELECT count(*) FROM set_aside").fetchone()[0]
        if aside:
            wrong.append(f"{aside} messages are set aside")
        state = connection.execute("PRAGMA quick_check").fetchone()[0]
        if state != "ok":
            wrong.append(f"mailbox file: {state}")
    with runtime.db.read() as connection:
        state = connection.execute("PRAGMA integrity_check").fetchone()[0]
        if state != "ok" or connection.execute("PRAGMA foreign_key_check").fetchall():
            wrong.append(f"precious file: {state}")
    return wrong


def undone(runtime: Runtime, account: Account) -> list[str]:
    """Actions that did not come to an end: neither done nor failed with a reason."""
    with runtime.db.read() as connection:
        rows = connection.execute(
            "SELECT id, kind, state, problem FROM actions WHERE account_id = ? AND state <> 'done'"
            " AND (state <> 'failed' OR problem IS NULL)",
            (account.id,),
        ).fetchall()
    return [f"action {row['id']} ({row['kind']}) is {row['state']}: {row['problem']}" for row in rows]


def failed_kinds(runtime: Runtime, account: Account) -> frozenset[str]:
    """Actions that ended with a problem, by kind: told, so neither lost nor doubled."""
    with runtime.db.read() as connection:
        rows = connection.execute(
            "SELECT kind FROM actions WHERE account_id = ? AND state = 'failed' AND problem IS NOT NULL",
            (account.id,),
        ).fetchall()
    return frozenset(row["kind"] for row in rows)


def misplaced(
    server: Server, address: str, expected: Mapping[tuple[str, str], int], free: Collection[str] = ()
) -> list[str]:
    """Messages that are not exactly where they should be, exactly as often.

    `free`: Message-IDs of actions that ended with a problem; they may or may not have been carried out.
    """
    found = message_ids(server, address)
    wrong = [
        f"{key[1]} is {found[key]} times in {key[0]}, not {expected.get(key, 0)}"
        for key in sorted(found.keys() | expected.keys())
        if found[key] != expected.get(key, 0) and key[1] not in free
    ]
    for message_id in free:
        there, most = (sum(n for key, n in c.items() if key[1] == message_id) for c in (found, expected))
        if not (most > there > 0 or most == there):
            wrong.append(f"{message_id} is there {there} times, not {most}")
    return wrong


def sizes(path: Path) -> int:
    """Bytes of a mailbox file and its log."""
    return sum(part.stat().st_size for part in path.parent.glob(path.name + "*"))


def _folders(client: imaplib.IMAP4) -> list[tuple[str, str]]:
    """(decoded name, name to select) of every folder that can be opened."""
    found = []
    for line in client.list()[1]:
        read = _LIST.match(line) if isinstance(line, bytes) else None
        if read is not None and b"\\noselect" not in read[1].lower():
            raw = read[2] if read[2] is not None else read[3]
            found.append((decode(raw), b'"'.decode() + raw.decode() + '"'))
    return found
