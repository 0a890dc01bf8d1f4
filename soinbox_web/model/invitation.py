"""An invitation to a meeting, as a text/calendar part tells it (RFC 5545, 5546)."""

from dataclasses import dataclass
from datetime import date, datetime

from soinbox_web.model.message import Correspondent


@dataclass(frozen=True, slots=True)
class Invitation:
    """`method` is REQUEST, CANCEL, REPLY, PUBLISH or ""; a whole-day event has dates, others times in UTC.

    A time without a zone ("floating") stays naive: it means the reader's own clock.
    """

    method: str
    summary: str
    start: datetime | date | None
    end: datetime | date | None
    organizer: Correspondent | None
    location: str
    attendees: tuple[Correspondent, ...] = ()
    recurring: bool = False

    @property
    def whole_day(self) -> bool:
        return self.start is not None and not isinstance(self.start, datetime)
