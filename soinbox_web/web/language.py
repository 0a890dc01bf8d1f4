"""Which language and which time zone a page speaks, and how dates are written."""

from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from flask import Flask, request, session
from flask_babel import Babel, get_locale, gettext
from flask_login import current_user

from soinbox_web.problems import Problem
from soinbox_web.texts import LANGUAGES
from soinbox_web.web.page import runtime


def install(app: Flask) -> None:
    """Flask-Babel, with the user's choice before the browser's."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    Babel(app, locale_selector=language, timezone_selector=zone_name)
    app.jinja_env.globals.update(language=language, get_locale=get_locale)
    app.jinja_env.filters.update(
        problem_title=lambda p: p.title(gettext),
        problem_cause=lambda p: p.cause(gettext),
        problem_remedy=lambda p: p.remedy(gettext),
        problem_alternatives=lambda p: [p.at(code=code, alternatives=()) for code in p.alternatives],
    )
    app.jinja_env.tests["problem"] = lambda value: isinstance(value, Problem)


def language() -> str:
    """The user's choice, else what this browser chose, else Accept-Language, else English."""
    if current_user.is_authenticated and current_user.language:
        return str(current_user.language)
    if session.get("language") in LANGUAGES:
        return str(session["language"])
    return request.accept_languages.best_match(LANGUAGES) or "en"


def zone_name() -> str:
    """The user's IANA zone, else the instance's."""
    if current_user.is_authenticated and current_user.timezone:
        return str(current_user.timezone)
    return runtime().settings.timezone


def known_zone(name: str | None) -> str:
    """The IANA zone of this name; "" when there is none."""
    return name if name in available_timezones() else ""


def zone() -> ZoneInfo:
    """The reader's zone."""
    return ZoneInfo(zone_name())


def local(moment: datetime) -> datetime:
    """A UTC moment in the reader's zone."""
    return moment.astimezone(zone())
