"""The base of every form that holds typed content: a stale token is one more error of the form."""

from typing import Any

from flask_babel import gettext
from flask_wtf import FlaskForm

from soinbox_web.problems import SoinboxError


class Form(FlaskForm):
    """Its view carries `@token_in_form` and re-shows it with status 422; secrets never come back."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "csrf_token" in self:
            self["csrf_token"].render_kw = {"id": False}  # a page has several forms, and an id only once

    @property
    def stale(self) -> bool:
        """The session changed since the page was drawn; what was typed is still here."""
        return "csrf_token" in self.errors

    def blame(self, error: SoinboxError, **fields: str) -> None:
        """Put a problem under the field named for its code, else under its own field, else above the form."""
        problem = error.problem
        name = fields.get(problem.code) or problem.guilty_field or ""
        text = f"{problem.title(gettext)}. {problem.remedy(gettext)}"
        if name in self:
            self[name].errors = [*self[name].errors, text]
        else:
            self.form_errors.append(text)


def stripped(text: Any) -> Any:
    """A WTForms filter: no white space around what was typed."""
    return text.strip() if isinstance(text, str) else text
