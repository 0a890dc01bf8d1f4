"""When to try again after a failure, by its class (setup.md section 7)."""

from datetime import datetime, timedelta

from soinbox_web.problems import Problem

TEMPORARY = (30, 60, 120, 300, 900)  # seconds
LIMIT = (900, 3600)
REFUSED_AGAIN = 900
CERTIFICATE = 3600
LONGEST = 24 * 3600
JITTER = 0.2

OURS = frozenset({"disk_full", "database_locked", "instance_unusable", "unexpected"})
OURS_AGAIN = 20.0

LIMITS = frozenset({"rate_limited", "too_many_connections", "over_quota", "local_limit"})


def next_try(problem: Problem, failures: int, now: datetime, chance: float) -> datetime | None:
    """The earliest next attempt after `failures` failures in a row (this one included); None: not by itself.

    A refused password, also one refused in words nobody knows, is tried once more, not sooner than 15 minutes
    later: providers block whoever insists.
    What failed here and not there (a full disk, a lock) is tried again soon, however long it has lasted.
    `chance` is in 0…1 and spreads the attempts, so that accounts do not return all at once.
    """
    if problem.code == "credentials_wrong" or (problem.code == "unknown" and problem.stage == "sign_in"):
        return now + timedelta(seconds=REFUSED_AGAIN) if failures <= 1 else None
    if problem.code in OURS:
        return now + timedelta(seconds=OURS_AGAIN * (1 + JITTER * chance))
    if problem.retry != "later":
        return None
    if problem.code.startswith("cert_"):
        return now + timedelta(seconds=CERTIFICATE)
    if problem.code in LIMITS:
        seconds: float = problem.retry_after_seconds or LIMIT[min(failures, len(LIMIT)) - 1]
        return now + timedelta(seconds=min(seconds, LONGEST) * (1 + JITTER * chance))
    seconds = max(TEMPORARY[min(failures, len(TEMPORARY)) - 1], problem.retry_after_seconds or 0)
    return now + timedelta(seconds=min(seconds, LONGEST) * (1 + JITTER * chance))


def begin_again(falls: int) -> float:
    """Seconds until a part of ours that ended by an error is begun again, after so many ends in a row.

    Never long: no server is asked more often by it, and its cause may pass at any moment.
    """
    return min(2.0 ** min(falls, 10) / 2, OURS_AGAIN)


def shown(problem: Problem | None, failures: int, last_success: datetime | None, now: datetime) -> bool:
    """Whether a person should hear of it: at once when only they can help, else when it lasts."""
    if problem is None:
        return False
    if problem.retry != "later" or failures >= 3:
        return True
    return last_success is None or now - last_success >= timedelta(minutes=15)
