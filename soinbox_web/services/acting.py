"""Acting: rows of `actions` are pushed to the server in order, many alike as one, and taken over here."""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from sqlite3 import Row
from typing import Any, NamedTuple

from soinbox_web.mail.imap import folders as server
from soinbox_web.mail.imap import mailbox_changes
from soinbox_web.mail.imap.bodies import LARGEST, fetch_bodies
from soinbox_web.mail.imap.commands import CommandRefused, NotNow
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.imap.folder_names import encode
from soinbox_web.model import backoff
from soinbox_web.model.account import Account
from soinbox_web.model.folder import Folder, Role
from soinbox_web.problems import Problem, SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.store import actions, changes, folders, locks, messages
from soinbox_web.store.actions import Action
from soinbox_web.store.database import Database

WORKER = "mailroom"
MERGED = 500  # actions in one command
ATTEMPTS = 8
ELSEWHERE = 0.2  # seconds to wait when another process pushes


@dataclass
class Desk:
    """What pushing works with; `touched` collects folders that hold something new now."""

    runtime: Runtime
    account: Account
    mailbox: Database
    connection: ImapConnection
    touched: set[str] = field(default_factory=set)
    came_to: dict[int, dict[str, Any]] = field(default_factory=dict)  # by action: where its message lies now


class Target(NamedTuple):
    """Where messages go: the folder's name here and on the wire."""

    name: str
    wire: str


def recover(runtime: Runtime, account_id: int | None = None) -> None:
    """What a dead process had claimed (for this account) is open again; who lives and pushes is left alone.

    So is what we had claimed ourselves when an error kept us from saying what became of it.
    """
    with runtime.db.read() as reading:
        claimed = actions.accounts_with_claimed(reading)
    if account_id is not None:
        claimed = [each for each in claimed if each == account_id]
    for account_id in claimed:
        with _pusher(runtime, account_id) as dead:
            if dead:
                with runtime.db.write() as writing:
                    actions.release_all(writing, account_id)


def push(runtime: Runtime, account: Account, connection: ImapConnection) -> set[str]:
    """Push what is due; the names of the folders to synchronise next. Nothing while another process does.

    A refusal is recorded with its row; one that passes by itself opens it again for later. Raises
    SoinboxError when the connection breaks; the rows are open again then.
    """
    with _pusher(runtime, account.id) as ours:
        if ours:
            return _push(runtime, account, connection)
    runtime.clock.sleep(ELSEWHERE)
    return set()


def _pusher(runtime: Runtime, account_id: int) -> AbstractContextManager[bool]:
    """Be the one who pushes this account's actions; False when somebody else is, and lives."""
    return locks.held(runtime.settings.instance / f"pushing-{account_id}.lock")


def _push(runtime: Runtime, account: Account, connection: ImapConnection) -> set[str]:
    with runtime.db.read() as reading:
        due = actions.due(reading, account.id, runtime.clock.now(), MERGED)
    if not due:
        return set()
    desk = Desk(runtime, account, runtime.mailbox(account.id, account.generation), connection)
    for _, alike in groupby(due, key=_likeness):
        group = list(alike)
        with runtime.db.write() as writing:
            claimed = [action for action in group if actions.claim(writing, action.id, WORKER)]
        if claimed:
            _push_group(desk, claimed)
    return desk.touched


def _likeness(action: Action) -> tuple[object, ...]:
    """Equal for actions that fit in one command."""
    if action.kind == "append":
        return ("append", action.id)
    return (action.kind, action.key.folder, action.key.uidvalidity, repr(sorted(action.arguments.items())))


def _push_group(desk: Desk, group: Sequence[Action]) -> None:
    try:
        _do(desk, group)
    except CommandRefused as error:
        if len(group) > 1:
            for action in group:
                _push_group(desk, [action])
            return
        _finish(desk, group, error.problem)
    except SoinboxError as error:
        _again(desk, group, error.problem)
        if not isinstance(error, NotNow):
            raise
    else:
        _finish(desk, group)


def _do(desk: Desk, group: Sequence[Action]) -> None:
    first = group[0]
    if first.kind == "append":
        _append(desk, first)
        return
    folder = _folder(desk, first.key.folder)
    target = None
    if first.kind in ("move", "copy"):
        target = _target(desk, first.arguments["folder"])
    elif first.kind == "delete":
        target = _for(desk, "trash", "Trash")
    if target is not None and target.wire == folder.wire and first.kind != "copy":
        return  # it lies there already; a second try would take it for its own copy
    status = server.select(desk.connection, folder.wire)
    if status.uidvalidity != first.key.uidvalidity:
        raise CommandRefused(Problem("message_gone", "imap"))
    uids = [action.key.uid for action in group]
    if first.kind == "flag":
        add, remove = first.arguments.get("add", ()), first.arguments.get("remove", ())
        mailbox_changes.store_flags(desk.connection, uids, add=add, remove=remove)
        _flagged(desk, folder, uids, add, remove)
    elif target is None:
        _left(desk, folder, uids, mailbox_changes.expunge(desk.connection, uids))
    else:
        _carry(desk, group, folder, target)
        desk.touched.add(target.name)


def _carry(desk: Desk, group: Sequence[Action], folder: Folder, target: Target) -> None:
    """Copy, move or delete into a folder; where each message came to is noted."""
    uids = [action.key.uid for action in group]
    copies = group[0].kind == "copy" or "MOVE" not in desk.connection.capabilities
    copied = copies and _copied_before(desk, group, folder, target)
    if group[0].kind == "copy":
        if not copied:
            mailbox_changes.copy(desk.connection, uids, target.wire)
        return
    known, places = _known(desk, folder, uids), mailbox_changes.Places()
    if copied:
        gone = mailbox_changes.expunge(desk.connection, uids)
    else:
        gone, places = mailbox_changes.move(desk.connection, uids, target.wire)
    _left(desk, folder, uids, gone)
    for action in group:
        validity, uid = places.get(action.key.uid, (0, 0))
        told = {"folder": target.name, "uidvalidity": validity, "uid": uid}
        desk.came_to[action.id] = {**told, **known.get(action.key.uid, {})}


def _known(desk: Desk, folder: Folder, uids: Sequence[int]) -> dict[int, dict[str, str]]:
    """What names these messages wherever they go: Message-ID and subject."""
    with desk.mailbox.read() as connection:
        rows = [messages.find(connection, folder.name, folder.uidvalidity, uid) for uid in uids]
    return {row["uid"]: {"message_id": row["message_id"], "subject": row["subject"]} for row in rows if row}


def _copied_before(desk: Desk, group: Sequence[Action], folder: Folder, target: Target) -> bool:
    """A try that broke off may have copied already: True when all of the group is there, byte for byte."""
    if not any(action.attempts for action in group):
        return False
    with desk.mailbox.read() as connection:
        rows = [messages.find(connection, folder.name, a.key.uidvalidity, a.key.uid) for a in group]
    wholes = _digests(desk, [row["uid"] for row in rows if row is not None and row["size"] <= LARGEST])
    server.examine(desk.connection, target.wire)
    there = all(row is not None and _lies_here(desk, row, wholes.get(row["uid"])) for row in rows)
    server.select(desk.connection, folder.wire)
    return there


def _lies_here(desk: Desk, row: Row, whole: bytes | None) -> bool:
    """In the folder that is open is a message like this, with these bytes unless it is too large to look."""
    if not row["message_id"]:
        return False
    alike = mailbox_changes.find_message_id(desk.connection, row["message_id"], row["size"])
    if row["size"] > LARGEST or not alike:
        return bool(alike)
    return whole in _digests(desk, alike).values()


def _digests(desk: Desk, uids: Sequence[int]) -> dict[int, bytes]:
    """Of whole messages in the folder that is open; someone else's may bear the same Message-ID and size."""
    found = fetch_bodies(desk.connection, uids) if uids else ()
    return {uid: hashlib.sha256(raw).digest() for uid, raw in found if raw is not None}


def _append(desk: Desk, action: Action) -> None:
    """Add a message, once: whenever it may be there already, it is looked for first."""
    target = _target(desk, action.key.folder) if action.key.folder else _for(desk, "sent", "Sent")
    with desk.runtime.db.read() as connection:
        content = actions.content(connection, action.id)
    message_id = action.arguments.get("message_id", "")
    if message_id and (action.arguments.get("look_first") or action.attempts > 0):
        server.examine(desk.connection, target.wire)
        if mailbox_changes.find_message_id(desk.connection, message_id):
            desk.touched.add(target.name)
            return
    mailbox_changes.append(desk.connection, target.wire, content, action.arguments.get("flags", ()))
    desk.touched.add(target.name)


# What the server agreed to, here.


def _flagged(
    desk: Desk, folder: Folder, uids: Sequence[int], add: Iterable[str], remove: Iterable[str]
) -> None:
    with desk.mailbox.write() as connection:
        stored = messages.uid_flags(connection, folder.id, uids)
        changed = {uid: (stored[uid] | set(add)) - set(remove) for uid in uids if uid in stored}
        messages.set_flags(connection, folder.id, changed)
        _record(desk, connection, folder)


def _left(desk: Desk, folder: Folder, uids: Sequence[int], gone: bool) -> None:
    if not gone:
        _flagged(desk, folder, uids, ["\\Deleted"], ())
        return
    with desk.mailbox.write() as connection:
        messages.remove(connection, folder.id, uids)
        _record(desk, connection, folder)


def _record(desk: Desk, connection: object, folder: Folder) -> None:
    now = desk.runtime.clock.now()
    changes.record(connection, "folder", now, account_id=desk.account.id, detail=folder.name)  # type: ignore[arg-type]


def _finish(desk: Desk, group: Sequence[Action], problem: Problem | None = None) -> None:
    with desk.runtime.db.write() as connection:
        for action in group:
            came_to = None if problem else desk.came_to.get(action.id)
            actions.finish(connection, action.id, desk.runtime.clock.now(), problem, came_to)


def _again(desk: Desk, group: Sequence[Action], problem: Problem) -> None:
    """Open again for later; given up after many attempts."""
    now = desk.runtime.clock.now()
    with desk.runtime.db.write() as connection:
        for action in group:
            over = action.attempts + 1 >= ATTEMPTS or problem.retry != "later"
            if over and problem.code not in backoff.OURS:  # those say nothing of the server
                actions.finish(connection, action.id, now, problem)
                continue
            retry = backoff.next_try(problem, action.attempts + 1, now, 0.0) or now + timedelta(minutes=15)
            actions.release(connection, action.id, retry)


# Folders: as they are known here, else as the server lists them, else made.


def _folder(desk: Desk, name: str) -> Folder:
    """The folder that a message lies in."""
    with desk.mailbox.read() as connection:
        folder = folders.by_name(connection, name)
    if folder is None:
        raise _missing(name)
    return folder


def _target(desk: Desk, name: str) -> Target:
    with desk.mailbox.read() as connection:
        here = folders.by_name(connection, name)
    found = here or next(
        (each for each in server.list_folders(desk.connection).folders if each.name == name), None
    )
    if found is None or not found.selectable:
        raise _missing(name)
    return Target(name, found.wire)


def _for(desk: Desk, role: Role, name: str) -> Target:
    """The folder with this role; an account without one gets one called `name`."""
    with desk.mailbox.read() as connection:
        here = folders.by_role(connection, role)
    found = here or next(
        (each for each in server.list_folders(desk.connection).folders if each.role == role), None
    )
    if found is None:
        wire = encode(name, utf8=desk.connection.utf8)
        mailbox_changes.create(desk.connection, wire)
        return Target(name, wire)
    return Target(found.name, found.wire)


def _missing(name: str) -> CommandRefused:
    return CommandRefused(Problem("folder_missing", "imap", facts={"folder": name}))
