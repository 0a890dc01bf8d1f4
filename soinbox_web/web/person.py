"""person (being built)."""

from flask import Blueprint

from soinbox_web.web.page import page

person = Blueprint("person", __name__)


def _soon(**_: object):  # type: ignore[no-untyped-def]
    return page("problem.html", problem=None)

for rule, name in (("/persons", "index"), ("/persons/me", "mine"), ("/persons/new", "new"), ("/persons/<int:person_id>", "show")):
    person.add_url_rule(rule, name, _soon, methods=["GET", "POST"])
