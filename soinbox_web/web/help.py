"""The how-to in the reader's language: every problem's remedy links to one of its sections."""

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from soinbox_web.problems import AccessError, Problem
from soinbox_web.texts import N_
from soinbox_web.web.page import page, runtime, see_other

help = Blueprint("help", __name__)

SECTIONS = {
    "set-up": N_("Set up your e-mail account"),
    "server-data": N_("Fill in server data by hand"),
    "change-account": N_("Change or remove an account"),
    "not-updated": N_("Why isn't the e-mail list updated?"),
    "first-address": N_("The first e-mail address"),
    "sending": N_("Sending e-mail"),
    "reading": N_("Reading and finding e-mail"),
}


@help.get("/help")
def index() -> ResponseReturnValue:
    """The first section; all others stand beside it."""
    return see_other(url_for("help.section", section="set-up"))


@help.get("/help/<section>")
def section(section: str) -> ResponseReturnValue:
    """One section of the how-to."""
    if section not in SECTIONS:
        raise AccessError(Problem("not_found"))
    titles = {name: gettext(title) for name, title in SECTIONS.items()}
    return page("help.html", section=section, sections=titles, sender_rule=runtime().settings.sender_rule)
