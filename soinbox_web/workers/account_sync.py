"""The life that keeps one account up to date: synchronise, listen, try again by the class of failure."""

from collections.abc import Generator
from datetime import datetime

from soinbox_web.mail.imap import idle
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.model.account import Account
from soinbox_web.problems import Problem, SoinboxError
from soinbox_web.services import account_health, sync
from soinbox_web.services.sync.session import Session
from soinbox_web.store import accounts, requests
from soinbox_web.workers.account_state import REFUSED_KEPT, AccountState, guarded, hear, log
from soinbox_web.workers.scheduler import Life, Wait, Woken

SLICE = 0.25  # seconds of work at a stretch while a mailbox is fetched: then others go first
MOST_NEWS = 10_000  # folders; no sane server has more
ROUND = 60.0  # seconds between looks at all folders, and at INBOX where the server cannot push


class AccountSync:
    """`life` ends when its post is stopped or its account is gone."""

    def __init__(self, post: AccountState) -> None:
        self.post = post
        self.runtime = post.runtime
        self._done_first = False
        self._signed = 0.0  # when the last sign of life was given
        self._fetched = 0  # envelopes that this connection had brought when errands heard of it last
        self._elsewhere: dict[str, dict[str, int]] = {}  # what was last made good of other folders

    def life(self) -> Life:
        post = self.post
        post.listening = post.healthy = False  # of a life that fell before
        yield from guarded(post, self._wait_out_known_problem())
        while not post.stopped:
            problem = yield from guarded(post, self._work())
            post.listening = False
            if problem is None and post.wanted:
                yield from guarded(post, self._let_errands_go_first())
                continue
            post.healthy = False
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
        self.post.sign()  # nothing can be noted while this cannot: then no server is asked in vain
        self._signed = self.runtime.clock.monotonic()
        with self.post.connected(account) as connection:
            session, self._fetched = sync.open_session(self.runtime, account, connection), 0
            mode = "push" if idle.offered(connection) else "poll"
            mode = "push_all" if idle.hears_all(connection) else mode
            account_health.succeeded(self.runtime, account.id, mode=mode)
            self.post.healthy = True
            self.post.listening = True
            self.post.errands.ring()
            try:
                yield from self._keep_up(session, account, connection)
            except SoinboxError:
                if not session.again:
                    raise  # else the next connection goes around what this one broke over

    def _keep_up(self, session: Session, account: Account, connection: ImapConnection) -> Life:
        if not self._done_first:
            self.post.push(account, connection)
        yield from self._synchronise(session)
        if self._must_go:
            return
        self._done_first = True
        self.post.errands.ring()
        while not self._must_go:
            yield from self._listen(session, account, connection)

    @property
    def _must_go(self) -> bool:
        return self.post.stopped or self.post.wanted

    def _let_errands_go_first(self) -> Life:
        """The only connection that the server allows is theirs until they are done."""
        self.post.errands.ring()
        while self.post.wanted and not self.post.stopped:
            yield Wait(60.0)

    def _listen(self, session: Session, account: Account, connection: ImapConnection) -> Life:
        """One round: INBOX open and heard of at once, then a look at the other folders."""
        end = self.runtime.clock.monotonic() + ROUND
        self._look_at_inbox(session)
        while not self._must_go and (left := end - self.runtime.clock.monotonic()) > 0:
            listen = self._hear if idle.offered(connection) else self._doze
            news = yield from listen(session, left)
            if news:
                self._look_at_inbox(session, news=True)
            if (yield from self._answer_refresh(session, account)):
                return
        if not self._must_go:
            yield from self._synchronise(session)
            account_health.still_well(self.runtime, account.id, alive=self.post.whole)
            self._signed = self.runtime.clock.monotonic()

    def _synchronise(self, session: Session, *, thorough: bool = False) -> Life:
        """All folders, in slices."""
        began, rung = self.runtime.clock.monotonic(), False
        for _ in sync.synchronising(session, thorough=thorough):
            if self._must_go:
                return  # the connection ends here, with whatever it still has to say
            if self.runtime.clock.monotonic() - began > SLICE:
                rung = (yield Wait(0.0)).rung or rung
                began = self.runtime.clock.monotonic()
                self._sign()
        self._have_texts_fetched(session)
        if rung:
            self.post.keeping.ring()  # for what comes next: nobody has answered it yet

    def _sign(self) -> None:
        """A sign of life once a round, whatever takes so long."""
        if self.runtime.clock.monotonic() - self._signed >= ROUND:
            self._signed = self.runtime.clock.monotonic()
            self.post.sign()

    def _hear(self, session: Session, seconds: float) -> Generator[Wait, Woken, bool]:
        """Listen until something happens or the bell rings; True when INBOX is to be looked at again.

        With NOTIFY that is always so: Dovecot does not tell what came to INBOX between two listenings.
        """
        listening = idle.Idle(session.connection)
        news, _ = yield from hear(
            listening,
            min(seconds, idle.RENEWED),
            at_once=lambda: sync.differing(session, self._fresh(listening)) != [],
        )
        if news:
            sync.fetch_news(session, "INBOX")
        fresh = self._fresh(listening)
        others = sync.differing(session, fresh)
        if others != []:
            self._elsewhere = {**self._elsewhere, **fresh} if len(self._elsewhere) < MOST_NEWS else fresh
        if others is None:
            yield from self._synchronise(session)
        elif others:
            sync.synchronise_folders(session, others)
        return news or others != [] or idle.hears_all(session.connection)

    def _fresh(self, listening: idle.Idle) -> dict[str, dict[str, int]]:
        """What the server says of other folders; nothing that was made good before, or it would never end."""
        return {
            wire: counts
            for wire, counts in listening.elsewhere.items()
            if wire.upper() != "INBOX" and self._elsewhere.get(wire) != counts
        }

    def _doze(self, session: Session, seconds: float) -> Generator[Wait, Woken, bool]:
        """Without IDLE: wait; a connection that does not answer afterwards is dead."""
        woken = yield Wait(seconds)
        idle.check(session.connection)
        return not woken.rung

    def _look_at_inbox(self, session: Session, *, news: bool = False) -> None:
        if news:
            sync.synchronise_folders(session, ["INBOX"])
        else:
            sync.refresh(session, "INBOX")
        self._have_texts_fetched(session)

    def _have_texts_fetched(self, session: Session) -> None:
        """The other life fetches the texts of what is new here, however it came."""
        if session.report.fetched > self._fetched:
            self._fetched = session.report.fetched
            self.post.errands.ring()

    def _answer_refresh(self, session: Session, account: Account) -> Generator[Wait, Woken, bool]:
        asked = self._refreshes()
        if asked:
            yield from self._synchronise(session, thorough=True)
            self._finish(asked, None)
            account_health.succeeded(self.runtime, account.id)
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
