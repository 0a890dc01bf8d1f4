"""What the two lives of one account share: who it is, its bells, and what is known of its health."""

import logging
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.imap.idle import Idle
from soinbox_web.mail.net.network import Network
from soinbox_web.model.account import Account
from soinbox_web.problems import AccessError, Problem, SignInError, SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.services import account_health, acting, sync
from soinbox_web.store import accounts
from soinbox_web.workers.connection_budget import Budget
from soinbox_web.workers.scheduler import Life, Scheduler, Wait, Woken

REFUSED_KEPT = timedelta(minutes=15)
RECENT = 60.0  # seconds

log = logging.getLogger("soinbox.mailroom")


class AccountState:
    """One account's place in the mailroom; `stop` ends both of its lives, wherever they wait.

    Its flags are set in one thread and read in others; nobody waits for them (an Event each took a quarter
    of what a quiet account costs, measured).
    """

    def __init__(
        self, runtime: Runtime, account: Account, network: Network, loop: Scheduler, budget: Budget
    ) -> None:
        self.runtime = runtime
        self.account_id = account.id
        self.network = network
        self.budget = budget
        # Rung for the life that synchronises, and for the one that acts and fetches.
        self.keeping, self.errands = (loop.bell(account.imap.host, account.user_id) for _ in range(2))
        self.healthy = False  # signed in at the last try
        self.alone = False  # the server allows one connection: the two lives take turns with it
        self.wanted = False  # errands wait for their turn
        self.listening = False  # a connection for listening is open
        self.stopped = False
        self._fell_at = float("-inf")
        self._pushing = threading.Lock()
        self._connections: list[ImapConnection] = []
        self._guard = threading.Lock()
        self._signing_in = threading.Lock()
        self._refused: Problem | None = None
        self._refused_at: datetime | None = None
        self._retry: datetime | None = None
        self._recorded = False

    def stop(self) -> None:
        self.stopped = True
        with self._guard:
            for connection in self._connections:
                connection.hang_up()
        self.keeping.ring()
        self.errands.ring()

    @property
    def is_over(self) -> bool:
        """One of the lives has ended, by itself; they begin again together."""
        return self.stopped or self.keeping.over or self.errands.over

    def fell(self) -> None:
        """One of the two lives ended by an error."""
        self._fell_at = self.runtime.clock.monotonic()

    @property
    def whole(self) -> bool:
        """Neither of the two lives has fallen lately."""
        return self.runtime.clock.monotonic() - self._fell_at >= RECENT

    def sign(self) -> None:
        """Say that both lives run; who says nothing for some minutes is not well."""
        account_health.signed(self.runtime, self.account_id, alive=self.whole)

    def account(self) -> Account:
        """The account as it is now; AccessError when it is gone."""
        with self.runtime.db.read() as connection:
            return accounts.read(connection, self.account_id)

    @contextmanager
    def connected(self, account: Account) -> Iterator[ImapConnection]:
        """A signed-in connection that `stop` ends under the feet of its user."""
        with self._signing_in:
            connection = self._signed_in(account)
        with self._guard:
            self._connections.append(connection)
        try:
            if self.stopped:
                raise AccessError(Problem("not_found", "imap"))
            yield connection
        finally:
            with self._guard:
                self._connections.remove(connection)
            connection.close() if self.stopped else connection.logout()

    def _signed_in(self, account: Account) -> ImapConnection:
        """A refused password is not sent again within 15 minutes, by any thread: the answer is known."""
        now = self.runtime.clock.now()
        if self._refused is not None and self._refused_at and abs(now - self._refused_at) < REFUSED_KEPT:
            raise SignInError(self._refused)
        try:
            return sync.connect(self.runtime, account, self.network)
        except SignInError as error:
            if error.problem.code == "credentials_wrong":
                self._refused, self._refused_at, self._recorded = error.problem, now, False
            raise

    def record(self, problem: Problem) -> datetime | None:
        """Note a failure, a remembered refusal once; when to try again."""
        if problem is self._refused and self._recorded:
            account_health.stays_failed(self.runtime, self.account_id, problem, self._retry)
            return self._retry
        retry = account_health.failed(self.runtime, self.account_id, problem)
        if problem is self._refused:
            self._retry, self._recorded = retry, True
        return retry

    def push(self, account: Account, connection: ImapConnection) -> set[str]:
        """Push due actions, one thread at a time so that they keep their order."""
        with self._pushing:
            return acting.push(self.runtime, account, connection)


def guarded(post: AccountState, work: Life) -> Generator[Wait, Woken, Problem | None]:
    """Run; the problem it ended with. Errors of our own making become one too."""
    try:
        yield from work
    except AccessError:
        return None if post.stopped or _gone(post) else Problem("not_found", "imap")
    except SoinboxError as error:
        return None if post.stopped else error.problem
    except Exception as error:
        if post.stopped:
            return None
        log.exception("account %d: %s", post.account_id, type(error).__name__)
        return Problem("unexpected", "imap", evidence=type(error).__name__)
    return None


def hear(
    listening: Idle, seconds: float, *, at_once: Callable[[], bool] = lambda: False
) -> Generator[Wait, Woken, tuple[bool, bool]]:
    """Listen to the folder that is open until something happens, the bell rings or the time is over.

    Whether something happened there, and whether the bell rang. Nobody waits when `at_once` says so.
    """
    rung, news = False, listening.begin()
    if not news and not listening.waiting and not at_once():
        rung = (yield Wait(seconds, listening)).rung
    news = listening.hear() or news
    return listening.end() or news, rung


def _gone(post: AccountState) -> bool:
    try:
        post.account()
    except AccessError:
        post.stop()
        return True
    return False
