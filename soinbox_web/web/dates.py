"""How dates, sizes and seconds are written: short in a list, whole in a message, in the reader's zone."""

from datetime import date, datetime, tzinfo
from functools import lru_cache, partial

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal
from flask import Blueprint, g
from flask_babel import get_locale

from soinbox_web.model.invitation import Invitation
from soinbox_web.web.language import in_zone, local, zone
from soinbox_web.web.page import runtime

EUROPEAN = Locale("en", "GB")


def install(blueprint: Blueprint) -> None:
    """The template filters of this file, each by its name."""
    for view in (row_date, full_date, clock_time, iso, file_size, day, meeting_time, tenths):
        blueprint.add_app_template_filter(view)


def row_date(moment: datetime | None) -> str:
    """Today: the time; this week: weekday and time; older: day and month, and the year of another."""
    return calendar().short(moment) if moment else ""


def full_date(moment: datetime | None) -> str:
    """Weekday, date and time."""
    if moment is None:
        return ""
    here = local(moment)
    return f"{format_date(here, 'full', locale=_locale())}, {here:%H:%M}"


def day(found: date) -> str:
    """Day, month and year, short."""
    return calendar().written("yMMMd", found)


def clock_time(moment: datetime | None) -> str:
    """The time of today, else day and time."""
    if moment is None:
        return ""
    here, seen = local(moment), calendar()
    if here.date() == seen.today:
        return f"{here:%H:%M}"
    return f"{seen.written('dMMM', here.date())} {here:%H:%M}"


def meeting_time(meeting: Invitation) -> str:
    """When a meeting is: its day, or from when until when."""
    start, end, locale = meeting.start, meeting.end, _locale()
    if not isinstance(start, datetime):
        return str(format_date(start, "full", locale=locale)) if start else ""
    begin = _here(start)
    words = f"{format_date(begin, 'full', locale=locale)}, {begin:%H:%M}"
    if not isinstance(end, datetime):
        return words
    close = _here(end)
    last = "" if close.date() == begin.date() else f" {format_date(close, 'full', locale=locale)},"
    return f"{words} –{last} {close:%H:%M}"


def _here(moment: datetime) -> datetime:
    """A time without a zone means the reader's own clock."""
    return local(moment) if moment.tzinfo else moment


def iso(moment: datetime | None) -> str:
    """For `<time datetime>`."""
    return moment.isoformat(timespec="seconds") if moment else ""


def tenths(number: float) -> str:
    """With one decimal, as the language writes it."""
    return str(format_decimal(number, "0.0", locale=_locale()))


def file_size(size: int) -> str:
    """Bytes as a person reads them."""
    if size < 1000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{(size + 500) // 1000} kB"
    number, unit = (size / 1_000_000, "MB") if size < 1_000_000_000 else (size / 1_000_000_000, "GB")
    return f"{format_decimal(number, '#,##0.0', locale=_locale())} {unit}"


class Calendar:
    """How the readers of one language and zone see moments on one day."""

    def __init__(self, locale: Locale, zone: tzinfo, today: date) -> None:
        self.today = today
        self._zone = zone
        # Finding a skeleton's pattern costs some 200 µs (measured), so each day is written once.
        self.written = lru_cache(maxsize=4096)(partial(format_skeleton, locale=locale))

    def short(self, moment: datetime) -> str:
        """As a row of a list has it."""
        here = in_zone(moment, self._zone)
        day = here.date()
        days = (self.today - day).days
        if days == 0:
            return f"{here:%H:%M}"
        if 0 < days < 7:
            return f"{self.written('E', day)} {here:%H:%M}"
        return self.written("dMMM" if day.year == self.today.year else "yMMMd", day)


_calendar_of = lru_cache(maxsize=64)(Calendar)


def calendar() -> Calendar:
    """The reader's, chosen once a request."""
    if "calendar" not in g:
        g.calendar = _calendar_of(_locale(), zone(), local(runtime().clock.now()).date())
    found: Calendar = g.calendar
    return found


def _locale() -> Locale:
    """English dates as Europe writes them: the day before the month."""
    found = get_locale() or EUROPEAN
    return EUROPEAN if found.language == "en" else found
