"""Answers of the ISPDB, by domain: kept for 7 days, misses for 1 day."""

from datetime import timedelta

from soinbox_web.clock import Clock, timestamp
from soinbox_web.store.database import Database

KEPT, MISSES_KEPT = timedelta(days=7), timedelta(days=1)


class DetectionCache:
    """What a detection may ask before it asks the network; safe to use from its threads."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    def get(self, source: str, domain: str) -> tuple[bool, str | None]:
        """Whether an answer is known, and the answer (None: it knew nothing)."""
        now = self._clock.now()
        with self._db.read() as connection:
            row = connection.execute(
                "SELECT answer FROM detection_cache WHERE source = ? AND domain = ?"
                " AND stored_at > CASE WHEN answer IS NULL THEN ? ELSE ? END",
                (source, domain, timestamp(now - MISSES_KEPT), timestamp(now - KEPT)),
            ).fetchone()
        return (True, row["answer"]) if row else (False, None)

    def put(self, source: str, domain: str, answer: str | None) -> None:
        """Keep an answer; None for a miss."""
        now = self._clock.now()
        with self._db.write() as connection:
            connection.execute("DELETE FROM detection_cache WHERE stored_at <= ?", (timestamp(now - KEPT),))
            connection.execute(
                "INSERT OR REPLACE INTO detection_cache (source, domain, answer, stored_at)"
                " VALUES (?, ?, ?, ?)",
                (source, domain, answer, timestamp(now)),
            )
