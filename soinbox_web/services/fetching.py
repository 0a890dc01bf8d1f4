"""Fetching whole messages into the mailbox file: at once when asked for, the newest in the background."""

import json
import logging
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from soinbox_web.mail.imap import folders as server
from soinbox_web.mail.imap.bodies import LARGEST, fetch_beginning, fetch_bodies, object_ids
from soinbox_web.mail.imap.commands import CommandRefused, NotNow, Unavailable, cause_of
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.mime import authentication
from soinbox_web.mail.mime.child import Slow
from soinbox_web.mail.mime.pool import Busy
from soinbox_web.mail.mime.worker import texts_guarded
from soinbox_web.model.account import Account
from soinbox_web.model.folder import Folder
from soinbox_web.model.message import MessageKey
from soinbox_web.model.sync_plan import BODIES_SINCE, NO_BODIES, in_order
from soinbox_web.problems import AccessError, Problem, SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.store import (
    bodies,
    changes,
    folders,
    messages,
    own_servers,
    requests,
    search,
    skipped_messages,
    suspects,
)
from soinbox_web.store.database import Database
from soinbox_web.store.requests import Request

_log = logging.getLogger(__name__)

BACKGROUND_LARGEST = 5_000_000  # bytes of one message
BACKGROUND_TOTAL = 1_000_000_000  # bytes of an account
DISK_KEPT_FREE = 0.1  # of the whole disk
AT_ONCE = 2_000_000  # bytes in one command
KEPT_AT_ONCE = LARGEST + AT_ONCE  # bytes of its answer, where the server has told other sizes
WRITTEN = 20  # bodies of one write, which stays below 50 ms
LARGE = 100_000  # bytes; such a body is written at once
NOT_DELIVERED = frozenset(("sent", "drafts", "junk", "trash"))  # mail there tells nothing of our own server
SOURCE = 200_000  # bytes that are shown of a message that stands aside
INDEXED = 200_000  # characters of a message that the search knows
TRIES = 6  # for a free place among the readers, each of some seconds


@dataclass
class Reader:
    """A connection to fetch with; remembers which folder it has open."""

    runtime: Runtime
    account: Account
    connection: ImapConnection
    opened: tuple[str, int] = ("", 0)
    closed: set[tuple[str, int]] = field(default_factory=set)  # what could not be opened
    mailbox: Database = field(init=False)

    def __post_init__(self) -> None:
        self.mailbox = self.runtime.mailbox(self.account.id, self.account.generation)

    def open(self, folder: Folder) -> None:
        """Open the folder read-only; AccessError message_gone when it was built anew."""
        if self.opened != _place(folder):
            self.opened = ("", 0)
            status = server.examine(self.connection, folder.wire).status
            self.opened = (folder.wire, status.uidvalidity)
        if self.opened[1] != folder.uidvalidity:
            raise AccessError(Problem("message_gone", "imap"))


def _place(folder: Folder) -> tuple[str, int]:
    return folder.wire, folder.uidvalidity


def answer(reader: Reader, request: Request) -> None:
    """Fetch the message that a request names, and finish the request. Raises SoinboxError when it breaks."""
    problem = None
    try:
        _fetch_one(reader, MessageKey.read(request.subject))
    except (AccessError, CommandRefused, Unavailable) as error:
        problem = error.problem
    with reader.runtime.db.write() as connection:
        requests.finish(connection, request.id, reader.runtime.clock.now(), problem)


def answer_texts(reader: Reader, request: Request) -> None:
    """Fetch those messages of a page whose first words are not known, and finish the request."""
    name, uidvalidity, uids = json.loads(request.subject)
    with reader.mailbox.read() as connection:
        folder = folders.by_name(connection, name)
        lacking = bodies.lacking(connection, folder.id, uids, BACKGROUND_LARGEST) if folder else []
    problem = None
    try:
        if folder is not None and folder.uidvalidity == uidvalidity and not _disk_is_full(reader.runtime):
            reader.open(folder)
            while lacking:
                chosen = _at_once(lacking)
                _fetch(reader, folder, chosen)
                lacking = lacking[len(chosen) :]
    except (AccessError, CommandRefused, Unavailable) as error:
        problem = error.problem
    with reader.runtime.db.write() as connection:
        requests.finish(connection, request.id, reader.runtime.clock.now(), problem)


def fetch_some(reader: Reader, since: timedelta | None = BODIES_SINCE) -> int:
    """Some of the newest messages that are not here yet, not older than `since`; how many, 0 for no more."""
    now = reader.runtime.clock.now()
    if _disk_is_full(reader.runtime):
        return 0
    with reader.mailbox.read() as connection:
        if bodies.total(connection) >= BACKGROUND_TOTAL:
            return 0
        listed = in_order(folders.listing(connection), reader.account.provider)
        oldest = now - since if since else None
        for folder in listed:
            if folder.role in NO_BODIES or _place(folder) in reader.closed:
                continue
            missing = bodies.missing(connection, folder.id, oldest, BACKGROUND_LARGEST, 100)
            if missing:
                break
        else:
            return 0
    try:
        reader.open(folder)
        chosen = _at_once(missing)
        names = object_ids(reader.connection, [uid for uid, _ in chosen])
        adopted = _adopt(reader, folder, chosen, names)
        return len(adopted) + _fetch(reader, folder, [pair for pair in chosen if pair not in adopted], names)
    except (AccessError, CommandRefused, Unavailable):
        reader.closed.add(_place(folder))
        return fetch_some(reader, since)


def _at_once(missing: Sequence[sqlite3.Row]) -> list[tuple[int, int]]:
    """(UID, row id) of the first ones, as many as one command fetches."""
    chosen: list[tuple[int, int]] = []
    size = 0
    for row in missing:
        if chosen and size + row["size"] > AT_ONCE:
            break
        chosen.append((row["uid"], row["id"]))
        size += row["size"]
    return chosen


def tidy(runtime: Runtime, account: Account) -> bool:
    """When nothing else is to be done: keep the search quick; True while there is more of this work."""
    if _disk_is_full(runtime):
        return False
    mailbox = runtime.mailbox(account.id, account.generation)
    read = _read_texts(account, mailbox)
    with mailbox.write() as connection:
        bodies.forget_loose(connection)
        more = search.merge(connection)
    mailbox.checkpoint()
    return more or read


def _read_texts(account: Account, mailbox: Database) -> bool:
    """Some of the texts that there was no time to read; True when there were any, and there is time now."""
    with mailbox.read() as connection:
        waiting = bodies.unread(connection, WRITTEN, AT_ONCE)
    try:
        texts = texts_guarded([raw for _, raw in waiting], INDEXED, _reads_for(account))
    except Busy:
        return False
    with mailbox.write() as connection:
        for (row_id, _), text in zip(waiting, texts, strict=True):
            bodies.put_text(connection, row_id, text or "")
    return bool(waiting)


def _reads_for(account: Account) -> str:
    return f"account {account.id}"


def _disk_is_full(runtime: Runtime) -> bool:
    disk = shutil.disk_usage(runtime.settings.instance)
    return disk.free < disk.total * DISK_KEPT_FREE


def _fetch_one(reader: Reader, key: MessageKey | None) -> None:
    with reader.mailbox.read() as connection:
        row = messages.find(connection, key.folder, key.uidvalidity, key.uid) if key else None
        folder = folders.by_name(connection, key.folder) if key else None
        stands_aside = key and skipped_messages.find(connection, key.folder, key.uidvalidity, key.uid)
        here = row is not None and bodies.has(connection, row["id"])
    if here:
        return
    if folder is not None and key is not None and stands_aside:
        _fetch_source(reader, folder, key.uid)
        return
    if row is None or folder is None:
        raise AccessError(Problem("message_gone", "imap"))
    if row["size"] > LARGEST:
        raise _too_large()
    reader.open(folder)
    handled = _fetch(reader, folder, [(row["uid"], row["id"])])
    with reader.mailbox.read() as connection:
        if not bodies.has(connection, row["id"]):
            raise _too_large() if handled else AccessError(Problem("message_gone", "imap"))


def _too_large() -> AccessError:
    return AccessError(Problem("message_too_large", "imap", facts={"limit": f"{LARGEST // 1_000_000} MB"}))


def _fetch_source(reader: Reader, folder: Folder, uid: int) -> None:
    """The beginning of one that stands aside."""
    reader.open(folder)
    raw = fetch_beginning(reader.connection, uid, SOURCE)
    if raw is None:
        raise AccessError(Problem("message_gone", "imap"))
    now = reader.runtime.clock.now()
    with reader.mailbox.write() as connection:
        skipped_messages.keep_source(connection, folder.id, uid, bodies.pack(raw))
        changes.record(connection, "body", now, account_id=reader.account.id, detail=folder.name)


def _adopt(
    reader: Reader, folder: Folder, chosen: Sequence[tuple[int, int]], names: Mapping[int, str]
) -> set[tuple[int, int]]:
    """Those whose bodies are here already, from the folder where another client took them away."""
    now, adopted = reader.runtime.clock.now(), set()
    for start in range(0, len(chosen), WRITTEN):
        named = [pair for pair in chosen[start : start + WRITTEN] if pair[0] in names]
        with reader.mailbox.write() as connection:
            came = {pair for pair in named if bodies.adopt(connection, pair[1], names[pair[0]], now)}
            if came:
                changes.record(connection, "body", now, account_id=reader.account.id, detail=folder.name)
        adopted |= came
    return adopted


def _fetch(
    reader: Reader,
    folder: Folder,
    chosen: Sequence[tuple[int, int]],
    names: Mapping[int, str] = MappingProxyType({}),
) -> int:
    """Fetch (UID, row id) pairs; how many came or never will. `names`: object ids, as far as known."""
    if not chosen:
        return 0
    rows = dict(chosen)
    came = size = given_up = 0
    ready: list[tuple[int, bytes]] = []
    waiting = set(rows)
    claims: set[tuple[str, str]] = set()  # which servers speak of whom
    try:
        for uid, raw in fetch_bodies(reader.connection, rows):
            waiting.discard(uid)
            if raw is None:
                _give_up(reader, folder, uid)
                given_up += 1
                continue
            size += len(raw)
            if came and size > KEPT_AT_ONCE:
                continue
            ready.append((uid, raw))
            came += 1
            if folder.role not in NOT_DELIVERED and (claim := authentication.claim(raw)) is not None:
                claims.add(claim)
            if len(ready) == WRITTEN or len(raw) > LARGE:
                _keep(reader, folder, rows, ready, names)
    except SoinboxError as error:
        if not isinstance(error, NotNow) or isinstance(error, Unavailable):
            _pass_over(reader, folder, min(waiting, default=0), error)
        raise
    finally:
        _keep(reader, folder, rows, ready, names)
    _learn(reader, claims)
    if came:
        with reader.mailbox.write() as connection:
            bodies.evict(connection, bodies.total(connection) - BACKGROUND_TOTAL, but=rows.values())
        reader.mailbox.checkpoint()
    return came + given_up


def _learn(reader: Reader, claims: set[tuple[str, str]]) -> None:
    """By which name this account's server tells of messages: nearly always known, then nothing is written."""
    with reader.runtime.db.read() as connection:
        news = own_servers.news(connection, reader.account.id, claims)
    if news:
        with reader.runtime.db.write() as connection:
            own_servers.note(connection, reader.account.id, sorted(news), reader.runtime.clock.now())


def _pass_over(reader: Reader, folder: Folder, uid: int, error: SoinboxError) -> None:
    """The server stopped at this message: the next time, or the third when it may be the network's fault."""
    sure = isinstance(error, CommandRefused | Unavailable) or cause_of(error) != "network"
    with reader.mailbox.write() as connection:
        found = suspects.note(connection, folder.id, "body", uid, sure=sure)
        if found.times[uid] > 2:
            bodies.give_up(connection, folder.id, uid)


def _give_up(reader: Reader, folder: Folder, uid: int) -> None:
    """It is larger than the server has told, or than we take: nobody asks for it again by himself."""
    with reader.mailbox.write() as connection:
        bodies.give_up(connection, folder.id, uid)


def _keep(
    reader: Reader,
    folder: Folder,
    rows: dict[int, int],
    ready: list[tuple[int, bytes]],
    names: Mapping[int, str],
) -> None:
    """One short write for some bodies, of messages that are still here; empties `ready`."""
    if not ready:
        return
    texts = _texts(reader, [raw for _, raw in ready])
    packed = [bodies.pack(raw) for _, raw in ready]
    now = reader.runtime.clock.now()
    with reader.mailbox.write() as connection:
        here = set(messages.uids_among(connection, folder.id, [uid for uid, _ in ready]))
        for (uid, raw), kept, text in zip(ready, packed, texts, strict=True):
            if uid in here:
                bodies.put(connection, rows[uid], kept, len(raw), text, now, names.get(uid))
        changes.record(connection, "body", now, account_id=reader.account.id, detail=folder.name)
    ready.clear()


def _texts(reader: Reader, raws: list[bytes]) -> list[str | None]:
    """Their texts: "" of one that took too much, as its page says; None of what is read another time."""
    account = reader.account
    for _ in range(TRIES):
        try:
            found = texts_guarded(raws, INDEXED, _reads_for(account))
        except Busy as busy:
            if isinstance(busy.__cause__, Slow):
                break
            continue
        if lost := found.count(None):
            _log.warning("%d messages of account %d are kept without their text", lost, account.id)
        return [text or "" for text in found]
    _log.warning("%d messages of account %d wait for their text to be read", len(raws), account.id)
    return [None] * len(raws)
