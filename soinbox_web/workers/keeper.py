"""The life that keeps one account up to date: synchronise, listen, try again by the class of failure."""

from collections.abc import Generator
from datetime import datetime

from soinbox_web.mail import idle
from soinbox_web.mail.imap import ImapConnection
from soinbox_web.model.account import Account
from soinbox_web.problems import Problem
from soinbox_web.services import failing, sync
from soinbox_web.services.sync.session import Session
from soinbox_web.store import accounts, requests
from soinbox_web.workers.loop import Life, Wait, Woken
from soinbox_web.workers.post import REFUSED_KEPT, Post, guarded, log

ROUND = 60.0  # seconds between looks at all folders, and at INBOX where the server cannot push


class Keeper:
    """`life` ends when its post is stopped or its account is gone."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.runtime = post.runtime
        self._done_first = False

    def life(self) -> Life:
        post = self.post
        yield from guarded(post, self._wait_out_known_problem())
        while not post.stopped:
            problem = yield from guarded(post, self._work())
            post.healthy.clear()
            if problem is not None:
                log.warning("account %d: %s", post.account_id, problem.code)
                if problem.code == "database_damaged" and sync.discard_unfit(
                    self.runtime, post.account_id, thorough=True
                ):
                    break  # the change that tells of it starts a new post
                retry = post.record(problem)
                yield from guarded(post, self._wait(retry))

    def _wait_out_known_problem(self) -> Life:
        """A failure of before a restart is not forgotten by it."""
        status = self.post.account().imap_status
        if status.problem is not None:
            yield from self._wait(status.next_retry_at)

    def _work(self) -> Life:
        if sync.discard_unfit(self.runtime, self.post.account_id):
            self.post.stop()  # the change that tells of it starts a new post
            return
        account = self.post.account()
        with self.post.connected(account) as connection:
            session = sync.open_session(self.runtime, account, connection)
            mode = "push" if idle.offered(connection) else "poll"
            failing.succeeded(self.runtime, account.id, mode=mode)
            self.post.healthy.set()
            self.post.errands.ring()
            if not self._done_first:
                self.post.push(account, connection)
            sync.synchronise(session)
            self._done_first = True
            self.post.errands.ring()
            while not self.post.stopped:
                yield from self._listen(session, account, connection)

    def _listen(self, session: Session, account: Account, connection: ImapConnection) -> Life:
        """One round: INBOX open and heard of at once, then a look at the other folders."""
        end = self.runtime.clock.monotonic() + ROUND
        self._look_at_inbox(session)
        while not self.post.stopped and (left := end - self.runtime.clock.monotonic()) > 0:
            listen = self._hear if idle.offered(connection) else self._doze
            news = yield from listen(connection, left)
            if news:
                self._look_at_inbox(session)
            if self._answer_refresh(session, account):
                return
        if not self.post.stopped:
            sync.synchronise(session)
            failing.still_well(self.runtime, account.id)

    def _hear(self, connection: ImapConnection, seconds: float) -> Generator[Wait, Woken, bool]:
        """Listen until something happens or the bell rings; True for news."""
        listening = idle.Idle(connection)
        news = listening.begin()
        if not news and not listening.waiting:
            yield Wait(min(seconds, idle.RENEWED), listening)
        news = listening.hear() or news
        return listening.end() or news

    def _doze(self, connection: ImapConnection, seconds: float) -> Generator[Wait, Woken, bool]:
        """Without IDLE: wait; a connection that does not answer afterwards is dead."""
        woken = yield Wait(seconds)
        idle.check(connection)
        return not woken.rung

    def _look_at_inbox(self, session: Session) -> None:
        before = session.report.fetched
        sync.synchronise_folders(session, ["INBOX"])
        if session.report.fetched > before:
            self.post.errands.ring()

    def _answer_refresh(self, session: Session, account: Account) -> bool:
        asked = self._refreshes()
        if asked:
            sync.synchronise(session, thorough=True)
            self._finish(asked, None)
            failing.succeeded(self.runtime, account.id)
        return bool(asked)

    def _refreshes(self) -> list[int]:
        with self.runtime.db.read() as connection:
            asked = requests.open_of(connection, self.post.account_id)
        return [request.id for request in asked if request.kind == "refresh"]

    def _finish(self, asked: list[int], problem: Problem | None) -> None:
        with self.runtime.db.write() as connection:
            for request_id in asked:
                requests.finish(connection, request_id, self.runtime.clock.now(), problem)

    def _wait(self, until: datetime | None) -> Life:
        """Until the time has come, or somebody presses Refresh where that can help."""
        while not self.post.stopped:
            now = self.runtime.clock.now()
            if until is not None and now >= until:
                return
            asked = self._refreshes()
            if asked and self._refresh_helps(now):
                return
            if asked:
                with self.runtime.db.read() as connection:
                    status = accounts.status(connection, self.post.account_id, "imap")
                self._finish(asked, status.problem)
            left = (until - now).total_seconds() if until is not None else 3600.0
            yield Wait(min(max(left, 0.01), 60.0))

    def _refresh_helps(self, now: datetime) -> bool:
        status = self.post.account().imap_status
        if status.problem is None or status.problem.code != "credentials_wrong":
            return True
        return status.last_attempt_at is None or abs(now - status.last_attempt_at) >= REFUSED_KEPT
