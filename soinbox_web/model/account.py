"""A connected mailbox and how it fares."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from soinbox_web.model.server import Login
from soinbox_web.problems import Problem

State = Literal["connected", "reading_only", "needs_password", "failing", "paused"]
AuthKind = Literal["password", "oauth2"]


@dataclass(frozen=True, slots=True)
class SideStatus:
    """How one side (imap or smtp) of an account fares; `mode` is how news is heard.

    "push_all" (of every folder), "push" (of INBOX), "poll" or "" (not known yet).
    """

    last_success_at: datetime | None = None
    last_attempt_at: datetime | None = None
    next_retry_at: datetime | None = None
    consecutive_failures: int = 0
    problem: Problem | None = None
    mode: str = ""


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


PASSWORD_CODES = {
    "credentials_wrong", "app_password_required", "oauth_required", "token_revoked", "password_expired",
    "consent_missing", "key_missing",
}  # fmt: skip
