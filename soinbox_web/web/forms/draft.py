"""The composer's form: what is typed is checked where it is sent, never where it is kept."""

from typing import Any

from wtforms import IntegerField, StringField, TextAreaField

from soinbox_web.services.composing import Typed
from soinbox_web.web.forms import Form


class DraftForm(Form):
    """Every field of a mail that is being written."""

    account = IntegerField()
    to = StringField()
    cc = StringField()
    bcc = StringField()
    subject = StringField()
    body = TextAreaField()

    def typed(self) -> Typed:
        """All that was typed."""
        to, cc, bcc, subject = (self[name].data or "" for name in ("to", "cc", "bcc", "subject"))
        return Typed(self.account.data, to, cc, bcc, subject, (self.body.data or "").replace("\r\n", "\n"))

    def shown(self) -> dict[str, Any]:
        """The same by the names of a draft, to show it again without keeping it."""
        typed = self.typed()
        return {name: getattr(typed, name) for name in ("to", "cc", "bcc", "subject", "body")}
