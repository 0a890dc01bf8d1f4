"""A clock that is turned by hand."""

import threading
from datetime import UTC, datetime, timedelta

BEGIN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class HandClock:
    """Time passes only when a test says so; `sleep` lets it pass at once and is remembered in `slept`."""

    def __init__(self, begin: datetime = BEGIN) -> None:
        self._now = begin
        self._monotonic = 1000.0
        self._guard = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.turn(seconds=seconds)

    def turn(
        self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0, weeks: float = 0
    ) -> None:
        """Let time pass, on both clocks."""
        passed = timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days, weeks=weeks)
        with self._guard:
            self._now += passed
            self._monotonic += passed.total_seconds()

    def jump(self, moment: datetime) -> None:
        """Set the wall clock alone, as an operator or NTP would."""
        self._now = moment
