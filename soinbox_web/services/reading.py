"""Reading: a page of a folder, a search, one message and its bytes, open actions already applied."""

import base64
import binascii
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo

from soinbox_web.clock import moment
from soinbox_web.model.account import Account
from soinbox_web.model.folder import Folder, Role
from soinbox_web.model.listing import COUNTED, OUTGOING, PAGE, Listing, MessageRow, Query
from soinbox_web.model.message import MessageKey
from soinbox_web.model.sync_plan import BODIES_SINCE, NO_BODIES
from soinbox_web.problems import AccessError, Problem, SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.store import (
    accounts,
    actions,
    bodies,
    folders,
    messages,
    persons,
    requests,
    search,
    skipped_messages,
)
from soinbox_web.store.filter import Filter
from soinbox_web.store.messages import Cursor
from soinbox_web.store.overlay import Overlay, RowIds

WAIT = 1.5  # seconds that a page waits for a body
LOOK_EVERY = 0.025
ASK_AGAIN = timedelta(seconds=30)  # after a body could not be fetched
TEXTS_AGAIN = timedelta(minutes=10)  # for the same rows
ONE_DAY = timedelta(days=1)


def own_account(runtime: Runtime, user_id: int, account_id: int) -> Account:
    """The user's own account; AccessError not_found for anybody else's."""
    with runtime.db.read() as connection:
        account = accounts.read(connection, account_id)
    if account.user_id != user_id:
        raise AccessError(Problem("not_found"))
    return account


def default_account(runtime: Runtime, user_id: int) -> Account | None:
    """The account that *Inbox* opens; None before the first is set up."""
    with runtime.db.read() as connection:
        return next(iter(accounts.of_user(connection, user_id)), None)


def listing(
    runtime: Runtime, user_id: int, account_id: int, query: Query, zone: tzinfo = UTC, opened: str = ""
) -> Listing:
    """One page of a folder or of a search; days are those of `zone`.

    The message that is `opened` (its key) stays among the unread. AccessError not_found for a foreign
    account or no such folder.
    """
    kept = MessageKey.read(opened) if query.unread else None
    account = own_account(runtime, user_id, account_id)
    overlay = _overlay(runtime, account.id)
    only = _filter(runtime, query, zone)
    with runtime.mailbox(account.id, account.generation).read() as connection:
        every = tuple(folders.listing(connection))
        folder = next((f for f in every if f.name == query.folder), None) if query.folder else None
        if folder is None and query.folder and query.folder.upper() != "INBOX":
            raise AccessError(Problem("not_found"))
        folder = folder or next((f for f in every if f.role == "inbox" or f.name.upper() == "INBOX"), None)
        if folder is None:
            return Listing(account, None, every, 0, (), 0)
        unread = _unread(connection, folder, overlay)
        problem = folders.problem(connection, folder.id)
        if not query.text:
            only = _over(only, overlay.row_ids(connection), _row_id(connection, kept, account))
            rows, newer, older = _page(connection, account, folder, query, overlay, only)
            if not query.filtered:
                hidden = overlay.hidden(connection, folder.id, folder.name, folder.uidvalidity)
                count = max(0, folder.total - folder.aside - hidden)
                left_out = (
                    skipped_messages.left_out(connection, folder.id) if account.sync_days and not older else 0
                )
                return Listing(
                    account, folder, every, unread, rows, count, newer, older, problem, left_out=left_out
                )
            count = messages.count(connection, folder.id, only, most=COUNTED + 1)
    if query.text:
        rows, newer, older, count = _found(runtime, user_id, account, folder, query, only, kept)
    return Listing(
        account, folder, every, unread, rows, min(count, COUNTED), newer, older, problem, more=count > COUNTED
    )


def folders_of(runtime: Runtime, user_id: int, account_id: int) -> tuple[Folder, ...]:
    """Every folder, INBOX and those with a role first."""
    account = own_account(runtime, user_id, account_id)
    with runtime.mailbox(account.id, account.generation).read() as connection:
        return tuple(folders.listing(connection))


def message(runtime: Runtime, user_id: int, key: MessageKey) -> MessageRow:
    """The row a key names, in its folder; AccessError not_found when it is gone or somebody else's."""
    account = own_account(runtime, user_id, key.account_id)
    overlay = _overlay(runtime, account.id)
    with runtime.mailbox(account.id, account.generation).read() as connection:
        folder = folders.by_name(connection, key.folder)
        row = messages.find(connection, key.folder, key.uidvalidity, key.uid)
        if folder is None or row is None:
            raise AccessError(Problem("not_found"))
        return _read(row, account, folder.name, folder.uidvalidity, folder.role, overlay)


def raw(runtime: Runtime, user_id: int, key: MessageKey, *, wait: float = WAIT) -> bytes | None:
    """The message's bytes; None while they are being fetched.

    When they are not here the mailroom is asked by a row, and given `wait` seconds. AccessError not_found;
    whatever problem the mailroom met with this message.
    """
    account = own_account(runtime, user_id, key.account_id)
    found = _stored(runtime, account, key)
    if found is not None:
        return found
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        failed = requests.failed_since(connection, account.id, "body", str(key), now - ASK_AGAIN)
        if failed is not None:
            raise SoinboxError(failed)
        asked = requests.ask(connection, account.id, "body", str(key), now)
    until = runtime.clock.monotonic() + wait
    while runtime.clock.monotonic() < until:
        runtime.clock.sleep(LOOK_EVERY)
        found = _stored(runtime, account, key)
        if found is not None:
            return found
        with runtime.db.read() as connection:
            request = requests.of(connection, asked)
        if request is not None and request.problem is not None:
            raise SoinboxError(request.problem)
    return None


def open_folder(runtime: Runtime, account: Account, folder: Folder | None) -> None:
    """A folder that was never fetched jumps the queue."""
    if folder is not None and folder.selectable and not folder.synced_at and folder.role != "inbox":
        with runtime.db.write() as connection:
            requests.ask(connection, account.id, "open_folder", folder.name, runtime.clock.now())


def fetch_texts(runtime: Runtime, rows: Sequence[MessageRow]) -> None:
    """Ask the mailroom for the first words of messages on a page whose bodies do not come by themselves."""
    now = runtime.clock.now()
    lacking: dict[tuple[int, str, int], list[int]] = {}
    for row in rows:
        comes = row.role not in NO_BODIES and (row.date is None or row.date >= now - BODIES_SINCE)
        if row.preview is None and not comes:
            account_id, folder, uidvalidity, uid = row.key
            lacking.setdefault((account_id, folder, uidvalidity), []).append(uid)
    for (account_id, folder, uidvalidity), uids in lacking.items():
        subject = json.dumps([folder, uidvalidity, uids])
        with runtime.db.write() as connection:
            asked = requests.has_open(connection, account_id, "texts") or requests.last(
                connection, account_id, "texts", subject, now - TEXTS_AGAIN
            )
            if not asked:
                requests.ask(connection, account_id, "texts", subject, now)


def _stored(runtime: Runtime, account: Account, key: MessageKey) -> bytes | None:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        row = messages.find(connection, key.folder, key.uidvalidity, key.uid)
        if row is None:
            raise AccessError(Problem("not_found"))
        return bodies.get(connection, row["id"])


def _overlay(runtime: Runtime, account_id: int) -> Overlay:
    with runtime.db.read() as connection:
        return Overlay(actions.open_of(connection, account_id))


def _unread(connection: sqlite3.Connection, folder: Folder, overlay: Overlay) -> int:
    change = overlay.unread_change(connection, folder.id, folder.name, folder.uidvalidity)
    return max(0, folder.unread + change)


def _filter(runtime: Runtime, query: Query, zone: tzinfo) -> Filter:
    """What the query leaves out, but for open actions."""
    senders: set[str] | None = None
    if query.senders:
        with runtime.db.read() as connection:
            colleagues = persons.known_addresses(connection, of_users=True)
            known = persons.known_addresses(connection, of_users=False) - colleagues
        senders = {"colleague": colleagues, "known": known, "other": colleagues | known}[query.senders]

    def start(day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=zone)

    after_last = query.until + ONE_DAY if query.until and query.until < date.max else None
    return Filter(
        only_unread=query.unread,
        with_attachment=query.attachment,
        since=start(query.since) if query.since else None,
        until=start(after_last) if after_last else None,
        senders=senders,
        other_senders=query.senders == "other",
    )


def _over(only: Filter, changed: RowIds, kept: int | None) -> Filter:
    """With what open actions have changed; the row that is `kept` counts as unread."""
    stays = set() if kept is None else {kept}
    return replace(only, hidden=changed.hidden, read=changed.read - stays, unread=changed.unread | stays)


def _row_id(connection: sqlite3.Connection, key: MessageKey | None, account: Account) -> int | None:
    """The row of a message in an account's file; None when it is not there."""
    if key is None or key.account_id != account.id:
        return None
    row = messages.find(connection, key.folder, key.uidvalidity, key.uid)
    return int(row["id"]) if row else None


def _page(
    connection: sqlite3.Connection,
    account: Account,
    folder: Folder,
    query: Query,
    overlay: Overlay,
    only: Filter,
) -> tuple[tuple[MessageRow, ...], str, str]:
    """The rows asked for and the cursors of the pages before and after."""
    backwards = bool(query.before)
    found = messages.page(
        connection, folder.id, after=_cursor(query.before or query.after), limit=PAGE + 1,
        sort=query.sort, descending=query.ascending if backwards else not query.ascending, only=only,
    )  # fmt: skip
    if backwards and len(found) <= PAGE:  # the very first page, whole
        return _page(connection, account, folder, query.with_(), overlay, only)
    rows = [
        _read(row, account, folder.name, folder.uidvalidity, folder.role, overlay,
              _cursor_text(messages.cursor_of(row, query.sort)))
        for row in found[:PAGE]
    ]  # fmt: skip
    return _around(rows, query, more=len(found) > PAGE)


def _found(
    runtime: Runtime,
    user_id: int,
    account: Account,
    folder: Folder,
    query: Query,
    only: Filter,
    kept: MessageKey | None,
) -> tuple[tuple[MessageRow, ...], str, str, int]:
    """A page of a search in one folder, or in every folder of every account; newest first."""
    with runtime.db.read() as connection:
        searched = accounts.of_user(connection, user_id) if query.everywhere else [account]
    backwards = bool(query.before)
    cursor = _cursor(query.before or query.after)
    rows: list[MessageRow] = []
    count = 0
    for each in searched:
        overlay = _overlay(runtime, each.id)
        folder_id = None if query.everywhere else folder.id
        with runtime.mailbox(each.id, each.generation).read() as connection:
            mine = _over(only, overlay.row_ids(connection), _row_id(connection, kept, each))
            found = search.Search(connection, query.text, folder_id, mine)
            batch = found.rows(cursor[1] if cursor else None, not backwards, PAGE + 1)
            whole = cursor is None and len(batch) <= PAGE
            count += len(batch) if whole else found.count(COUNTED + 1)
        rows.extend(
            _read(r, each, r["folder"], r["uidvalidity"], r["role"], overlay, f"{r['id']}", r["snippet"])
            for r in batch
        )
    if backwards and len(rows) <= PAGE:
        return _found(runtime, user_id, account, folder, query.with_(), only, kept)
    rows.sort(key=lambda row: int(row.cursor), reverse=not backwards)
    end = min(PAGE, len(rows))
    while end < len(rows) and rows[end].cursor == rows[end - 1].cursor:  # of another account
        end += 1
    return (*_around(rows[:end], query, more=len(rows) > end), count)


def _around(rows: list[MessageRow], query: Query, *, more: bool) -> tuple[tuple[MessageRow, ...], str, str]:
    """The rows as the list has them, and the cursors of the pages before and after."""
    if not rows:
        return (), "", ""
    shown = rows[::-1] if query.before else rows
    newer = shown[0].cursor if query.before or query.after else ""
    older = shown[-1].cursor if query.before or more else ""
    return tuple(shown), newer, older


def _read(
    row: sqlite3.Row,
    account: Account,
    folder: str,
    uidvalidity: int,
    role: Role,
    overlay: Overlay,
    cursor: str = "",
    preview: str = "",
) -> MessageRow:
    flags = overlay.flags((folder, uidvalidity, row["uid"]), messages.flags(row))
    people = row["sender_name"] or row["sender_address"]
    if role in OUTGOING:
        stored = messages.correspondents(row)
        people = ", ".join(c.name or c.address for c in (*stored.get("to", ()), *stored.get("cc", ())))
    return MessageRow(
        key=MessageKey(account.id, folder, uidvalidity, row["uid"]),
        cursor=cursor,
        people=people,
        address=row["sender_address"],
        date=_moment(row["date"] or row["internal_date"]),
        subject=row["subject"],
        preview=preview or row["preview"],
        unread="\\Seen" not in flags,
        flagged="\\Flagged" in flags,
        answered="\\Answered" in flags,
        forwarded="$Forwarded" in flags,
        has_attachments=bool(row["has_attachments"]),
        has_invitation=bool(row["has_invitation"]),
        role=role,
    )


def _moment(text: str | None) -> datetime | None:
    return moment(text) if text else None


def _cursor_text(cursor: Cursor) -> str:
    text, number = cursor
    return f"{number}.{base64.urlsafe_b64encode(text.encode()).decode().rstrip('=')}" if text else str(number)


def _cursor(written: str) -> Cursor | None:
    """The cursor of `_cursor_text`; None (the first page) when it is not one."""
    number, _, packed = written.partition(".")
    if not (number.isascii() and number.isdigit() and len(number) < 20):
        return None
    try:
        text = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return text, min(int(number), (1 << 63) - 1)
