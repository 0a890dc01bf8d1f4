"""What one synchronisation did (contract.md, `sync`)."""

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class SyncReport:
    """Counts over all folders; `messages` is what is here at the end, times are in seconds."""

    folders: int = 0
    messages: int = 0
    fetched: int = 0
    updated: int = 0
    removed: int = 0
    first_page_seconds: float = 0.0
    seconds: float = 0.0
    arrived: int = 0  # messages that reached the server since the look before
    latest_seconds: int = 0  # of these the longest time from the server's arrival to our row

    def as_json(self) -> dict[str, Any]:
        return {
            "folders": self.folders,
            "messages": self.messages,
            "fetched": self.fetched,
            "updated": self.updated,
            "removed": self.removed,
            "first_page_seconds": round(self.first_page_seconds, 3),
            "seconds": round(self.seconds, 3),
            "messages_per_second": round(self.fetched / self.seconds, 1) if self.seconds else 0.0,
        }
