"""Searching: what the command line finds, and what the server is asked for because it is not here."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from soinbox_web.clock import timestamp
from soinbox_web.mail.imap import folders as server
from soinbox_web.mail.imap.commands import CommandRefused, Unavailable
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.model.account import Account
from soinbox_web.model.folder import Folder
from soinbox_web.model.listing import Coverage
from soinbox_web.model.message import Correspondent, MessageKey
from soinbox_web.runtime import Runtime
from soinbox_web.store import changes, folders, messages, requests, search

SHOWN = 100
FRESH = timedelta(minutes=2)  # an answer of the server is good for so long
KEPT = timedelta(minutes=30)
MOST = 2_000  # messages that one folder's answer may bring, the newest


def coverage(runtime: Runtime, account: Account, folder: Folder | None, text: str) -> Coverage:
    """How far a search in a folder, or in all (None), has got; the server is asked by a row if need be."""
    with runtime.mailbox(account.id, account.generation).read() as connection:
        unread = search.unread_texts(connection, folder.id if folder else None)
    if not unread or not search.words(text):
        return Coverage("here")
    subject = json.dumps([folder.name if folder else "", text])
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        last = requests.last(connection, account.id, "search", subject, now - FRESH)
        if last is None:
            requests.ask(connection, account.id, "search", subject, now)
    if last is None or last.state == "open":
        return Coverage("asking", unread)
    return Coverage("refused" if last.problem else "asked", unread, last.problem)


def coverage_of(runtime: Runtime, found: Sequence[Account], folder: Folder | None, text: str) -> Coverage:
    """The same of several accounts: what is least known counts."""
    every = [coverage(runtime, account, folder, text) for account in found]
    rank = ("here", "asked", "refused", "asking")
    worst = max(every, key=lambda each: rank.index(each.state), default=Coverage("here"))
    return replace(worst, unread=sum(each.unread for each in every))


def answer(
    runtime: Runtime, account: Account, connection: ImapConnection, subject: str
) -> dict[str, list[int]]:
    """Ask the server (UID SEARCH TEXT, RFC 9051 section 6.4.4) and keep what it finds.

    Returns the UIDs of each folder that are not here yet, for whoever fetches them. Raises CommandRefused
    or Unavailable when the one folder could not be searched, other SoinboxErrors when the connection breaks.
    """
    name, text = json.loads(subject)
    mailbox = runtime.mailbox(account.id, account.generation)
    now = runtime.clock.now()
    with mailbox.write() as writing:
        search.forget_found(writing, timestamp(now - KEPT))
        held = [folder for folder in folders.listing(writing) if folder.selectable and folder.total]
    missing: dict[str, list[int]] = {}
    for folder in [each for each in held if not name or each.name == name]:
        try:
            status = server.examine(connection, folder.wire).status
            uids = server.text_search(connection, search.words(text))[-MOST:]
        except (CommandRefused, Unavailable):
            if name:
                raise
            continue  # what the other folders hold is worth having
        if status.uidvalidity != folder.uidvalidity:
            continue
        with mailbox.write() as writing:
            search.keep_found(writing, text, folder.id, uids, timestamp(now))
            here = set(messages.uids_among(writing, folder.id, uids))
            changes.record(writing, "folder", now, account_id=account.id, detail=folder.name)
        if lacking := [uid for uid in uids if uid not in here]:
            missing[folder.name] = lacking
    return missing


def search_json(runtime: Runtime, account: Account, text: str) -> dict[str, Any]:
    """The newest messages of one account that have every word; `total` counts all."""
    started = runtime.clock.monotonic()
    with runtime.mailbox(account.id, account.generation).read() as connection:
        found = search.Search(connection, text)
        total, rows = found.count(), found.rows(limit=SHOWN)
    return {
        "total": total,
        "messages": [
            {
                "id": str(MessageKey(account.id, row["folder"], row["uidvalidity"], row["uid"])),
                "folder": row["folder"],
                "subject": row["subject"],
                "from": str(Correspondent(row["sender_name"], row["sender_address"])),
                "date": row["date"] or row["internal_date"],
                "snippet": row["snippet"],
            }
            for row in rows
        ],
        "seconds": round(runtime.clock.monotonic() - started, 6),
    }
