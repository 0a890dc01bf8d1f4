"""What accounts sign in with: passwords and refresh tokens sealed, access tokens in memory only."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from soinbox_web.clock import Clock
from soinbox_web.model.account import Account
from soinbox_web.model.oauth import Grant
from soinbox_web.store import accounts, leases
from soinbox_web.store.database import Database
from soinbox_web.store.vault import Vault

WAIT = 0.1  # seconds between two looks whether another process has renewed


@dataclass
class TokenMemory:
    """The access tokens of one process, by account and the time of its last consent; a lock for each."""

    grants: dict[tuple[int, str], Grant] = field(default_factory=dict, repr=False)
    locks: dict[int, threading.Lock] = field(default_factory=dict, repr=False)
    guard: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def lock(self, account_id: int) -> threading.Lock:
        with self.guard:
            return self.locks.setdefault(account_id, threading.Lock())


class AccountSecrets:
    """See `mail.credentials.Kept`."""

    def __init__(self, db: Database, vault: Vault, memory: TokenMemory, clock: Clock) -> None:
        self._db, self._vault, self._memory, self._clock = db, vault, memory, clock

    def password(self, account: Account, side: accounts.SecretSide) -> str:
        """StoreError key_missing when there is none that opens."""
        with self._db.read() as connection:
            return accounts.open_secret(connection, self._vault, account, side)

    def refresh_token(self, account: Account) -> str:
        return self.password(account, "oauth")

    def replace_refresh_token(self, account: Account, old: str, new: str) -> None:
        """Unless somebody has stored another one since `old` was read."""
        with self._db.write() as connection:
            if accounts.stored_secret(connection, self._vault, account, "oauth") == old:
                accounts.seal_secret(connection, self._vault, account, "oauth", new)

    def grant(self, account: Account) -> Grant | None:
        return self._memory.grants.get((account.id, account.consented_at))

    def keep_grant(self, account: Account, grant: Grant) -> None:
        self._memory.grants[account.id, account.consented_at] = grant

    @contextmanager
    def renewing(self, account: Account) -> Iterator[None]:
        """Only one thread of one process renews an account's token at a time."""
        name, holder = f"oauth-{account.id}", f"{os.getpid()}-{threading.get_ident()}"
        with self._memory.lock(account.id):
            while not self._take(name, holder):
                self._clock.sleep(WAIT)
            try:
                yield
            finally:
                with self._db.write() as connection:
                    leases.release(connection, name, holder)

    def _take(self, name: str, holder: str) -> bool:
        with self._db.write() as connection:
            return leases.take(connection, name, holder, self._clock.now())
