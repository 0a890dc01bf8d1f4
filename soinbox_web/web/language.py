"""Which language and which time zone a page speaks, and how dates are written."""

from datetime import datetime, tzinfo
from functools import cache, lru_cache, partial
from typing import Any, cast
from zoneinfo import ZoneInfo, available_timezones

from babel.numbers import format_decimal
from flask import Flask, g, request, session
from flask_babel import Babel, get_locale, gettext
from flask_login import current_user
from markupsafe import Markup

from soinbox_web.problems import Problem
from soinbox_web.texts import LANGUAGES, catalog
from soinbox_web.web.jinja import Functions, Spoken
from soinbox_web.web.page import runtime


def install(app: Flask) -> None:
    """Flask-Babel, with the user's choice before the browser's."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    Babel(app, locale_selector=language, timezone_selector=zone_name)
    environment = cast(Spoken, app.jinja_env)
    environment.language = language
    environment.functions += (_functions,)
    environment.fixed += ("_",)
    app.jinja_env.globals.update(
        language=language,
        zone_name=zone_name,
        get_locale=get_locale,
    )
    app.jinja_env.filters.update(
        problem_title=lambda p: p.title(gettext),
        problem_cause=lambda p: p.cause(gettext),
        problem_remedy=lambda p: p.remedy(gettext),
        problem_alternatives=lambda p: [p.at(code=code, alternatives=()) for code in p.alternatives],
    )
    app.jinja_env.tests["problem"] = lambda value: isinstance(value, Problem)


def _functions(chosen: str) -> Functions:
    words = _words_of(chosen)
    return {"_": words.gettext, "ngettext": words.ngettext}


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
    """The reader's zone, looked up once a request."""
    if "zone" not in g:
        g.zone = ZoneInfo(zone_name())
    found: ZoneInfo = g.zone
    return found


def local(moment: datetime) -> datetime:
    """A UTC moment in the reader's zone."""
    return in_zone(moment, zone())


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """The same moment there; in UTC still where it would lie before the year 1 or after 9999."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def word(text: str) -> str:
    """A text without values in the reader's language, for code that needs many a request."""
    return str(_words().gettext(text))


def grouped(number: int) -> str:
    """3,200 or 3.200, as the language has it."""
    return _words().grouped(number)


class Words:
    """The texts of one language as templates place them: formatted, safe, each looked up once.

    A page has some two hundred; through the extension's own lookup they were a sixth of its time.
    """

    def __init__(self, language: str) -> None:
        self._catalog = catalog(language)
        self.grouped = lru_cache(maxsize=4096)(partial(format_decimal, locale=language))
        self._whole: dict[str, Markup] = {}

    def gettext(self, text: str, **values: Any) -> Markup:
        if values:
            return Markup(self._catalog.gettext(text)) % values  # noqa: S704
        found = self._whole.get(text)
        if found is None:
            found = self._whole[text] = Markup(self._catalog.gettext(text)) % {}  # noqa: S704
        return found

    def ngettext(self, one: str, many: str, num: int, **values: Any) -> Markup:
        told = {"num": self.grouped(num), **values}
        return Markup(self._catalog.ngettext(one, many, num)) % told  # noqa: S704


_words_of = cache(Words)


def _words() -> Words:
    """Those of the reader's language, chosen once a request."""
    if "words" not in g:
        g.words = _words_of(language())
    found: Words = g.words
    return found
