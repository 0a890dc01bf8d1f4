"""The text/calendar part of a message to an `Invitation`; capped, and never raising."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import vobject

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
        calendar = vobject.readOne(text, ignoreUnreadable=True)
        event = calendar.vevent
        start = _moment(_value(event, "dtstart"))
        return Invitation(
            method=clean(str(_value(calendar, "method") or "")).upper()[:20],
            summary=_line(event, "summary"),
            start=start,
            end=_end(event, start),
            organizer=_person(getattr(event, "organizer", None)),
            location=_line(event, "location"),
            attendees=_people(event.contents.get("attendee", [])),
            recurring="rrule" in event.contents,
        )
    except Exception:
        # vobject answers hostile text with any exception there is; the part stays an attachment
        return None


def _value(component: Any, name: str) -> Any:
    child = getattr(component, name, None)
    return None if child is None else child.value


def _line(event: Any, name: str) -> str:
    return clean(str(_value(event, name) or ""))[:1000]


def _moment(value: Any) -> datetime | date | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value
    return value if isinstance(value, date) else None


def _end(event: Any, start: datetime | date | None) -> datetime | date | None:
    end = _moment(_value(event, "dtend"))
    duration = _value(event, "duration")
    if end is None and start is not None and isinstance(duration, timedelta):
        return start + duration
    return end


def _person(line: Any) -> Correspondent | None:
    if line is None:
        return None
    address = clean(str(line.value))
    if address.lower().startswith("mailto:"):
        address = address[7:]
    name = clean(str(line.params.get("CN", [""])[0]))
    return Correspondent(name[:300], address[:320]) if "@" in address or name else None


def _people(lines: list[Any]) -> tuple[Correspondent, ...]:
    people = (_person(line) for line in lines[:_ATTENDEES])
    return tuple(person for person in people if person is not None)
