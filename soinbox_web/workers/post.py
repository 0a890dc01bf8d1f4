"""What the two threads of one account share: who it is, its bells, and what is known of its health."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from soinbox_web.mail.imap import ImapConnection
from soinbox_web.mail.net import Network
from soinbox_web.model.account import Account
from soinbox_web.problems import AccessError, Problem, SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.services import acting, sync
from soinbox_web.store import accounts
from soinbox_web.workers.wakeup import Wakeup

log = logging.getLogger("soinbox.mailroom")


class Post:
    """One account's place in the mailroom; `stop` ends both of its threads, wherever they wait."""

    def __init__(self, runtime: Runtime, account_id: int, network: Network) -> None:
        self.runtime = runtime
        self.account_id = account_id
        self.network = network
        self.keeping = Wakeup()  # rung for the thread that synchronises
        self.errands = Wakeup()  # rung for the thread that acts and fetches
        self.healthy = threading.Event()  # signed in at the last try
        self._stopped = threading.Event()
        self._pushing = threading.Lock()
        self._connections: list[ImapConnection] = []
        self._guard = threading.Lock()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def stop(self) -> None:
        self._stopped.set()
        with self._guard:
            for connection in self._connections:
                connection.close()
        self.keeping.ring()
        self.errands.ring()

    def account(self) -> Account:
        """The account as it is now; AccessError when it is gone."""
        with self.runtime.db.read() as connection:
            return accounts.read(connection, self.account_id)

    @contextmanager
    def connected(self, account: Account) -> Iterator[ImapConnection]:
        """A signed-in connection that `stop` closes under the feet of its user."""
        connection = sync.connect(self.runtime, account, self.network)
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

    def push(self, account: Account, connection: ImapConnection) -> set[str]:
        """Push due actions, one thread at a time so that they keep their order."""
        with self._pushing:
            return acting.push(self.runtime, account, connection)


def guarded(post: Post, work: Callable[[], None]) -> Problem | None:
    """Run; the problem it ended with. Errors of our own making become one too: no worker dies of them."""
    try:
        work()
    except AccessError:
        return None if post.stopped or _gone(post) else Problem("not_found", "imap")
    except SoinboxError as error:
        return None if post.stopped else error.problem
    except Exception as error:
        if post.stopped:
            return None
        log.exception("account %d: %s", post.account_id, type(error).__name__)
        return Problem("unknown", "imap", evidence=type(error).__name__)
    return None


def _gone(post: Post) -> bool:
    try:
        post.account()
    except AccessError:
        post.stop()
        return True
    return False
