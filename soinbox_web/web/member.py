"""member (being built)."""

from flask import Blueprint

from soinbox_web.web.page import page

member = Blueprint("member", __name__)


def _soon(**_: object):  # type: ignore[no-untyped-def]
    return page("problem.html", problem=None)

for rule, name in (("/personal-settings", "personal_settings"), ("/team", "team"), ("/language", "language"), ("/navigator", "navigator")):
    member.add_url_rule(rule, name, _soon, methods=["GET", "POST"])
