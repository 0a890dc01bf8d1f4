"""E-mail options: the tab General; the tab E-mail account adds its own views to this blueprint."""

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from soinbox_web.services import options
from soinbox_web.web.access import token_in_form
from soinbox_web.web.forms.option import GeneralForm
from soinbox_web.web.page import page, runtime, see_other

option = Blueprint("option", __name__)


@option.route("/options", methods=["GET", "POST"])
@token_in_form
def general() -> ResponseReturnValue:
    """The switches that mean something now."""
    form = GeneralForm(obj=options.of(runtime(), current_user.id))
    if form.validate_on_submit():
        options.save(runtime(), current_user.id, form.options())
        return see_other(url_for("option.general", saved="1"))
    return page("options_general.html", status=422 if form.is_submitted() else 200, form=form, tab="general")
