"""The text/calendar part of a message to an `Invitation`; capped, and never raising."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from icalendar import Calendar

from soinbox_web.mail.mime import caps
from soinbox_web.mail.mime.headers import clean
from soinbox_web.model.invitation import Invitation
from soinbox_web.model.message import Correspondent

_LINES = 2_000
_ATTENDEES = 100


def invitation(text: str) -> Invitation | None:
    """The first event of a calendar text; None when there is none or it cannot be read."""
    if len(text) > caps.CALENDAR or text.count("\n") > _LINES:
        return None
    try:
        calendar: Any = Calendar.from_ical(text)
        event = calendar.walk("VEVENT")[0]
        if any(name in ("DTSTART", "DTEND", "DURATION") for name, _ in event.errors):
            return None
        start = _moment(event, "DTSTART")
        return Invitation(
            method=clean(str(calendar.get("METHOD", ""))).upper()[:20],
            summary=_line(event, "SUMMARY"),
            start=start,
            end=_end(event, start),
            organizer=_person(_all(event, "ORGANIZER")[:1]),
            location=_line(event, "LOCATION"),
            attendees=tuple(filter(None, (_person([one]) for one in _all(event, "ATTENDEE")[:_ATTENDEES]))),
            recurring="RRULE" in event,
        )
    except Exception:
        # hostile text is answered with any exception there is; the part stays an attachment
        return None


def _all(event: Any, name: str) -> list[Any]:
    """Every line of that name."""
    found = event.get(name, [])
    return found if isinstance(found, list) else [found]


def _line(event: Any, name: str) -> str:
    return clean(str(next(iter(_all(event, name)), "")))[:1000]


def _moment(event: Any, name: str) -> datetime | date | None:
    value = next((line.dt for line in _all(event, name)), None)
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value
    return value if isinstance(value, date) else None


def _end(event: Any, start: datetime | date | None) -> datetime | date | None:
    end = _moment(event, "DTEND")
    duration = next((line.dt for line in _all(event, "DURATION")), None)
    if end is None and start is not None and isinstance(duration, timedelta):
        return start + duration
    return end


def _person(lines: list[Any]) -> Correspondent | None:
    if not lines:
        return None
    address = clean(str(lines[0]))
    if address.lower().startswith("mailto:"):
        address = address[7:]
    named = lines[0].params.get("CN", "")
    name = clean(str(named[0] if isinstance(named, list) and named else named))
    return Correspondent(name[:300], address[:320]) if "@" in address or name else None
