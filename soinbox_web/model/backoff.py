"""When to try again after a failure, by its class (setup.md section 7)."""

from datetime import datetime, timedelta

from soinbox_web.problems import Problem

TEMPORARY = (30, 60, 120, 300, 900)  # seconds
LIMIT = (900, 3600)
REFUSED_AGAIN = 900
CERTIFICATE = 3600
LONGEST = 24 * 3600
JITTER = 0.2

LIMITS = frozenset({"rate_limited", "too_many_connections", "over_quota", "local_limit"})


def next_try(problem: Problem, failures: int, now: datetime, chance: float) -> datetime | None:
    """The earliest next attempt after `failures` failures in a row (this one included); None: not by itself.

    A refused password, also one refused in words nobody knows, is tried once more, not sooner than 15 minutes
    later: providers block whoever insists.
    `chance` is in 0…1 and spreads the attempts, so that accounts do not return all at once.
    """
    if problem.code == "credentials_wrong" or (problem.code == "unknown" and problem.stage == "sign_in"):
        return now + timedelta(seconds=REFUSED_AGAIN) if failures <= 1 else None
    if problem.retry != "later":
        return None
    if problem.code.startswith("cert_"):
        return now + timedelta(seconds=CERTIFICATE)
    if problem.code in LIMITS:
        seconds: float = problem.retry_after_seconds or LIMIT[min(failures, len(LIMIT)) - 1]
        return now + timedelta(seconds=min(seconds, LONGEST) * (1 + JITTER * chance))
    seconds = max(TEMPORARY[min(failures, len(TEMPORARY)) - 1], problem.retry_after_seconds or 0)
    return now + timedelta(seconds=min(seconds, LONGEST) * (1 + JITTER * chance))


def shown(problem: Problem | None, failures: int, last_success: datetime | None, now: datetime) -> bool:
    """Whether a person should hear of it: at once when only they can help, else when it lasts."""
    if problem is None:
        return False
    if problem.retry != "later" or failures >= 3:
        return True
    return last_success is None or now - last_success >= timedelta(minutes=15)
