"""When to try again, class by class (setup.md section 7)."""

from datetime import UTC, datetime, timedelta

import pytest

from soinbox_web.model.backoff import OURS, begin_again, next_try, shown
from soinbox_web.problems import Problem
from soinbox_web.problems.catalogue import KINDS

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def waits(code: str, failures: int, chance: float = 0.0, named: int | None = None) -> float | None:
    found = next_try(Problem(code, "imap", retry_after_seconds=named), failures, NOW, chance)
    return None if found is None else (found - NOW).total_seconds()


def test_temporary_failures_wait_longer_and_longer() -> None:
    assert [waits("timeout", n) for n in range(1, 8)] == [30, 60, 120, 300, 900, 900, 900]
    assert waits("timeout", 1, chance=1.0) == 36


def test_a_limit_is_honoured_to_the_number_the_server_names() -> None:
    assert [waits("rate_limited", n) for n in (1, 2, 3)] == [900, 3600, 3600]
    assert waits("rate_limited", 1, named=240) == 240
    assert waits("server_unavailable", 1, named=600) == 600


def test_a_refused_password_is_tried_once_more_and_never_again() -> None:
    assert waits("credentials_wrong", 1) == 900
    assert waits("credentials_wrong", 2) is None


def test_a_sign_in_refused_in_unknown_words_counts_as_refused() -> None:
    refused = Problem("unknown", "imap", "sign_in")
    assert next_try(refused, 1, NOW, 0.0) == NOW + timedelta(minutes=15)
    assert next_try(refused, 2, NOW, 0.0) is None
    assert waits("unknown", 2) == 60


@pytest.mark.parametrize(
    "code",
    ["app_password_required", "oauth_required", "token_revoked", "imap_disabled_by_user", "account_locked",
     "key_missing", "pin_mismatch", "password_expired"],
)  # fmt: skip
def test_what_only_a_person_can_mend_stops_at_once(code: str) -> None:
    assert waits(code, 1) is None
    assert shown(Problem(code, "imap"), 1, NOW, NOW)


def test_certificates_are_looked_at_hourly() -> None:
    assert waits("cert_expired", 1) == waits("cert_self_signed", 9) == 3600


def test_what_failed_here_is_tried_again_soon_however_long_it_lasts() -> None:
    """A minute after the disk has room again, or a lock is gone, mail flows."""
    for code in ("disk_full", "database_locked", "instance_unusable", "unexpected"):
        assert all(20 <= (waits(code, n, chance=1.0) or 0) <= 24 for n in (1, 2, 5, 50))
    assert [begin_again(n) for n in (1, 2, 3, 4, 5, 6, 7, 5000)] == [1, 2, 4, 8, 16, 20, 20, 20]


def test_no_problem_waits_for_more_than_a_day_or_less_than_a_moment() -> None:
    for code in KINDS:
        seconds = waits(code, 50, chance=1.0, named=10**9)
        assert seconds is None or (20 if code in OURS else 30) <= seconds <= 24 * 3600 * 1.2


def test_a_passing_failure_is_not_shown_before_it_lasts() -> None:
    problem = Problem("timeout", "imap")
    assert not shown(None, 0, None, NOW)
    assert not shown(problem, 2, NOW - timedelta(minutes=5), NOW)
    assert shown(problem, 3, NOW - timedelta(minutes=5), NOW)
    assert shown(problem, 1, NOW - timedelta(minutes=16), NOW)
