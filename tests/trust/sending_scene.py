"""A mail that is about to be sent: who writes it, the two servers, and what may never become of it.

The submission server is a real one on the loopback net that misbehaves as told; Dovecot holds Sent.
"""

import contextlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from soinbox_web.clock import SystemClock
from soinbox_web.mail.net.opening import Timeouts
from soinbox_web.mail.smtp.submission import SmtpConnection
from soinbox_web.model.account import Account
from soinbox_web.model.allow_list import AllowList
from soinbox_web.model.member import Member
from soinbox_web.model.server import Login
from soinbox_web.problems import AccessError
from soinbox_web.rehearsal.behaviour import SmtpBehaviour
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.rehearsal.scripted_smtp import Accepted
from soinbox_web.runtime import Runtime, build
from soinbox_web.services import acting, composing, members, sending, sync
from soinbox_web.services.composing import Typed
from soinbox_web.settings import Settings
from soinbox_web.store import accounts, outbox
from soinbox_web.store.database import Database
from soinbox_web.store.outbox import OutboxRow
from soinbox_web.workers import outbox as worker
from tests.servers.dovecot import Dovecot
from tests.servers.postbox import Postbox
from tests.servers.soinbox import Soinbox, trusting

ADDRESS, PASSWORD = "anna@noordlicht.example", "lampje-voor-anna"
BRAM, VOL, WEG = "bram@klant.example", "vol@klant.example", "weg@klant.example"
FULL = b"450 4.2.2 Mailbox full"
PATIENT, SHORT = 20.0, 0.5  # seconds for an answer
SITTINGS = 6  # after a fault; each two hours after the one before

Moment = Literal["first", "retry", "rest", "copy"]
"""The first try; the second of a mail nobody has, or that only Vol lacks; a copy that is to be filed."""


class Later(SystemClock):
    """The machine's clock, put forward."""

    def __init__(self, hours: float = 0.0) -> None:
        self.by = timedelta(hours=hours)

    def now(self) -> datetime:
        return super().now() + self.by


def customer(number: int) -> str:
    return f"klant.{number}@klant.example"


@dataclass
class Scene:
    """`restore(moment)` puts servers and instance back, so that every run begins alike."""

    folder: Path
    server: Dovecot
    smtp: Postbox
    settings: Settings
    honest: SmtpBehaviour
    member: Member | None = None
    user_id: int = 0
    account_id: int = 0
    draft_id: int = 0
    clicks: bool = True  # somebody clicks *Send*; otherwise only the command line sends
    files_itself: bool = False  # the provider puts a copy in Sent
    kept: dict[str, list[Accepted]] = field(default_factory=dict)
    kept_copies: dict[str, list[bytes]] = field(default_factory=dict)
    _filed: int = 0

    def runtime(self, database: type[Database] = Database, *, hours: float = 0.0) -> Runtime:
        return build(self.settings, Later(hours), database=database)

    def product(self, command: str = "serve") -> Soinbox:
        """The product on this instance, not started."""
        assert self.settings.ca_file is not None
        return Soinbox(self.settings.instance, trusting(self.settings.ca_file), command=command)

    def written(self, runtime: Runtime, number: int) -> int:
        """A draft to the customer of this number."""
        draft = composing.start(runtime, self.user_id, self.account_id, "new")
        typed = Typed(self.account_id, customer(number), subject=f"Vraag {number}", body="Hoi")
        composing.save(runtime, self.user_id, draft, typed)
        return draft

    def keep(self, moment: Moment) -> None:
        self.kept[moment] = list(self.smtp.messages)
        self.kept_copies[moment] = self.server.messages(ADDRESS, "Sent")
        shutil.copytree(self.settings.instance, self.folder / f"kept-{moment}")

    def restore(self, moment: Moment) -> None:
        self.behave()
        self.smtp.messages = list(self.kept[moment])
        self._filed, self.files_itself, self.clicks = len(self.kept[moment]), False, True
        shutil.rmtree(self.settings.instance)
        shutil.copytree(self.folder / f"kept-{moment}", self.settings.instance)
        for letter in (self.server.maildir(ADDRESS, "Sent") / "cur").iterdir():
            letter.unlink()
        for raw in self.kept_copies[moment]:
            self.server.deliver(ADDRESS, raw, folder="Sent", flags=["\\Seen"])

    def behave(self, cut_after: str = "", **behaviour: object) -> None:
        """The submission server does this from now on; without words it is honest."""
        self.smtp.go_on()
        self.smtp.cut_after, self.smtp.gullible = cut_after, False
        self.smtp.behaviour = replace(self.honest, **behaviour)  # type: ignore[arg-type]
        impatient = "stall_at" in behaviour
        _timeouts()["timeouts"] = (
            Timeouts(command=SHORT, dot=SHORT, greeting=SHORT)
            if impatient
            else Timeouts(command=PATIENT, dot=PATIENT)
        )

    def provider_files(self) -> None:
        """What was accepted since lies in Sent, where the provider does that."""
        self.smtp.rest()
        for message in self.smtp.messages[self._filed :] if self.files_itself else ():
            self.server.deliver(ADDRESS, message.data, folder="Sent", flags=["\\Seen"])
        self._filed = len(self.smtp.messages)

    def let_provider_file(self) -> None:
        self.files_itself = True
        runtime = self.runtime()
        with runtime.db.write() as connection:
            connection.execute("UPDATE accounts SET files_sent_copy = 'yes'")
        runtime.close()


def _timeouts() -> dict[str, object]:
    found: dict[str, object] = SmtpConnection.connect.__func__.__kwdefaults__  # type: ignore[attr-defined]
    return found


@contextmanager
def scene(
    folder: Path,
    postbox: Callable[[SmtpBehaviour], AbstractContextManager[Any]] = Postbox,
    *,
    moments: bool = True,
) -> Iterator[Scene]:
    """The scene on servers of its own; `postbox` makes the submission server.

    Without `moments` it can be restored to "first" only, which is sooner there.
    """
    ca = Authority()
    server = Dovecot(ca, max_connections=50).start()
    honest = SmtpBehaviour(tls="implicit", certificate=ca.issue("127.0.0.1"))
    settings = Settings(
        instance=folder / "instance",
        ca_file=ca.write_anchor(folder / "ca.pem"),
        allow_hosts=AllowList.parse("127.0.0.0/8,::1/128,https://127.0.0.0/8,https://::1/128"),
        ispdb_url="",
    )
    usual = dict(_timeouts())
    with postbox(honest) as smtp:
        try:
            made = Scene(folder, server, smtp, settings, honest)
            _stage(made)
            if moments:
                _keep_moments(made)
            yield made
        finally:
            _timeouts().update(usual)
            server.close()


def _stage(made: Scene) -> None:
    made.server.add_user(ADDRESS, PASSWORD)
    made.server.create_folder(ADDRESS, "Sent")
    runtime = made.runtime()
    made.member = members.add(runtime, ADDRESS, "Anna de Vries", "licht aan in huis", True)
    made.user_id = made.member.id
    imap = Login(made.server.host, made.server.imaps_port, "ssl", ADDRESS)
    smtp = Login("127.0.0.1", made.smtp.port, "ssl", ADDRESS)
    with runtime.db.write() as connection:
        made.account_id = accounts.insert(
            connection, made.user_id, ADDRESS, imap, smtp, runtime.clock.now(), files_sent_copy="no"
        )
        account = accounts.read(connection, made.account_id)
        for side in ("imap", "smtp"):
            accounts.seal_secret(connection, runtime.vault, account, side, PASSWORD)
    sync.sync_once(runtime, account.id)
    made.draft_id = composing.start(runtime, made.user_id, account.id, "new")
    typed = Typed(account.id, f"{BRAM}, {VOL}, {WEG}", subject="Vraag", body="Hoi\n.\nTot ziens\n")
    composing.save(runtime, made.user_id, made.draft_id, typed)
    runtime.close()
    made.keep("first")


def _keep_moments(made: Scene) -> None:
    for moment, behaviour in (
        ("retry", {"answers": {"MAIL": b"451 4.3.0 busy"}}),
        ("rest", {"recipients": {VOL: FULL}}),
    ):
        made.restore("first")
        made.behave(**behaviour)
        runtime = made.runtime()
        sitting(runtime, made)
        runtime.close()
        made.keep(moment)  # type: ignore[arg-type]
    made.restore("first")
    runtime = made.runtime()
    deliver(runtime, made)
    runtime.close()
    made.keep("copy")


# What the product does.


def sitting(runtime: Runtime, made: Scene) -> None:
    """A person clicks *Send* (again), then a mailroom starts and does all that is to be done now."""
    deliver(runtime, made)
    push(runtime, made)


def deliver(runtime: Runtime, made: Scene) -> None:
    if made.clicks:
        with contextlib.suppress(AccessError):  # sent, so the draft is gone
            sending.queue(runtime, made.user_id, made.draft_id)
    pass_time(runtime, timedelta(minutes=2))
    acting.recover(runtime)
    sending.recover(runtime, at_once=True)
    for row in worker.due(runtime):
        sending.deliver(runtime, row.id)


def push(runtime: Runtime, made: Scene) -> None:
    """What `soinbox sync` does first, and the mailroom."""
    account = account_of(runtime, made)
    with sync.connect(runtime, account) as connection:
        acting.push(runtime, account, connection)


def command(runtime: Runtime, made: Scene) -> None:
    """`soinbox send`."""
    letter = f"To: {BRAM}, {VOL}, {WEG}\r\nSubject: Vraag\r\n\r\nHoi\r\n.\r\n".encode()
    sending.send_file(runtime, account_of(runtime, made), letter, str)


def calm_down(made: Scene, database: type[Database] = Database) -> list[str]:
    """The mailroom is started again, hours later each time, until nothing is left to do; what still is."""
    left: list[str] = []
    for number in range(1, SITTINGS):
        made.provider_files()
        runtime = made.runtime(database, hours=2.0 * number)
        try:
            sitting(runtime, made)
            sync.sync_once(runtime, made.account_id, push=acting.push)
            sending.settle_found(runtime)
            left = unfinished(runtime)
        finally:
            runtime.close()
        if not left:
            break
    made.smtp.rest()
    return left


def pass_time(runtime: Runtime, by: timedelta) -> None:
    assert isinstance(runtime.clock, Later)
    runtime.clock.by += by


def account_of(runtime: Runtime, made: Scene) -> Account:
    with runtime.db.read() as connection:
        return accounts.read(connection, made.account_id)


def unfinished(runtime: Runtime) -> list[str]:
    with runtime.db.read() as connection:
        mails = connection.execute("SELECT id, state FROM outbox WHERE state IN ('held', 'sending')")
        open_ = connection.execute("SELECT id, kind, state FROM actions WHERE state IN ('open', 'claimed')")
        return [f"mail {row['id']} is {row['state']} for ever" for row in mails] + [
            f"action {row['id']} ({row['kind']}) is {row['state']} for ever" for row in open_
        ]


# What became of it.


@dataclass
class Fate:
    """The mail's end: `copies` that the server accepted for each recipient, its row, its copies in Sent."""

    row: OutboxRow | None
    copies: Counter[str]
    filed: int
    draft: bool | None  # is still there; None: the mail was none

    def wrong(self, made: Scene) -> list[str]:
        """What may never be: doubled, lost without a word, told otherwise than it is."""
        if self.row is None:
            return ["no mail, whatever was clicked"] if made.clicks or self.copies else []
        row, found = self.row, []
        for each in row.recipients:
            copies = self.copies[each.address]
            if copies > 1:
                found.append(f"doubled: {each.address} has it {copies} times")
            if each.state == "sent" and not copies:
                found.append(f"lost: {each.address} is said to have it")
            if each.state in ("refused", "not_sent", "delayed", "waiting") and copies:
                found.append(f"{each.address} has it and is said to be {each.state}")
            allowed = {"sent": ("sent", "refused"), "failed": ("sent", "refused", "delayed", "not_sent")}
            if each.state not in allowed.get(row.state, (each.state,)):
                found.append(f"lost: {each.address} is {each.state} in a mail that is {row.state}")
        if row.state not in ("sent", "failed", "uncertain"):
            found.append(f"the mail is {row.state}")
        if row.problem is None and row.state != "sent":
            found.append("nobody is told why")
        if any(each.state == "refused" and not each.line for each in row.recipients):
            found.append("nobody is told why one was refused")
        if self.draft is (row.state == "sent"):
            found.append(f"the draft is {'there' if self.draft else 'gone'}, the mail {row.state}")
        due = 0 if made.files_itself or not row.reached else 1
        if not made.files_itself and self.filed != due:
            found.append(f"{self.filed} copies in Sent, not {due}")
        return found


def fate(made: Scene) -> Fate:
    runtime = made.runtime()
    try:
        with runtime.db.read() as connection:
            rows = outbox.of_user(connection, made.user_id)
            draft = connection.execute("SELECT 1 FROM drafts WHERE id = ?", (made.draft_id,)).fetchone()
    finally:
        runtime.close()
    assert len(rows) <= 1, "one draft became two mails"
    copies = Counter(each for message in made.smtp.messages for each in message.recipients)
    filed = len(made.server.messages(ADDRESS, "Sent"))
    return Fate(rows[0] if rows else None, copies, filed, draft is not None if made.clicks else None)
