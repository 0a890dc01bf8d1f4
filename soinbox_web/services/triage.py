"""Triage: mark, move and delete messages, as rows that the mailroom pushes and lists show at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from soinbox_web.clock import timestamp
from soinbox_web.model.account import Account
from soinbox_web.model.message import MessageKey
from soinbox_web.problems import AccessError, Problem
from soinbox_web.runtime import Runtime
from soinbox_web.store import accounts, actions, folders
from soinbox_web.store.overlay import Overlay

Verb = Literal["read", "unread", "flag", "unflag", "delete", "move"]
VERBS: tuple[Verb, ...] = ("read", "unread", "flag", "unflag", "delete", "move")

HELD = timedelta(seconds=13)  # before a removal is pushed
UNDO = timedelta(seconds=10)  # as long as *Undo* is shown

_FLAGS: Mapping[str, Mapping[str, list[str]]] = {
    "read": {"add": ["\\Seen"], "remove": []},
    "unread": {"add": [], "remove": ["\\Seen"]},
    "flag": {"add": ["\\Flagged"], "remove": []},
    "unflag": {"add": [], "remove": ["\\Flagged"]},
}


@dataclass(frozen=True, slots=True)
class Undoable:
    """Removals of one click that can still be taken back; `final` ones would leave the Trash for good."""

    ids: tuple[int, ...]
    kind: Literal["move", "delete", "expunge"]
    folder: str  # where they go (move), else ""
    seconds_left: float


def act(
    runtime: Runtime, user_id: int, keys: Sequence[MessageKey], verb: Verb, folder: str = ""
) -> list[int]:
    """Do `verb` to messages; the ids of the rows. AccessError not_found: foreign message, no folder."""
    owned = _owned(runtime, user_id, keys)
    if verb == "move":
        _check_target(runtime, owned, folder)
    in_trash = {each.id: _trash(runtime, each) for each in owned.values()} if verb == "delete" else {}
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        open_now = {each: Overlay(actions.open_of(connection, each)) for each in owned}
        ids = []
        for key in dict.fromkeys(keys):
            if open_now[key.account_id].hides((key.folder, key.uidvalidity, key.uid)):
                continue
            kind, arguments = _row(verb, key, folder, in_trash.get(key.account_id, ""))
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
    """The last removal, while it is young enough to be taken back."""
    now = runtime.clock.now()
    with runtime.db.read() as connection:
        young = actions.removals_since(connection, user_id, timestamp(now - UNDO))
    if not young:
        return None
    last = young[-1]
    same = tuple(each.id for each in young if each.not_before == last.not_before)
    created = datetime.fromisoformat(last.not_before) - HELD
    left = (created + UNDO - now).total_seconds()
    return Undoable(same, last.kind, last.arguments.get("folder", ""), left)  # type: ignore[arg-type]


def undo(runtime: Runtime, user_id: int, ids: Sequence[int]) -> int:
    """Take removals back that were not pushed yet; how many that were."""
    with runtime.db.write() as connection:
        return actions.cancel(connection, user_id, ids, runtime.clock.now())


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
    if verb == "move":
        return "move", {"folder": folder}
    return ("expunge" if trash and key.folder == trash else "delete"), {}
