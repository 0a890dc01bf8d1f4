"""S7: what stands on every page while an account of the person, or a part of the product, fails."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from flask import Flask, g
from flask_login import current_user

from soinbox_web.model.account import PASSWORD_CODES, Account, SideStatus
from soinbox_web.problems import Problem
from soinbox_web.services import accounts, standing
from soinbox_web.web.page import runtime

QUIET_FAILURES = 3
QUIET_TIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Banner:
    """One failing account: `problem` None means that sending was never set up."""

    account: Account
    side: Literal["imap", "smtp"]
    problem: Problem | None
    last_success_at: datetime | None
    next_retry_at: datetime | None

    @property
    def fixable(self) -> bool:
        """The person has to do something; waiting does not help."""
        return self.problem is None or self.problem.retry != "later"

    @property
    def lasting(self) -> bool:
        """Reading only: sending is not set up, or not allowed. Nothing is amiss."""
        return self.side == "smtp" and (self.problem is None or self.problem.retry == "never")

    @property
    def asks_sign_in(self) -> bool:
        """A password or a consent mends it; one consent is for both sides."""
        one_sign_in = self.side == "imap" or self.account.auth == "oauth2"
        return one_sign_in and self.problem is not None and self.problem.code in PASSWORD_CODES


def install(app: Flask) -> None:
    """The template functions `account_banners`, `connected_accounts` and `fallen_parts`."""
    app.context_processor(_variables)


def of_account(account: Account, now: datetime) -> Banner | None:
    """The banner of one account; a temporary fault shows after 3 failures or 15 minutes without success."""
    imap, smtp = account.imap_status, account.smtp_status
    if account.paused:
        return None
    if imap.problem is not None and _shows(imap, now, silent=account.is_silent):
        return Banner(account, "imap", imap.problem, imap.last_success_at, imap.next_retry_at)
    if smtp.problem is not None or account.smtp is None:
        return Banner(account, "smtp", smtp.problem, smtp.last_success_at, smtp.next_retry_at)
    return None


def _shows(status: SideStatus, now: datetime, *, silent: bool) -> bool:
    if status.problem is None or status.problem.retry != "later" or silent:
        return status.problem is not None
    waited = status.last_success_at is None or now - status.last_success_at >= QUIET_TIME
    return waited or status.consecutive_failures >= QUIET_FAILURES


def _variables() -> dict[str, Any]:
    return {
        "account_banners": _banners,
        "connected_accounts": _accounts,
        "fallen_parts": _fallen,
    }


def _accounts() -> list[Account]:
    """Those of the person who is signed in, read once for all that a page says of them."""
    if not current_user.is_authenticated:
        return []
    if "connected_accounts" not in g:
        g.connected_accounts = accounts.of_user(runtime(), current_user.id)
    return list(g.connected_accounts)


def _fallen() -> list[Problem]:
    """For everybody who is signed in; the banners and the mark of health ask for it."""
    if not current_user.is_authenticated:
        return []
    if "fallen_parts" not in g:
        g.fallen_parts = standing.problems(runtime())
    return list(g.fallen_parts)


def _banners() -> list[Banner]:
    now = runtime().clock.now()
    return [banner for account in _accounts() if (banner := of_account(account, now))]
