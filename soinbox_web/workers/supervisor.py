"""The supervisor: a post for every account, heard of by the change log; nothing is asked in between."""

import re
import sqlite3
import threading
from functools import partial

from soinbox_web.mail.net.network import Network
from soinbox_web.model.account import Account
from soinbox_web.runtime import Runtime
from soinbox_web.services import acting
from soinbox_web.store import accounts, changes
from soinbox_web.workers.account_errands import AccountErrands
from soinbox_web.workers.account_state import AccountState
from soinbox_web.workers.account_sync import AccountSync
from soinbox_web.workers.connection_budget import Budget
from soinbox_web.workers.scheduler import Bell, Scheduler
from soinbox_web.workers.watch import Watch, living

LOOK_EVERY = 0.025  # seconds; a look costs some microseconds
RECONCILE_EVERY = 60.0
_FILE = re.compile(r"(\d+)-(\d+)\.sqlite")


class Supervisor:
    """Begins and ends the two lives of each account, and rings their bells."""

    def __init__(self, runtime: Runtime, watch: Watch | None = None) -> None:
        self.runtime = runtime
        self.watch = watch or Watch(runtime.clock)
        self.network = Network(runtime.settings, runtime.clock)
        self.posts: dict[int, AccountState] = {}
        self.loop = Scheduler(runtime.clock)
        self.budget = Budget()
        self._ending: list[Bell] = []
        self._heard = -1  # the last change that the posts know of; none yet

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set."""
        over = threading.Event()
        looping = self.watch.begin("loop", partial(self.loop.run, over), over)
        self.watch.keep("accounts", partial(self._follow, stop), stop)
        self.end()
        over.set()
        looping.join(2.0)
        self.loop.close()

    def _follow(self, stop: threading.Event) -> None:
        """Keep the posts as the accounts are; after an error it goes on with the first change not heard."""
        version, reconciled = -1, 0.0
        if self._heard < 0:
            self._heard = self._latest()
        while not stop.wait(LOOK_EVERY):
            now = self.runtime.clock.monotonic()
            if now - reconciled >= RECONCILE_EVERY or reconciled == 0.0:
                self.reconcile()
                reconciled = now
            current = self.runtime.db.data_version()
            if current != version:
                self._heard = self._hear(self._heard)
                version = current

    def end(self) -> None:
        """Stop every post; their lives are given a second and a half."""
        for account_id in list(self.posts):
            self._close(account_id)
        end = self.runtime.clock.monotonic() + 1.5
        while self.runtime.clock.monotonic() < end and not all(bell.over for bell in self._ending):
            self.runtime.clock.sleep(LOOK_EVERY)

    def reconcile(self) -> None:
        """A post for each account that is not paused, none for others, no file of an account that is gone.

        What a dead process was to tell a server is told by somebody who lives. A post of which a life is over
        makes room for another.
        """
        for account_id in [each.account_id for each in self.posts.values() if each.is_over]:
            self._close(account_id)
        acting.recover(self.runtime)
        with self.runtime.db.read() as connection:
            known = {account.id: account for account in accounts.all(connection)}
        for account_id in set(self.posts) - {each.id for each in known.values() if not each.paused}:
            self._close(account_id)
        for account in known.values():
            if account.id not in self.posts and not account.paused:
                self._open(account)
        self._ending = [bell for bell in self._ending if not bell.over]
        current = {(account.id, account.generation) for account in known.values()}
        for path in (self.runtime.settings.instance / "mailboxes").glob("*.sqlite"):
            found = _FILE.fullmatch(path.name)
            if found and (int(found[1]), int(found[2])) not in current:
                self.runtime.forget_mailbox(int(found[1]), int(found[2]))

    def _hear(self, heard: int) -> int:
        with self.runtime.db.read() as connection:
            found = changes.since(connection, heard)
        if any(row["topic"] == "account" for row in found):
            for account_id in {row["account_id"] for row in found if row["topic"] == "account"}:
                self._close(account_id)
            self.reconcile()
        if any(row["topic"] == "request" and self._lacks(row["account_id"]) for row in found):
            self.reconcile()
        for row in found:
            self._ring(row)
        return int(found[-1]["id"]) if found else heard

    def _lacks(self, account_id: int) -> bool:
        """Somebody asks for what nobody does."""
        post = self.posts.get(account_id)
        return post is None or post.is_over

    def _ring(self, row: sqlite3.Row) -> None:
        post = self.posts.get(row["account_id"])
        if post is None:
            return
        if row["topic"] == "action" or (
            row["topic"] == "request" and row["detail"] in ("body", "open_folder", "search", "texts")
        ):
            post.errands.ring()
        elif row["topic"] == "request" and row["detail"] == "refresh":
            post.keeping.ring()

    def _open(self, account: Account) -> None:
        post = self.posts[account.id] = AccountState(
            self.runtime, account, self.network, self.loop, self.budget
        )
        release = partial(self.runtime.release, account.id)
        self.loop.begin(post.keeping, living(post, "keeper", lambda: AccountSync(post).life()), release)
        self.loop.begin(post.errands, living(post, "errands", lambda: AccountErrands(post).life()), release)

    def _close(self, account_id: int) -> None:
        post = self.posts.pop(account_id, None)
        if post is not None:
            post.stop()
            self._ending += [post.keeping, post.errands]

    def _latest(self) -> int:
        with self.runtime.db.read() as connection:
            return changes.latest(connection)
