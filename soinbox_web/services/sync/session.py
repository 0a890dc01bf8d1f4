"""What one synchronisation works with: an account, its mailbox file, a connection, and its report."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from soinbox_web import __version__
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.model.account import Account
from soinbox_web.model.sync_plan import Progress
from soinbox_web.model.sync_report import SyncReport
from soinbox_web.runtime import Runtime
from soinbox_web.store import changes
from soinbox_web.store.database import Database


def silent(progress: Progress) -> None:
    """Report to nobody."""


@dataclass
class Session:
    """`qresync`: the server tells what vanished; `began` is on the monotonic clock.

    `again`: the connection broke over a message, the next one goes around it: sign in again at once.
    """

    runtime: Runtime
    account: Account
    mailbox: Database
    connection: ImapConnection
    qresync: bool = False
    progress: Callable[[Progress], None] = silent
    began: float = 0.0
    report: SyncReport = field(default_factory=SyncReport)
    version: str = __version__
    again: bool = False

    @contextmanager
    def changed(self, folder: str) -> Iterator[sqlite3.Connection]:
        """A short write to the mailbox file that listeners hear of."""
        with self.mailbox.write() as connection:
            yield connection
            now = self.runtime.clock.now()
            changes.record(connection, "folder", now, account_id=self.account.id, detail=folder)
