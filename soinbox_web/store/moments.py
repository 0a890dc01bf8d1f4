"""Moments as they are stored: RFC 3339 in UTC for seconds since 1970."""

from datetime import date as calendar_day
from functools import lru_cache

_EPOCH = calendar_day(1970, 1, 1).toordinal()
_TWO = tuple(f"{number:02}" for number in range(60))


def time_text(seconds: int) -> str | None:
    """RFC 3339 in UTC for seconds since 1970; None beyond the years that a date can have."""
    day, rest = divmod(seconds, 86_400)
    minutes, second = divmod(rest, 60)
    begin = _day_text(day)
    return f"{begin}{_TWO[minutes // 60]}:{_TWO[minutes % 60]}:{_TWO[second]}.000Z" if begin else None


@lru_cache(maxsize=8192)
def _day_text(day: int) -> str:
    try:
        return f"{calendar_day.fromordinal(day + _EPOCH).isoformat()}T"
    except (ValueError, OverflowError):
        return ""
