"""Triage: mark, move, copy and delete messages, as rows that the mailroom pushes and lists show at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from soinbox_web.clock import moment, timestamp
from soinbox_web.model.account import Account
from soinbox_web.model.folder import Role
from soinbox_web.model.message import MessageKey
from soinbox_web.problems import AccessError, Problem
from soinbox_web.runtime import Runtime
from soinbox_web.store import accounts, actions, folders, messages
from soinbox_web.store.actions import Removal
from soinbox_web.store.overlay import Overlay

Verb = Literal["read", "unread", "flag", "unflag", "delete", "move", "copy"]
VERBS: tuple[Verb, ...] = ("read", "unread", "flag", "unflag", "delete", "move", "copy")

HELD = timedelta(seconds=13)  # before a removal or a copy is pushed
KEPT = timedelta(days=1)  # a removal can be taken back for so long
UNDO = timedelta(seconds=10)  # as long as *Undo* is shown

_FLAGS: Mapping[str, Mapping[str, list[str]]] = {
    "read": {"add": ["\\Seen"], "remove": []},
    "unread": {"add": [], "remove": ["\\Seen"]},
    "flag": {"add": ["\\Flagged"], "remove": []},
    "unflag": {"add": [], "remove": ["\\Flagged"]},
}


@dataclass(frozen=True, slots=True)
class Undoable:
    """What one click moved, copied, deleted or marked and can be taken back."""

    ids: tuple[int, ...]
    kind: Literal["move", "copy", "delete", "expunge", "read", "unread", "flag", "unflag"]
    folder: str  # where they go (move, copy), else ""
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Recent:
    """A removal of the last day: `folder` is where the message was, `to` where it went ("" for good)."""

    id: int
    kind: Literal["move", "delete", "expunge"]
    subject: str
    folder: str
    role: Role  # of that folder
    to: str
    to_role: Role
    at: datetime


def act(
    runtime: Runtime, user_id: int, keys: Sequence[MessageKey], verb: Verb, folder: str = ""
) -> list[int]:
    """Do `verb` to messages; the ids of the rows. AccessError not_found: foreign message, no folder.

    Of many that are marked at once only those get a row whose mark changes: that is what is taken back.
    """
    owned = _owned(runtime, user_id, keys)
    many = verb in _FLAGS and len(set(keys)) > 1
    if many:
        keys = _changing(runtime, owned, keys, verb)
    if verb in ("move", "copy"):
        _check_target(runtime, owned, folder)
    in_trash = {each.id: _trash(runtime, each) for each in owned.values()} if verb == "delete" else {}
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        open_now = [action for each in owned for action in actions.open_of(connection, each)]
        gone = {action.key for action in open_now if action.removes}
        if verb == "copy":  # a second click is no second copy
            gone |= {a.key for a in open_now if a.kind == "copy" and a.arguments["folder"] == folder}
        ids = []
        for key in dict.fromkeys(keys):
            if key in gone or (verb == "move" and folder == key.folder):
                continue
            kind, arguments = _row(verb, key, folder, in_trash.get(key.account_id, ""))
            if many:
                arguments = {**arguments, "undo": True}
            held = now if kind == "flag" else now + HELD
            ids.append(actions.add(connection, user_id, kind, key, now, arguments=arguments, not_before=held))
        return ids


def mark_read(runtime: Runtime, user_id: int, key: MessageKey) -> None:
    """Opening a message marks it as read; nothing when it is."""
    act(runtime, user_id, [key], "read")


def is_final(runtime: Runtime, user_id: int, keys: Sequence[MessageKey]) -> bool:
    """Deleting any of these would be for good, since it lies in the Trash."""
    owned = _owned(runtime, user_id, keys)
    trashes = {each.id: _trash(runtime, each) for each in owned.values()}
    return any(trashes[key.account_id] == key.folder for key in keys)


def undoable(runtime: Runtime, user_id: int) -> Undoable | None:
    """The last removal, copy or mark of many, while it is young enough to be taken back."""
    now = runtime.clock.now()
    with runtime.db.read() as connection:
        young = actions.undoable_since(connection, user_id, timestamp(now - UNDO))
    if not young:
        return None
    last = young[-1]
    same = tuple(each.id for each in young if each.not_before == last.not_before)
    marked = last.kind == "flag"
    created = datetime.fromisoformat(last.not_before) - (timedelta() if marked else HELD)
    left = (created + UNDO - now).total_seconds()
    kind = _verb(last) if marked else last.kind
    return Undoable(same, kind, last.arguments.get("folder", ""), left)  # type: ignore[arg-type]


def recent(runtime: Runtime, user_id: int) -> list[Recent]:
    """What a user moved or deleted within the last day and can have back, newest first."""
    since = timestamp(runtime.clock.now() - KEPT)
    with runtime.db.read() as connection:
        found = actions.removals(connection, user_id, since)
    return [_recent(runtime, removal) for removal in found]


def undo(runtime: Runtime, user_id: int, ids: Sequence[int]) -> int:
    """Take removals back: those not told to the server yet, and those that it has carried out; how many.

    A message that went on from where it was put stays where it is.
    """
    now = runtime.clock.now()
    with runtime.db.read() as connection:
        every = actions.removals(connection, user_id, "", 1_000_000)
    wanted = {removal.action.id: removal for removal in every if removal.action.id in ids}
    places = {number: _place(runtime, removal) for number, removal in wanted.items()}
    with runtime.db.write() as connection:
        back = actions.cancel(connection, user_id, ids, now)
        for mark in filter(None, [actions.unmark(connection, user_id, number) for number in ids]):
            opposite = {"add": mark.arguments["remove"], "remove": mark.arguments["add"]}
            actions.add(connection, user_id, "flag", mark.key, now, arguments=opposite)
            back += 1
        for number, place in places.items():
            if place is not None and actions.brought_back(connection, number):
                home = {"folder": wanted[number].action.key.folder}
                actions.add(connection, user_id, "move", place, now, arguments=home)
                back += 1
    return back


def _changing(
    runtime: Runtime, owned: Mapping[int, Account], keys: Sequence[MessageKey], verb: Verb
) -> list[MessageKey]:
    """Those of these messages whose flags `verb` changes."""
    add, remove = (set(_FLAGS[verb][each]) for each in ("add", "remove"))
    found = []
    for account in owned.values():
        with runtime.db.read() as reading:
            overlay = Overlay(actions.open_of(reading, account.id))
        with runtime.mailbox(account.id, account.generation).read() as connection:
            for key in [each for each in dict.fromkeys(keys) if each.account_id == account.id]:
                row = messages.find(connection, key.folder, key.uidvalidity, key.uid)
                place = (key.folder, key.uidvalidity, key.uid)
                flags = overlay.flags(place, messages.flags(row)) if row else frozenset()
                if row and (flags | add) - remove != flags:
                    found.append(key)
    return found


def _verb(mark: actions.Action) -> str:
    """What a row of marking did."""
    given = {each: mark.arguments[each] for each in ("add", "remove")}
    return next(verb for verb, flags in _FLAGS.items() if flags == given)


def _recent(runtime: Runtime, removal: Removal) -> Recent:
    action, told = removal.action, removal.came_to
    to = told["folder"] if told else action.arguments.get("folder", "")
    with runtime.db.read() as reading:
        account = accounts.read(reading, action.key.account_id)
    with runtime.mailbox(account.id, account.generation).read() as connection:
        row = messages.find(connection, action.key.folder, action.key.uidvalidity, action.key.uid)
        here, there = (folders.by_name(connection, name) for name in (action.key.folder, to))
    subject = told.get("subject", "") if told else row["subject"] if row else ""
    return Recent(
        action.id, action.kind, subject,  # type: ignore[arg-type]
        action.key.folder, here.role if here else "", to, there.role if there else "", moment(removal.at),
    )  # fmt: skip


def _place(runtime: Runtime, removal: Removal) -> MessageKey | None:
    """Where a removed message lies now: as the server told, else by its Message-ID; None when unknown."""
    told = removal.came_to
    if told is None:
        return None
    account_id = removal.action.key.account_id
    if told["uid"]:
        return MessageKey(account_id, told["folder"], told["uidvalidity"], told["uid"])
    with runtime.db.read() as reading:
        account = accounts.read(reading, account_id)
    with runtime.mailbox(account.id, account.generation).read() as connection:
        folder = folders.by_name(connection, told["folder"])
        same = (
            messages.by_message_id(connection, told.get("message_id", "")) if told.get("message_id") else []
        )
    there = [row for row in same if folder is not None and row["folder_id"] == folder.id]
    if folder is None or len(there) != 1:
        return None
    return MessageKey(account_id, folder.name, folder.uidvalidity, there[0]["uid"])


def _owned(runtime: Runtime, user_id: int, keys: Sequence[MessageKey]) -> dict[int, Account]:
    found = {}
    with runtime.db.read() as connection:
        for account_id in {key.account_id for key in keys}:
            account = accounts.read(connection, account_id)
            if account.user_id != user_id:
                raise AccessError(Problem("not_found"))
            found[account_id] = account
    return found


def _check_target(runtime: Runtime, owned: Mapping[int, Account], folder: str) -> None:
    for account in owned.values():
        with runtime.mailbox(account.id, account.generation).read() as connection:
            target = folders.by_name(connection, folder)
        if target is None or not target.selectable:
            raise AccessError(Problem("not_found"))


def _trash(runtime: Runtime, account: Account) -> str:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        found = folders.by_role(connection, "trash")
    return found.name if found else ""


def _row(verb: Verb, key: MessageKey, folder: str, trash: str) -> tuple[actions.Kind, Mapping[str, Any]]:
    if verb in _FLAGS:
        return "flag", _FLAGS[verb]
    if verb == "move" or verb == "copy":
        return verb, {"folder": folder}
    return ("expunge" if trash and key.folder == trash else "delete"), {}
