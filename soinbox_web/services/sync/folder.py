"""One folder is made equal to the server's: by the plan, in batches, each batch one short write."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from itertools import islice

from soinbox_web.clock import moment
from soinbox_web.mail.imap import folders as server
from soinbox_web.model import uid_set
from soinbox_web.model.folder import Folder
from soinbox_web.model.sync_plan import REBUILDS, FolderStatus, Plan, plan
from soinbox_web.problems import Problem
from soinbox_web.services.sync import arrivals
from soinbox_web.services.sync.folder_list import forget_messages
from soinbox_web.services.sync.session import Session
from soinbox_web.store import bodies, folders, messages, skipped_messages, suspects

BATCH = 500
LEFT_OUT = 5_000  # old messages noted in one write
FLAGS = 2_000  # messages whose flags are compared in one piece
RECENT = 300  # messages whose flags are compared often where the server cannot tell which changed
SWEEP_EVERY = timedelta(minutes=15)


def synchronising_folder(session: Session, folder: Folder, *, thorough: bool = False) -> Iterator[None]:
    """Open the folder read-only and take in what differs, a batch of messages at each step.

    `thorough`: also asks again for messages that were set aside: the server may know better by now. Raises
    CommandRefused when the folder cannot be opened.
    """
    if thorough:
        with session.mailbox.write() as connection:
            skipped_messages.ask_again(connection, folder.id)
    arrivals.ask_again_on_another_day(session, folder)
    since = (folder.uidvalidity, folder.highestmodseq) if session.qresync and folder.uidnext else None
    opened = server.examine(session.connection, folder.wire, since)
    there = opened.status
    if opened.resynchronised:
        _forget_ranges(session, folder, sorted(opened.vanished()))
        _take_flags(session, folder, opened.flags())
        opened.told.clear()
    todo = plan(
        folder,
        there,
        known=_known(session, folder),
        resynchronised=opened.resynchronised,
        sweep_due=thorough or _sweep_due(session, folder),
    )
    if todo.nothing and (there.highestmodseq, there.total) == (folder.highestmodseq, folder.total):
        with session.mailbox.write() as connection:
            folders.touch(connection, folder.id, session.runtime.clock.now())
        return
    if todo.rebuild and not _rebuild(session, folder, there):
        return
    with session.mailbox.write() as connection:
        folders.begin(connection, folder.id, there.uidvalidity, there.total)
    came = todo.first_page and arrivals.first_page(session, folder, there.total)
    if came and not session.report.first_page_seconds:
        session.report.first_page_seconds = session.runtime.clock.monotonic() - session.began
    if todo.changed_since:
        _take_flags(session, folder, server.flags(session.connection, changed_since=todo.changed_since))
    _sweep(session, folder, there, todo)
    if todo.compare:
        yield from _compare(session, folder, there.total)
    elif todo.new_from:
        yield from arrivals.fetch(
            session, folder, server.uids(session.connection, todo.new_from), there.total
        )
        if _known(session, folder) != there.total:
            yield from _compare(session, folder, there.total)
    if todo.rebuild or not folder.uidnext:  # or a rebuild that broke off
        _take_bodies_back(session, folder)
    with session.mailbox.write() as connection:
        folders.finish(
            connection,
            folder.id,
            uidnext=there.uidnext,
            highestmodseq=there.highestmodseq,
            total=there.total,
            at=session.runtime.clock.now(),
            swept=todo.sweep == "all" or todo.first_page,
        )
        suspects.acquit(connection, folder.id, "envelope")


def fetch_arrivals(session: Session, folder: Folder) -> None:
    """What has come to the folder that is open since it was looked at; its cursor stays where it is."""
    if folder.uidnext:
        arrivals.newest(session, folder)


def fetch_messages(session: Session, folder: Folder, uids: Collection[int]) -> None:
    """Open the folder and fetch these envelopes. Raises SoinboxError."""
    status = server.examine(session.connection, folder.wire).status
    if status.uidvalidity == folder.uidvalidity:
        with session.mailbox.write() as connection:
            skipped_messages.take_in(connection, folder.id, uids)
        for _ in arrivals.fetch(session, folder, uids, status.total):
            pass


def _known(session: Session, folder: Folder) -> int:
    with session.mailbox.read() as connection:
        here = folders.by_id(connection, folder.id)
        skipped = skipped_messages.uids(connection, folder.id, session.version)
    return len(skipped) + (here.stored if here else 0)


def _sweep_due(session: Session, folder: Folder) -> bool:
    with session.mailbox.read() as connection:
        last = folders.swept_at(connection, folder.id)
    return not last or abs(session.runtime.clock.now() - moment(last)) >= SWEEP_EVERY


def _rebuild(session: Session, folder: Folder, there: FolderStatus) -> bool:
    """Empty a folder whose UIDVALIDITY changed; False when that happens so often that nothing is fetched."""
    forget_messages(session, folder, keep_bodies=True)
    with session.mailbox.read() as connection:
        stable = folders.rebuilds(connection, folder.id) < REBUILDS
    if not stable:
        with session.changed(folder.name) as connection:
            folders.begin(connection, folder.id, there.uidvalidity, there.total)
            problem = Problem("folder_unstable", "imap", facts={"folder": folder.name})
            folders.fail(connection, folder.id, problem)
    return stable


def _take_bodies_back(session: Session, folder: Folder) -> None:
    more = True
    while more:
        with session.changed(folder.name) as connection:
            more = bodies.take_back(connection, folder.id)


def _sweep(session: Session, folder: Folder, there: FolderStatus, todo: Plan) -> None:
    if todo.sweep == "none" or not there.total:
        return
    asked = "1:*" if todo.sweep == "all" else f"{max(1, there.total - RECENT + 1)}:*"
    _take_flags(session, folder, server.flags(session.connection, asked, by_number=True))


def _compare(session: Session, folder: Folder, total: int) -> Iterator[None]:
    """Make the set of UIDs equal; what the server lists twice and never gives is set aside."""
    for last in (False, True):
        there = server.uids(session.connection)
        known = _uids(session, folder)
        _forget(session, folder, known.difference(there))
        missing = [uid for uid in there if uid not in known]
        if session.account.sync_days and not last:
            missing = _without_old_ones(session, folder, missing, session.account.sync_days)
        if not missing:
            return
        if last:
            arrivals.set_aside(session, folder, missing)
        else:
            yield from arrivals.fetch(session, folder, missing, total)


def _without_old_ones(session: Session, folder: Folder, missing: Sequence[int], days: int) -> list[int]:
    """Those of the missing messages that arrived within the account's horizon; the others are noted."""
    horizon = (session.runtime.clock.now() - timedelta(days=days)).date()
    recent = set(server.uids_since(session.connection, horizon))
    for batch in uid_set.batches((uid for uid in missing if uid not in recent), LEFT_OUT):
        with session.changed(folder.name) as connection:
            skipped_messages.leave_out(connection, folder.id, batch)
    return [uid for uid in missing if uid in recent]


def _uids(session: Session, folder: Folder) -> set[int]:
    """The messages that are here, and those that were set aside."""
    with session.mailbox.read() as connection:
        stored = messages.uids(connection, folder.id)
        return {*stored, *skipped_messages.uids(connection, folder.id, session.version)}


def _take_flags(session: Session, folder: Folder, told: Iterator[tuple[int, frozenset[str]]]) -> None:
    while found := dict(islice(told, FLAGS)):
        with session.mailbox.read() as connection:
            stored = messages.uid_flags(connection, folder.id, found)
        differing = {uid: flags for uid, flags in found.items() if stored.get(uid, flags) != flags}
        for batch in uid_set.batches(differing, BATCH):
            with session.changed(folder.name) as connection:
                session.report.updated += messages.set_flags(
                    connection, folder.id, {uid: differing[uid] for uid in batch}
                )


def _forget_ranges(session: Session, folder: Folder, ranges: Sequence[tuple[int, int]]) -> None:
    """Forget what lies in these ranges, which ascend and may overlap."""
    if not ranges:
        return
    known = sorted(_uids(session, folder))
    gone: set[int] = set()
    end = 0
    for low, high in ranges:
        gone.update(known[bisect_left(known, max(low, end)) : bisect_right(known, high)])
        end = max(end, high)
    _forget(session, folder, gone)


def _forget(session: Session, folder: Folder, gone: set[int]) -> None:
    for batch in uid_set.batches(gone, BATCH):
        with session.changed(folder.name) as connection:
            session.report.removed += messages.remove(connection, folder.id, batch)
