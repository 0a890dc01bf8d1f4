"""The life that runs one account's errands on a connection of its own: actions, bodies, opened folders."""

from soinbox_web.clock import moment
from soinbox_web.mail.answers import CommandRefused
from soinbox_web.mail.imap import ImapConnection
from soinbox_web.model.account import Account
from soinbox_web.problems import Problem
from soinbox_web.services import fetching, searching, sync
from soinbox_web.services.sync.session import Session
from soinbox_web.store import accounts, actions, requests
from soinbox_web.store.requests import Request
from soinbox_web.workers.loop import Life, Wait
from soinbox_web.workers.post import Post, guarded

IDLE_KEPT = 60.0  # seconds that the connection stays open without work
PAUSE = 5.0  # seconds after a broken connection


class Runner:
    """`life` never delays the synchronising one, nor waits for it; it ends when its post is stopped."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.runtime = post.runtime

    def life(self) -> Life:
        while not self.post.stopped:
            problem = yield from guarded(self.post, self._work())
            if problem is not None:
                self._give_up_requests(problem)
                if problem.stage == "sign_in" and problem.retry != "later":
                    self.post.record(problem)
                    self.post.healthy.clear()
                yield Wait(PAUSE)

    def _work(self) -> Life:
        """Wait for work, then connect and go on until there was none for a while."""
        yield from self._wait_for_work()
        if self.post.stopped:
            return
        if not self.post.healthy.is_set():
            self._refuse_while_failing()
            yield Wait(1.0)
            return
        account = self.post.account()
        with self.post.connected(account) as connection:
            reader = fetching.Reader(self.runtime, account, connection)
            session = sync.open_session(self.runtime, account, connection)
            while not self.post.stopped:
                self._act(account, connection, session, reader)
                if self._fetch_asked(session, reader):
                    continue
                if fetching.fetch_some(reader):
                    yield Wait(0.0)  # others first
                    continue
                woken = yield Wait(min(self._until_due(), IDLE_KEPT))
                if not woken.rung and not self._has_due():
                    return

    def _act(
        self, account: Account, connection: ImapConnection, session: Session, reader: fetching.Reader
    ) -> None:
        if self._has_due():
            touched = self.post.push(account, connection)
            sync.synchronise_folders(session, sorted(touched))
            reader.opened = ("", 0)

    def _fetch_asked(self, session: Session, reader: fetching.Reader) -> bool:
        asked = self._asked()
        for request in asked:
            if request.kind == "open_folder":
                sync.synchronise_folders(session, [request.subject])
                reader.opened = ("", 0)
                self._finish([request], None)
            elif request.kind == "search":
                self._search(session, request)
                reader.opened = ("", 0)
            else:
                fetching.answer(reader, request)
        return bool(asked)

    def _search(self, session: Session, request: Request) -> None:
        problem = None
        try:
            missing = searching.answer(self.runtime, session.account, session.connection, request.subject)
            for folder, uids in missing.items():
                sync.fetch(session, folder, uids)
        except CommandRefused as error:
            problem = error.problem
        self._finish([request], problem)

    def _asked(self) -> list[Request]:
        with self.runtime.db.read() as connection:
            asked = requests.open_of(connection, self.post.account_id)
        wanted = [request for request in asked if request.kind in ("body", "open_folder", "search")]
        return sorted(wanted, key=lambda request: request.kind != "body")

    def _wait_for_work(self) -> Life:
        while (
            not self.post.stopped
            and not self._asked()
            and not (self._has_due() and self.post.healthy.is_set())
        ):
            woken = yield Wait(min(self._until_due(), 60.0))
            if woken.rung and self.post.healthy.is_set():
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
