"""The life that runs one account's errands on a connection of its own: actions, bodies, opened folders."""

from collections.abc import Collection, Generator

from soinbox_web.clock import moment
from soinbox_web.mail.imap import idle
from soinbox_web.mail.imap.commands import CommandRefused, Unavailable
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.model.account import Account
from soinbox_web.problems import Problem
from soinbox_web.services import acting, fetching, searching, sync
from soinbox_web.services.sync.session import Session
from soinbox_web.store import accounts, actions, requests
from soinbox_web.store.requests import Request
from soinbox_web.workers.account_state import AccountState, guarded, hear
from soinbox_web.workers.scheduler import Life, Wait, Woken

IDLE_KEPT = 60.0  # seconds that the connection stays open without work
PAUSE = 5.0  # seconds after a broken connection
WATCHED = 600.0  # seconds that a folder somebody has opened is listened to
ORDER = ("body", "open_folder", "search", "texts")  # in which requests are answered
TURN = 5.0  # seconds that errands may keep the only connection a server allows


class AccountErrands:
    """`life` never delays the synchronising one, nor waits for it; it ends when its post is stopped."""

    def __init__(self, post: AccountState) -> None:
        self.post = post
        self.runtime = post.runtime
        self._watched, self._watched_until = "", 0.0  # the folder that somebody looks at

    def life(self) -> Life:
        self.post.wanted = False  # by a life that fell before
        while not self.post.stopped:
            problem = yield from guarded(self.post, self._work())
            if problem is not None and self._learns_to_share(problem):
                continue
            if problem is not None:
                self._give_up_requests(problem)
                if problem.stage == "sign_in" and problem.retry != "later":
                    self.post.record(problem)
                    self.post.healthy = False
                yield Wait(PAUSE)

    def _work(self) -> Life:
        """Wait for work, then connect and go on until there was none for a while."""
        acting.recover(self.runtime, self.post.account_id)
        yield from self._wait_for_work()
        if self.post.stopped:
            return
        if not self.post.healthy:
            self._refuse_while_failing()
            yield Wait(1.0)
            return
        account = self.post.account()
        if not self.post.budget.take(account.imap.host):
            yield Wait(1.0)
            return
        try:
            yield from self._take_turn()
            yield from self._run_errands(account)
        finally:
            self.post.budget.give(account.imap.host)
            self.post.wanted = False
            if self.post.alone:
                self.post.keeping.ring()

    def _learns_to_share(self, problem: Problem) -> bool:
        """One connection too many for the server while ours listens: from now on the two take turns."""
        if problem.code != "too_many_connections" or self.post.alone or not self.post.listening:
            return False
        self.post.alone = True
        return True

    def _take_turn(self) -> Life:
        """Where the server allows one connection: ask for it, and wait until it is free."""
        if self.post.alone:
            self.post.wanted = True
            self.post.keeping.ring()
            while self.post.listening and not self.post.stopped:
                yield Wait(0.05)

    def _run_errands(self, account: Account) -> Life:
        end = self.runtime.clock.monotonic() + TURN
        with self.post.connected(account) as connection:
            reader = fetching.Reader(self.runtime, account, connection)
            session = sync.open_session(self.runtime, account, connection)
            while not self.post.stopped:
                self._act(account, connection, session, reader)
                if self._fetch_asked(session, reader):
                    continue
                if self.post.alone and self.runtime.clock.monotonic() > end:
                    return
                if fetching.fetch_some(reader) or fetching.tidy(self.runtime, account):
                    yield Wait(0.0)  # others first
                    continue
                if self.post.alone:
                    return
                watching, seconds = self._watches(connection), min(self._until_due(), IDLE_KEPT)
                if watching:
                    rung = yield from self._watch(session, reader, seconds)
                else:
                    rung = (yield Wait(seconds)).rung
                if not rung and not watching and not self._has_due():
                    return

    def _watches(self, connection: ImapConnection) -> bool:
        """A folder is open on some page, and only a connection that has it open hears of it."""
        listens = idle.offered(connection) and not idle.hears_all(connection)
        wanted = self._watched.upper() not in ("", "INBOX")
        return listens and wanted and self.runtime.clock.monotonic() < self._watched_until

    def _watch(
        self, session: Session, reader: fetching.Reader, seconds: float
    ) -> Generator[Wait, Woken, bool]:
        """Listen to the folder that is open on a page, and take in what happens there; True when rung."""
        self._look(session, reader, [self._watched])
        news, rung = yield from hear(idle.Idle(session.connection), seconds)
        if news:
            self._look(session, reader, [self._watched])
        return rung

    @staticmethod
    def _look(session: Session, reader: fetching.Reader, names: Collection[str]) -> None:
        """Synchronise folders; which one is open afterwards is another one than the reader had."""
        sync.synchronise_folders(session, names)
        reader.opened = ("", 0)

    def _act(
        self, account: Account, connection: ImapConnection, session: Session, reader: fetching.Reader
    ) -> None:
        if self._has_due():
            self._look(session, reader, sorted(self.post.push(account, connection)))

    def _fetch_asked(self, session: Session, reader: fetching.Reader) -> bool:
        asked = self._asked()
        for request in asked:
            if request.kind == "open_folder":
                self._watched = request.subject
                self._watched_until = self.runtime.clock.monotonic() + WATCHED
                self._look(session, reader, [request.subject])
                self._finish([request], None)
            elif request.kind == "search":
                self._search(session, request)
                reader.opened = ("", 0)
            elif request.kind == "texts":
                fetching.answer_texts(reader, request)
            else:
                fetching.answer(reader, request)
        return bool(asked)

    def _search(self, session: Session, request: Request) -> None:
        problem = None
        try:
            missing = searching.answer(self.runtime, session.account, session.connection, request.subject)
            for folder, uids in missing.items():
                sync.fetch(session, folder, uids)
        except (CommandRefused, Unavailable) as error:
            problem = error.problem
        self._finish([request], problem)

    def _asked(self) -> list[Request]:
        with self.runtime.db.read() as connection:
            asked = requests.open_of(connection, self.post.account_id)
        return sorted((each for each in asked if each.kind in ORDER), key=lambda each: ORDER.index(each.kind))

    def _wait_for_work(self) -> Life:
        while not self.post.stopped and not self._asked() and not (self._has_due() and self.post.healthy):
            woken = yield Wait(min(self._until_due(), 60.0))
            if woken.rung and self.post.healthy and not self.post.alone:
                return

    def _has_due(self) -> bool:
        with self.runtime.db.read() as connection:
            return bool(actions.due(connection, self.post.account_id, self.runtime.clock.now(), 1))

    def _until_due(self) -> float:
        with self.runtime.db.read() as connection:
            due = actions.next_due(connection, self.post.account_id)
        return max(0.02, (moment(due) - self.runtime.clock.now()).total_seconds()) if due else 3600.0

    def _refuse_while_failing(self) -> None:
        """The account cannot be reached now: say so instead of letting a page wait."""
        with self.runtime.db.read() as connection:
            problem = accounts.status(connection, self.post.account_id, "imap").problem
        if problem is not None:
            self._give_up_requests(problem)

    def _give_up_requests(self, problem: Problem) -> None:
        self._finish(self._asked(), problem)

    def _finish(self, asked: list[Request], problem: Problem | None) -> None:
        with self.runtime.db.write() as connection:
            for request in asked:
                requests.finish(connection, request.id, self.runtime.clock.now(), problem)
