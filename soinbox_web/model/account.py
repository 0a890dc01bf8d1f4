"""A connected mailbox and how it fares."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from soinbox_web.model.server import Login
from soinbox_web.problems import Problem

State = Literal["connected", "reading_only", "needs_password", "failing", "paused"]
AuthKind = Literal["password", "oauth2"]


@dataclass(frozen=True, slots=True)
class SideStatus:
    """How one side (imap or smtp) of an account fares; `mode` is how news is heard.

    "push_all" (of every folder), "push" (of INBOX), "poll" or "" (not known yet). `alive_at` is the last sign
    of life of what keeps the account up to date.
    """

    last_success_at: datetime | None = None
    last_attempt_at: datetime | None = None
    next_retry_at: datetime | None = None
    consecutive_failures: int = 0
    problem: Problem | None = None
    mode: str = ""
    alive_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """One e-mail account of one user.

    `generation` names the mailbox file (`<id>-<generation>.sqlite`); `smtp` is None when sending was never
    set up; `capabilities`-dependent facts live in the mailbox file, not here.
    """

    id: int
    user_id: int
    address: str
    name: str
    provider: str  # key in providers.toml, or ""
    generation: int
    auth: AuthKind
    imap: Login
    smtp: Login | None
    paused: bool = False
    files_sent_copy: Literal["yes", "no", "unknown"] = "unknown"
    issuer: str = ""  # whose refresh token is kept, with auth oauth2
    consented_at: str = ""  # RFC 3339
    sync_days: int | None = None  # how far back messages are fetched; None: all of them
    imap_status: SideStatus = SideStatus()
    smtp_status: SideStatus = SideStatus()

    @property
    def is_silent(self) -> bool:
        """Nothing keeps it up to date (`as_seen`)."""
        return self.imap_status.problem is not None and self.imap_status.problem.code == "account_silent"

    @property
    def state(self) -> State:
        """The one word of contract.md."""
        problem = self.imap_status.problem
        if self.paused:
            return "paused"
        if problem is not None and problem.retry != "later":
            return "needs_password" if problem.code in PASSWORD_CODES else "failing"
        if problem is not None:
            return "failing"
        if self.smtp is None or self.smtp_status.problem is not None:
            return "reading_only"
        return "connected"


SILENT = timedelta(minutes=3)  # a sign of life is due every minute


def as_seen(account: Account, now: datetime) -> Account:
    """The account as people see it: one that gives no sign of life has a problem, whatever was noted last."""
    status = account.imap_status
    sign = status.alive_at or status.last_attempt_at
    if account.paused or status.problem is not None or sign is None or now - sign < SILENT:
        return account
    return replace(account, imap_status=replace(status, problem=Problem("account_silent", "imap")))


PASSWORD_CODES = {
    "credentials_wrong", "app_password_required", "oauth_required", "token_revoked", "password_expired",
    "consent_missing", "key_missing",
}  # fmt: skip
