"""Synchronising: an account's mailbox file is made equal to what its server holds, which is left alone."""

from collections.abc import Callable, Collection, Iterator, Mapping

from soinbox_web.mail import credentials
from soinbox_web.mail.discovery import providers
from soinbox_web.mail.imap import folders as server
from soinbox_web.mail.imap.commands import CommandRefused, Unavailable
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.net.network import Network
from soinbox_web.mail.stages import Stages
from soinbox_web.model import backoff
from soinbox_web.model.account import Account
from soinbox_web.model.folder import Folder
from soinbox_web.model.sync_plan import Progress, in_order, unchanged
from soinbox_web.model.sync_report import SyncReport
from soinbox_web.problems import SoinboxError, StoreError
from soinbox_web.runtime import Runtime
from soinbox_web.services.sync import folder_list
from soinbox_web.services.sync.folder import fetch_arrivals, fetch_messages, synchronising_folder
from soinbox_web.services.sync.session import Session, silent
from soinbox_web.store import account_hours, accounts, folders, mailbox_schema, skipped_messages

__all__ = [
    "connect",
    "differing",
    "discard_unfit",
    "fetch",
    "fetch_news",
    "open_session",
    "refresh",
    "sync_once",
    "synchronise",
    "synchronise_folders",
    "synchronising",
]


def connect(runtime: Runtime, account: Account, network: Network | None = None) -> ImapConnection:
    """A connection that is signed in, no folder open. Raises SoinboxError with the stage it failed at."""
    network = network or Network(runtime.settings, runtime.clock)
    provider = providers.by_key(account.provider)

    def opened(secret: str, token: bool) -> ImapConnection:
        stages = Stages("imap", account.imap, provider, clock=network.clock, secret=secret)
        connection = ImapConnection.connect(account.imap, network, provider=provider, stages=stages)
        try:
            connection.sign_in(secret, token=token)
            if network.is_far(connection.client.wire.sock):
                server.compress(connection)
            server.accept_utf8(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    return credentials.sign_in(account, "imap", runtime.secrets, network, opened)


def open_session(
    runtime: Runtime,
    account: Account,
    connection: ImapConnection,
    progress: Callable[[Progress], None] = silent,
) -> Session:
    """What the functions below work with; asks the server for QRESYNC, so before any folder is opened."""
    mailbox = runtime.mailbox(account.id, account.generation)
    qresync = server.enable_qresync(connection)
    return Session(runtime, account, mailbox, connection, qresync, progress, began=runtime.clock.monotonic())


def synchronise(session: Session, *, first: Collection[str] = (), thorough: bool = False) -> SyncReport:
    """All steps of `synchronising` at once."""
    for _ in synchronising(session, first=first, thorough=thorough):
        pass
    return session.report


def synchronising(session: Session, *, first: Collection[str] = (), thorough: bool = False) -> Iterator[None]:
    """Every folder: the first page of an unseen INBOX at once, then `first`, INBOX, Sent, Drafts, the rest.

    A step is a batch of messages: between two, the caller may let others go first, but must not use the
    connection. A folder that cannot be opened keeps its problem and stops nothing. `thorough`: folders are
    opened even where STATUS shows no change, and all flags are compared where the server cannot tell which
    changed. Raises SoinboxError when the connection breaks.
    """
    inbox = folder_list.ensure_inbox(session)
    if inbox is not None:
        yield from _one(session, inbox, thorough)
    statuses = folder_list.refresh(session)
    with session.mailbox.read() as connection:
        listed = folders.listing(connection)
    for folder in in_order(listed, session.account.provider, first):
        if inbox is not None and folder.role == "inbox":
            continue
        session.report.folders += 1
        if not thorough and unchanged(folder, statuses.get(folder.name), known=_known(session, folder)):
            with session.mailbox.write() as connection:
                folders.touch(connection, folder.id, session.runtime.clock.now())
            continue
        yield from _one(session, folder, thorough)
    if inbox is not None:
        session.report.folders += 1
    _finish(session)


def synchronise_folders(session: Session, names: Collection[str], *, thorough: bool = False) -> SyncReport:
    """These folders only; names that are not here are passed over. Raises SoinboxError."""
    for name in names:
        folder = _named(session, name)
        if folder is not None and folder.selectable:
            session.report.folders += 1
            for _ in _one(session, folder, thorough):
                pass
    _finish(session)
    return session.report


def refresh(session: Session, name: str) -> None:
    """A look at a folder where probably nothing happened: one round trip when it is the one that is open."""
    folder = _named(session, name)
    if folder is None or not _stands_still(session, folder):
        synchronise_folders(session, [name])
        return
    with session.mailbox.write() as connection:
        folders.touch(connection, folder.id, session.runtime.clock.now())


def differing(session: Session, told: Mapping[str, Mapping[str, int]]) -> list[str] | None:
    """Which folders are not as the server has just said (their counts by `wire` name), by name.

    None when the list of folders itself is another one.
    """
    with session.mailbox.read() as connection:
        here = {folder.wire: folder for folder in folders.listing(connection)}
    if any(wire not in here or not counts for wire, counts in told.items()):
        return None
    watched = {folder.id for folder in in_order(list(here.values()), session.account.provider)}
    found = []
    for wire, counts in told.items():
        folder = here[wire]
        known = {"MESSAGES": folder.total, "UIDNEXT": folder.uidnext, "HIGHESTMODSEQ": folder.highestmodseq}
        if folder.id in watched and any(counts.get(name, value) != value for name, value in known.items()):
            found.append(folder.name)
    return found


def fetch_news(session: Session, name: str) -> None:
    """What has just come to this folder, which is the one that is open, at once; the rest needs a look."""
    folder = _named(session, name)
    if folder is not None:
        fetch_arrivals(session, folder)


def fetch(session: Session, name: str, uids: Collection[int]) -> None:
    """The envelopes of these messages now, wherever the backfill is. Raises SoinboxError."""
    folder = _named(session, name)
    if folder is not None:
        fetch_messages(session, folder, uids)


def sync_once(
    runtime: Runtime,
    account_id: int,
    push: Callable[[Runtime, Account, ImapConnection], object] = lambda *_: None,
) -> SyncReport:
    """One complete synchronisation, no mailroom needed; the attempt is recorded. Raises SoinboxError.

    `push` tells the server what was done here, before anything is fetched.
    """
    with runtime.db.read() as reading:
        account = accounts.read(reading, account_id)
    try:
        report = None
        while report is None:
            report = _attempt(runtime, account, push)
    except SoinboxError as error:
        now = runtime.clock.now()
        failures = account.imap_status.consecutive_failures + 1
        retry = backoff.next_try(error.problem, failures, now, 0.0)
        with runtime.db.write() as writing:
            accounts.record_attempt(writing, account_id, "imap", now, error.problem, next_retry_at=retry)
        raise
    with runtime.db.write() as writing:
        accounts.record_attempt(writing, account_id, "imap", runtime.clock.now())
    return report


def _attempt(
    runtime: Runtime, account: Account, push: Callable[[Runtime, Account, ImapConnection], object]
) -> SyncReport | None:
    """One connection; None when it broke over a message that the next one goes around."""
    with connect(runtime, account) as connection:
        session = open_session(runtime, account, connection)
        try:
            push(runtime, account, connection)
            return synchronise(session, thorough=True)
        except SoinboxError:
            if not session.again:
                raise
            return None


def discard_unfit(runtime: Runtime, account_id: int, *, thorough: bool = False) -> bool:
    """Throw a mailbox file of another version away, by a new generation; False when it is fit.

    `thorough`: a damaged one as well, which costs reading it.
    """
    with runtime.db.read() as reading:
        account = accounts.read(reading, account_id)
    try:
        mailbox = runtime.mailbox(account.id, account.generation)
        with mailbox.write() if thorough else mailbox.read() as stored:
            fit = mailbox_schema.is_current(stored) and (not thorough or mailbox_schema.is_whole(stored))
    except StoreError as error:
        if error.problem.code != "database_damaged":
            raise
        fit = False
    if fit:
        return False
    with runtime.db.write() as writing:
        if accounts.read(writing, account_id).generation == account.generation:
            accounts.next_generation(writing, account, runtime.clock.now())
    runtime.forget_mailbox(account.id, account.generation)
    return True


def _named(session: Session, name: str) -> Folder | None:
    with session.mailbox.read() as connection:
        return folders.by_name(connection, name)


def _one(session: Session, folder: Folder, thorough: bool) -> Iterator[None]:
    try:
        yield from synchronising_folder(session, folder, thorough=thorough)
    except (CommandRefused, Unavailable) as error:
        if folder.role == "inbox" and isinstance(error, Unavailable):
            raise  # so is the account
        with session.changed(folder.name) as connection:
            folders.fail(connection, folder.id, error.problem)


def _stands_still(session: Session, folder: Folder) -> bool:
    complete = session.qresync and folder.highestmodseq and _known(session, folder) == folder.total
    open_here = session.connection.opened == folder.wire
    return bool(complete and open_here) and server.stands_still(session.connection, folder.highestmodseq)


def _known(session: Session, folder: Folder) -> int:
    with session.mailbox.read() as connection:
        return folder.stored + len(skipped_messages.uids(connection, folder.id, session.version))


def _finish(session: Session) -> None:
    with session.mailbox.read() as connection:
        session.report.messages = sum(folder.stored for folder in folders.listing(connection))
    session.report.seconds = session.runtime.clock.monotonic() - session.began
    if session.report.arrived:
        with session.runtime.db.write() as connection:
            account_hours.add(
                connection, session.account.id, session.runtime.clock.now(),
                arrived=session.report.arrived, latest_seconds=session.report.latest_seconds,
            )  # fmt: skip
        session.report.arrived = session.report.latest_seconds = 0
