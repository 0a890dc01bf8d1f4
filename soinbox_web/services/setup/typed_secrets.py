"""The secrets typed during a set-up: sealed in the attempt, and which one goes to which server."""

import json
from dataclasses import dataclass, field

from soinbox_web.mail.signin import Secrets
from soinbox_web.model.account import Account
from soinbox_web.model.server import Login
from soinbox_web.model.setup_attempt import SetupAttempt
from soinbox_web.problems import InputError, Problem
from soinbox_web.runtime import Runtime
from soinbox_web.store import accounts


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed so far; `same`: outgoing uses the incoming secret."""

    imap: str = field(default="", repr=False)
    smtp: str = field(default="", repr=False)
    same: bool = True

    def seal(self, runtime: Runtime, user_id: int, token: str) -> str:
        text = json.dumps([self.imap, self.smtp, self.same])
        return runtime.vault.seal(text, [user_id, "setup", token])

    @classmethod
    def of(cls, runtime: Runtime, attempt: SetupAttempt) -> "Typed":
        """What the attempt has sealed; nothing when it has sealed nothing."""
        if attempt.sealed is None:
            return cls()
        return cls(
            *json.loads(runtime.vault.unseal(attempt.sealed, [attempt.user_id, "setup", attempt.token]))
        )

    def for_servers(
        self, runtime: Runtime, account: Account | None, imap: Login, smtp: Login | None
    ) -> Secrets:
        """The secret of each side; InputError password_missing names the side that has none.

        A secret stored with an account serves only the very login that it was stored for.
        """
        incoming = self.imap or _stored(runtime, account, "imap", imap)
        if not incoming:
            raise _missing("imap", imap)
        if smtp is None:
            return Secrets(incoming)
        outgoing = self.imap if self.same else self.smtp
        outgoing = outgoing or _stored(runtime, account, "smtp", smtp) or ("" if account else self.imap)
        if not outgoing:
            raise _missing("smtp", smtp)
        return Secrets(incoming, outgoing)


def stored_alike(runtime: Runtime, account: Account) -> bool:
    """The account's outgoing side uses the user name and the secret of the incoming one."""
    if account.smtp is None:
        return True
    incoming = _stored(runtime, account, "imap", account.imap)
    outgoing = _stored(runtime, account, "smtp", account.smtp)
    return account.imap.username == account.smtp.username and (incoming == outgoing or not outgoing)


def _stored(runtime: Runtime, account: Account | None, side: accounts.Side, login: Login) -> str:
    if account is None or login != (account.imap if side == "imap" else account.smtp):
        return ""
    with runtime.db.read() as connection:
        return accounts.stored_secret(connection, runtime.vault, account, side)


def _missing(side: accounts.Side, login: Login) -> InputError:
    return InputError(Problem("password_missing", side=side, field="password", facts={"host": login.host}))
