"""Envelopes in batches; what no cap allows is asked for in part, then set aside, and stops no other."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from soinbox_web.clock import moment
from soinbox_web.mail.imap.commands import CommandRefused, NotNow, cause_of
from soinbox_web.mail.imap.envelope import Depth, Unreadable
from soinbox_web.mail.imap.envelope_batches import DEEPEST, Asked, Envelopes, Taken, fetch_from, fetch_newest
from soinbox_web.model import uid_set
from soinbox_web.model.folder import Folder
from soinbox_web.model.message import Envelope, Reason
from soinbox_web.model.sync_plan import Progress
from soinbox_web.problems import SoinboxError
from soinbox_web.services.sync.session import Session
from soinbox_web.store import folders, messages, skipped_messages, suspects
from soinbox_web.store.suspects import Suspects

FIRST_PAGE = 50
BATCH = 500
IN_PARTS = 25  # messages of a batch that is asked for field by field
AHEAD = 2  # batches asked for at once, unless a connection broke: then the message at fault is to be seen
BROKE_SOON = 3.0  # seconds from the last message to the break: a flood that took longer may come again
AGAIN_AT_ONCE = 6  # connections that broke over messages of one folder before the next one waits
WRITTEN = 125  # rows of one write, which stays below 50 ms
RECENT_SECONDS = 86_400  # an arrival of longer ago says nothing of how quick we are
CLOCKS_DIFFER = 60.0  # seconds that the server's clock may be behind ours


def fetch(session: Session, folder: Folder, asked: Collection[int], total: int) -> Iterator[None]:
    """These messages, as far as they are not set aside; a step is what is stored together.

    One that breaks our caps, that the server refuses or that cannot be read is asked for again without the
    server's ENVELOPE, then for its name alone, then set aside. At what ended the connection the next try
    asks last and alone, and for smaller batches each time it happens again. Raises SoinboxError.
    """
    envelopes, reasons = Envelopes(session.connection), dict[int, Reason]()
    with session.mailbox.read() as connection:
        suspected = suspects.known(connection, folder.id, "envelope")
    waiting = _plan(session, folder, asked, suspected)
    at_once, ahead = 1 if suspected.breaks else AHEAD, 0
    while waiting or ahead:
        while waiting and ahead < at_once:
            envelopes.ask(waiting.pop())
            ahead += 1
        began = session.runtime.clock.monotonic()
        try:
            taken = envelopes.take()
        except SoinboxError as error:
            came = envelopes.came()
            _store(session, folder, [one for one in came if isinstance(one, Envelope)], total)
            if not isinstance(error, NotNow):
                last = came[-1] if came else None  # what follows one that cannot be read is part of it
                at = (last.uid, last.depth) if isinstance(last, Unreadable) else envelopes.awaited()
                _broke_off(session, folder, *at, error, began)
            raise
        ahead -= taken.ended
        _store(session, folder, [one for one in taken.found if isinstance(one, Envelope)], total)
        waiting += _deeper(session, folder, taken, reasons)
        yield


def _plan(session: Session, folder: Folder, asked: Collection[int], suspected: Suspects) -> list[Asked]:
    """The batches, last one first; each suspect by itself, after all others."""
    with session.mailbox.read() as connection:
        skipped = set(skipped_messages.uids(connection, folder.id, session.version))
    wanted = [uid for uid in asked if uid not in skipped]
    innocent = [uid for uid in wanted if uid not in suspected.times]
    batches = [Asked(batch) for batch in uid_set.batches(innocent, max(1, BATCH >> suspected.breaks))]
    alone = [Asked([uid], 1 if suspected.times[uid] > 1 else 0) for uid in wanted if uid in suspected.times]
    return [*batches, *alone][::-1]


def _deeper(session: Session, folder: Folder, taken: Taken, reasons: dict[int, Reason]) -> list[Asked]:
    """What to ask for after this: halves of what was refused, and parts of what could not be had."""
    uids, depth = taken.asked
    if taken.refused and len(uids) > 1:
        middle = len(uids) // 2
        return [Asked(uids[middle:], depth), Asked(uids[:middle], depth)]
    failed = [one for one in taken.found if isinstance(one, Unreadable)]
    if taken.refused:
        failed.append(Unreadable(uids[0], "refused", depth))
    for one in failed:
        reasons.setdefault(one.uid, one.reason)
    lost = [one for one in failed if one.depth == DEEPEST]
    if lost:
        known = {one.uid: one.known for one in lost if one.known is not None}
        _set_aside(session, folder, {one.uid: reasons[one.uid] for one in lost}, known)
    again = []
    for next_depth in (1, 2):
        those = [one.uid for one in failed if one.depth + 1 == next_depth]
        again += [Asked(batch, next_depth) for batch in uid_set.batches(those, IN_PARTS)]
    return again


def first_page(session: Session, folder: Folder, total: int) -> bool:
    """The newest messages, before their UIDs are known; False where a connection has broken off over some."""
    return _at_once(session, folder, total, lambda: fetch_newest(session.connection, total, FIRST_PAGE))


def newest(session: Session, folder: Folder) -> bool:
    """What has come to the folder since it was looked at, as long as that is not much; likewise."""
    fetched = partial(fetch_from, session.connection, folder.uidnext, FIRST_PAGE)
    return _at_once(session, folder, folder.total, fetched)


def _at_once(session: Session, folder: Folder, total: int, fetched: Callable[[], list[Envelope]]) -> bool:
    with session.mailbox.read() as connection:
        if suspects.known(connection, folder.id, "envelope").breaks:
            return False
    began = session.runtime.clock.monotonic()
    try:
        found = fetched()
    except SoinboxError as error:
        if not isinstance(error, CommandRefused | NotNow):
            _broke_off(session, folder, 0, 0, error, began)
        if not isinstance(error, CommandRefused):
            raise
        return False  # the server refuses one of them: the batches find out which
    _store(session, folder, found, total)
    return True


def set_aside(session: Session, folder: Folder, uids: Collection[int]) -> None:
    """What the server lists and never gives."""
    for batch in uid_set.batches(uids, BATCH):
        _set_aside(session, folder, dict.fromkeys(batch, "not_given"))


def ask_again_on_another_day(session: Session, folder: Folder) -> None:
    """What the connection broke over: it may have been the server's bad day."""
    with session.mailbox.read() as connection:
        uids = skipped_messages.of_other_days(connection, folder.id, session.runtime.clock.now())
    if uids:
        with session.mailbox.write() as connection:
            skipped_messages.take_in(connection, folder.id, uids)


def _broke_off(
    session: Session, folder: Folder, uid: int, depth: Depth, error: SoinboxError, began: float
) -> None:
    """Note at which message (0: of a first page) the connection broke.

    Dovecot hangs up where it cannot read one, others do not end it, or end it in ways that no client can
    read. It was asked for in parts already, so by itself: then it is set aside for a day.
    """
    cause = cause_of(error)
    with session.mailbox.write() as connection:
        sure = cause in ("beyond", "silent")
        breaks = suspects.note(connection, folder.id, "envelope", uid, sure=sure).breaks
        if uid and depth:
            now = session.runtime.clock.now()
            skipped_messages.put(connection, folder.id, {uid: "hung_up"}, session.version, day=now)
    soon = session.runtime.clock.monotonic() - began < BROKE_SOON
    session.again = soon and cause in ("beyond", "goodbye") and breaks <= AGAIN_AT_ONCE


def _store(session: Session, folder: Folder, envelopes: Sequence[Envelope], total: int) -> None:
    for start in range(0, len(envelopes), WRITTEN):
        with session.changed(folder.name) as connection:
            part = envelopes[start : start + WRITTEN]
            stored = messages.insert_envelopes(connection, folder.id, part)
        session.report.fetched += stored
        if folder.uidnext and stored:
            _note_arrivals(session, folder, part)
    session.mailbox.checkpoint()
    with session.mailbox.read() as connection:
        here = folders.by_id(connection, folder.id)
    session.progress(Progress(folder.name, here.stored if here else 0, total))


def _note_arrivals(session: Session, folder: Folder, stored: Sequence[Envelope]) -> None:
    """What has arrived in a folder since it was looked at; what was moved here, or put back, is older."""
    now = session.runtime.clock.now()
    looked = (now - moment(folder.synced_at)).total_seconds() if folder.synced_at else 0.0
    ages = [now.timestamp() - one.internal_date for one in stored if one.internal_date is not None]
    recent = [max(0.0, age) for age in ages if age < min(RECENT_SECONDS, looked + CLOCKS_DIFFER)]
    session.report.arrived += len(recent)
    session.report.latest_seconds = max([session.report.latest_seconds, *(round(age) for age in recent)])


def _set_aside(
    session: Session,
    folder: Folder,
    reasons: Mapping[int, Reason],
    known: Mapping[int, Envelope] = MappingProxyType({}),
) -> None:
    with session.changed(folder.name) as connection:
        skipped_messages.put(connection, folder.id, reasons, session.version, known=known)
