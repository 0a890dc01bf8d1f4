"""The supervisor: a post for every account, heard of by the change log; nothing is asked in between."""

import re
import sqlite3
import threading

from soinbox_web.mail.net import Network
from soinbox_web.problems import StoreError
from soinbox_web.runtime import Runtime
from soinbox_web.services import acting
from soinbox_web.store import accounts, changes
from soinbox_web.workers.keeper import Keeper
from soinbox_web.workers.post import Post, log
from soinbox_web.workers.runner import Runner

LOOK_EVERY = 0.025  # seconds; a look costs some microseconds
RECONCILE_EVERY = 60.0
_FILE = re.compile(r"(\d+)-(\d+)\.sqlite")


class Supervisor:
    """Starts and stops the two threads of each account, and rings their bells."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.network = Network(runtime.settings, runtime.clock)
        self.posts: dict[int, Post] = {}
        self._threads: list[threading.Thread] = []

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set."""
        version, heard, reconciled = -1, self._latest(), 0.0
        acting.recover(self.runtime)
        while not stop.wait(LOOK_EVERY):
            try:
                now = self.runtime.clock.monotonic()
                if now - reconciled >= RECONCILE_EVERY or reconciled == 0.0:
                    self.reconcile()
                    reconciled = now
                current = self.runtime.db.data_version()
                if current != version:
                    heard = self._hear(heard)
                    version = current
            except StoreError as error:  # a full disk or a long backup passes
                log.warning("supervisor: %s", error.problem.code)
                stop.wait(1.0)
        self.end()

    def end(self) -> None:
        """Stop every post; their threads are given a second and a half."""
        for post in self.posts.values():
            post.stop()
        end = self.runtime.clock.monotonic() + 1.5
        for thread in self._threads:
            thread.join(max(0.01, end - self.runtime.clock.monotonic()))
        self.posts.clear()

    def reconcile(self) -> None:
        """A post for each account that is not paused, none for others, no file of an account that is gone."""
        with self.runtime.db.read() as connection:
            known = {account.id: account for account in accounts.all(connection)}
        for account_id in set(self.posts) - {each.id for each in known.values() if not each.paused}:
            self._close(account_id)
        for account in known.values():
            if account.id not in self.posts and not account.paused:
                self._open(account.id)
        self._threads = [thread for thread in self._threads if thread.is_alive()]
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
        for row in found:
            self._ring(row)
        return int(found[-1]["id"]) if found else heard

    def _ring(self, row: sqlite3.Row) -> None:
        post = self.posts.get(row["account_id"])
        if post is None:
            return
        if row["topic"] == "action" or (
            row["topic"] == "request" and row["detail"] in ("body", "open_folder", "search")
        ):
            post.errands.ring()
        elif row["topic"] == "request" and row["detail"] == "refresh":
            post.keeping.ring()

    def _open(self, account_id: int) -> None:
        post = self.posts[account_id] = Post(self.runtime, account_id, self.network)
        for thread in (Keeper(post), Runner(post)):
            thread.start()
            self._threads.append(thread)

    def _close(self, account_id: int) -> None:
        post = self.posts.pop(account_id, None)
        if post is not None:
            post.stop()

    def _latest(self) -> int:
        with self.runtime.db.read() as connection:
            return changes.latest(connection)
