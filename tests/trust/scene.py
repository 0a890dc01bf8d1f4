"""A mailbox in the middle of a day: what is here, what changed on the server, what waits to be pushed."""

import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.net.opening import Timeouts
from soinbox_web.model.account import Account
from soinbox_web.model.allow_list import AllowList
from soinbox_web.model.message import MessageKey
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime, build
from soinbox_web.services import acting, fetching, sync
from soinbox_web.settings import Settings
from soinbox_web.store import accounts, actions, folders, messages
from soinbox_web.store.database import Database
from tests.real.accounts import add_account
from tests.servers.dovecot import Dovecot
from tests.servers.mailbox import RealMailbox

ADDRESS, PASSWORD = "anna@noordlicht.example", "lampje-voor-anna"
OLD, NEW = 60, 45  # messages known before, and arrived since
SENT = "<sent@soinbox.example>"
MOVED, DELETED, COPIED = range(10, 13), 13, 14  # by a person, here


def letter(number: int) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = f"Eva {number % 7} <eva{number % 7}@klant.example>", ADDRESS
    message["Subject"], message["Message-ID"] = f"Bericht {number}", named(number)
    message["Date"] = f"Mon, 23 Nov 2026 {number // 60:02}:{number % 60:02}:00 +0000"
    message.set_content(f"Hallo, dit is bericht {number}.\n")
    return message.as_bytes()


def named(number: int) -> str:
    return f"<{number}@klant.example>"


@dataclass
class Scene:
    """`restore()` puts server and instance back to the same moment, so that every run begins alike."""

    folder: Path
    server: Dovecot
    settings: Settings
    authority: Authority
    account_id: int = 0

    @property
    def instance(self) -> Path:
        return self.settings.instance

    def runtime(self, database: type[Database] = Database) -> Runtime:
        return build(self.settings, SystemClock(), database=database)

    def account(self, runtime: Runtime) -> Account:
        with runtime.db.read() as connection:
            return accounts.read(connection, self.account_id)

    def restore(self) -> None:
        for name, place in (("mail", self.server.mail / ADDRESS), ("instance", self.instance)):
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(self.folder / f"kept-{name}", place, copy_function=_copy)
            _own(place, self.server.mail if name == "mail" else self.folder)

    def keep(self) -> None:
        for name, place in (("mail", self.server.mail / ADDRESS), ("instance", self.instance)):
            shutil.rmtree(self.folder / f"kept-{name}", ignore_errors=True)
            shutil.copytree(place, self.folder / f"kept-{name}", copy_function=_copy)

    def expected(self) -> Counter[tuple[str, str]]:
        """Where every message lies once all is done."""
        where = dict.fromkeys(range(OLD + NEW), "INBOX")
        where.update(dict.fromkeys(MOVED, "Archive"))
        where[DELETED] = "Trash"
        where.update(dict.fromkeys(range(20, 24), "Archive"))  # moved elsewhere meanwhile
        for number in range(30, 33):  # expunged elsewhere meanwhile
            del where[number]
        found = Counter((folder, named(number)) for number, folder in where.items())
        found["Archive", named(COPIED)] += 1
        found["Sent", SENT] += 1
        return found

    def touched(self, kinds: Collection[str]) -> set[str]:
        """The Message-IDs that actions of these kinds are about."""
        about = {"move": [*map(named, MOVED)], "delete": [named(DELETED)], "copy": [named(COPIED)]}
        return {each for kind in kinds for each in about.get(kind, [SENT] if kind == "append" else [])}


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """The scene on a Dovecot of its own, kept and restored once."""
    ca = Authority()
    server = Dovecot(ca, max_connections=50).start()
    settings = Settings(
        instance=folder / "instance",
        ca_file=ca.write_anchor(folder / "ca.pem"),
        allow_hosts=AllowList.parse("127.0.0.0/8,::1/128,https://127.0.0.0/8,https://::1/128"),
        ispdb_url="",
    )
    made = Scene(folder, server, settings, ca)
    try:
        _stage(made)
        made.keep()
        yield made
    finally:
        server.close()


Push = Callable[[Runtime, Account, ImapConnection], object]


def work(runtime: Runtime, account_id: int, push: Push = acting.push) -> None:
    """What the mailroom does for one account: push, synchronise, fetch bodies."""
    acting.recover(runtime)
    sync.sync_once(runtime, account_id, push=push)
    with runtime.db.read() as reading:
        account = accounts.read(reading, account_id)
    with sync.connect(runtime, account) as connection:
        reader = fetching.Reader(runtime, account, connection)
        while fetching.fetch_some(reader, since=None):
            pass


def allow(monkeypatch: pytest.MonkeyPatch, timeouts: Timeouts) -> None:
    """These deadlines for every connection of a synchronisation."""
    usual = ImapConnection.connect.__func__.__kwdefaults__  # type: ignore[attr-defined]
    monkeypatch.setitem(usual, "timeouts", timeouts)


def hurry(runtime: Runtime) -> None:
    """Actions that wait after a failure are due now: a test does not wait for the back-off."""
    with runtime.db.write() as connection:
        connection.execute("UPDATE actions SET not_before = created_at WHERE state = 'open'")


def settle(runtime: Runtime, account_id: int, push: Push = acting.push) -> None:
    """What a mailroom does in the minutes after a fault: push what is open, look at all again."""
    for _ in range(3):
        hurry(runtime)
        work(runtime, account_id, push)
        with runtime.db.read() as connection:
            if not actions.open_of(connection, account_id):
                break
    sync.sync_once(runtime, account_id)


def _stage(made: Scene) -> None:
    server = made.server
    server.add_user(ADDRESS, PASSWORD)
    for name in ("Archive", "Sent", "Trash", "Drafts", "Projecten"):
        server.create_folder(ADDRESS, name)
    for number in range(OLD):
        server.deliver(ADDRESS, letter(number), flags=["\\Seen"] if number % 2 else [])
    runtime = made.runtime()
    account = add_account(runtime, RealMailbox(ADDRESS, PASSWORD, server, None))  # type: ignore[arg-type]
    made.account_id = account.id
    sync.sync_once(runtime, account.id)
    _plan_actions(runtime, account)
    runtime.close()
    for number in range(OLD, OLD + NEW):
        server.deliver(ADDRESS, letter(number))
    with server.signed_in(ADDRESS) as client:
        client.select("INBOX")
        _, found = client.uid("SEARCH", "ALL")
        uids = found[0].split()
        for place in range(40, 46):
            client.uid("STORE", uids[place].decode(), "+FLAGS", "(\\Flagged)")
        for place in range(20, 24):
            client.uid("MOVE", uids[place].decode(), "Archive")
        for place in range(30, 33):
            client.uid("STORE", uids[place].decode(), "+FLAGS", "(\\Deleted)")
        client.expunge()
        client.rename("Projecten", "Afgerond")
        client.create("Nieuw")


def _plan_actions(runtime: Runtime, account: Account) -> None:
    """A person reads, moves, copies, deletes and sends."""
    with runtime.mailbox(account.id, account.generation).read() as reading:
        inbox = folders.by_name(reading, "INBOX")
        assert inbox is not None
        uids = messages.uids(reading, inbox.id)
    now = runtime.clock.now()
    with runtime.db.write() as writing:

        def add(kind: actions.Kind, place: int, **arguments: object) -> None:
            key = MessageKey(account.id, "INBOX", inbox.uidvalidity, uids[place])
            actions.add(writing, account.user_id, kind, key, now, arguments=arguments)

        for place in (2, 4, 6):
            add("flag", place, add=["\\Seen"], remove=[])
        for place in MOVED:
            add("move", place, folder="Archive")
        add("delete", DELETED)
        add("copy", COPIED, folder="Archive")
        actions.add(
            writing, account.user_id, "append", MessageKey(account.id, "", 0, 0), now,
            arguments={"flags": ["\\Seen"], "message_id": SENT, "look_first": False},
            content=f"Message-ID: {SENT}\r\nSubject: Verzonden\r\n\r\nHallo\r\n".encode(),
        )  # fmt: skip


def _copy(source: str, target: str) -> None:
    shutil.copy2(source, target)


def _own(place: Path, like: Path) -> None:
    owner = like.stat()
    for path in (place, *place.rglob("*")):
        shutil.chown(path, owner.st_uid, owner.st_gid)
