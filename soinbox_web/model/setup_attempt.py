"""A set-up on its way: what was typed, what was found, where it stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from soinbox_web.model.provider import Detection
from soinbox_web.model.server import Login
from soinbox_web.model.stage import Stage
from soinbox_web.problems import Problem

Step = Literal["finding", "password", "consent", "connecting", "advanced", "done", "cancelled"]
Purpose = Literal["found", "typed", "test_imap", "test_smtp"]
RUNNING: tuple[Step, ...] = ("finding", "connecting")
WAITING: tuple[Step, ...] = ("password", "consent", "advanced")  # for the person
NO_PASSWORD = ("oauth_only", "no_imap", "pop_only", "bridge")
NO_PASSWORD_CODES = ("provider_no_imap", "provider_pop_only", "oauth_not_set_up", "oauth_required")

INFORMATIONAL = ("ipv6_only_failure",)


@dataclass(frozen=True, slots=True)
class SetupAttempt:
    """One row of `setup_attempts`, its secrets apart.

    `account_id` is the account that is edited, and in the end the one that was saved; `imap` and `smtp` are
    what was typed or tried (a host may still be ""); `sealed` is how the vault keeps the typed secrets.
    A test (`purpose`) tries one side and saves nothing.
    """

    token: str
    user_id: int
    account_id: int | None
    address: str
    step: Step
    detection: Detection | None
    imap: Login | None
    smtp: Login | None
    sealed: str | None
    accepted_hosts: tuple[str, ...]
    problems: tuple[Problem, ...]
    claimed_at: datetime | None
    created_at: datetime
    expires_at: datetime
    purpose: Purpose = "found"

    @property
    def running(self) -> bool:
        return self.step in RUNNING

    @property
    def faults(self) -> tuple[Problem, ...]:
        """The problems that ask for something; the others are only worth telling."""
        return tuple(problem for problem in self.problems if problem.code not in INFORMATIONAL)

    @property
    def asks_password(self) -> bool:
        """A password typed here could work."""
        policies = self.detection.policies if self.detection else ()
        refused = any(problem.code in NO_PASSWORD_CODES for problem in self.problems)
        return not refused and not any(policy in NO_PASSWORD for policy in policies)

    @property
    def unconfirmed_hosts(self) -> tuple[str, ...]:
        """The hosts that the person has yet to confirm before a password is sent."""
        asked = self.detection.needs_consent if self.detection else ()
        return tuple(host for host in asked if host not in self.accepted_hosts)


@dataclass(frozen=True, slots=True)
class TimedStage:
    """A stage and when it was noted."""

    stage: Stage
    at: datetime


@dataclass(frozen=True, slots=True)
class AdvancedForm:
    """What the advanced form holds; an empty secret keeps the one given before; `smtp` None: reading only."""

    address: str
    imap: Login
    imap_secret: str
    smtp: Login | None
    smtp_secret: str | None  # None: the same as incoming
