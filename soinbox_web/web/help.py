"""help (being built)."""

from flask import Blueprint

from soinbox_web.web.page import page

help = Blueprint("help", __name__)


def _soon(**_: object):  # type: ignore[no-untyped-def]
    return page("problem.html", problem=None)

for rule, name in (("/help", "index"), ("/help/<section>", "section")):
    help.add_url_rule(rule, name, _soon, methods=["GET", "POST"])
