"""The last 24 hours of an account: arrivals, how late they were noticed, failures."""

from dataclasses import dataclass
from datetime import datetime

HOURS = 24


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour from `start` (UTC) on; `latest_seconds`: the longest way from server to row."""

    start: datetime
    arrived: int = 0
    latest_seconds: int = 0
    failures: int = 0
