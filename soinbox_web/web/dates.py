"""How dates and sizes are written: short in a list, whole in a message, always in the reader's zone."""

from datetime import datetime

from babel.dates import format_date, format_datetime, format_skeleton, format_time
from flask import Blueprint
from flask_babel import get_locale

from soinbox_web.web.language import local
from soinbox_web.web.page import runtime


def install(blueprint: Blueprint) -> None:
    """The template filters `row_date`, `full_date`, `clock_time`, `iso` and `file_size`."""
    for view in (row_date, full_date, clock_time, iso, file_size):
        blueprint.add_app_template_filter(view)


def row_date(moment: datetime | None) -> str:
    """Today: the time; this week: weekday and time; older: day and month, and the year of another."""
    if moment is None:
        return ""
    here, now, locale = local(moment), local(runtime().clock.now()), get_locale()
    days = (now.date() - here.date()).days
    if days == 0:
        return format_time(here, "short", locale=locale)
    if 0 < days < 7:
        weekday = format_skeleton("E", here, locale=locale)
        return f"{weekday} {format_time(here, 'short', locale=locale)}"
    return format_skeleton("dMMM" if here.year == now.year else "yMMMd", here, locale=locale)


def full_date(moment: datetime | None) -> str:
    """Weekday, date and time."""
    if moment is None:
        return ""
    here, locale = local(moment), get_locale()
    return f"{format_date(here, 'full', locale=locale)}, {format_time(here, 'short', locale=locale)}"


def clock_time(moment: datetime | None) -> str:
    """The time of today, else day and time."""
    if moment is None:
        return ""
    here, locale = local(moment), get_locale()
    if here.date() == local(runtime().clock.now()).date():
        return format_time(here, "short", locale=locale)
    return format_datetime(here, "short", locale=locale)


def iso(moment: datetime | None) -> str:
    """For `<time datetime>`."""
    return moment.isoformat(timespec="seconds") if moment else ""


def file_size(size: int) -> str:
    """Bytes as a person reads them."""
    if size < 1000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{(size + 500) // 1000} kB"
    return f"{size / 1_000_000:.1f} MB"
