"""The form of E-mail options › General."""

from flask_babel import lazy_gettext
from wtforms import BooleanField, RadioField, TextAreaField
from wtforms.validators import Length

from soinbox_web.model.options import Options
from soinbox_web.web.forms import Form


class GeneralForm(Form):
    """Its fields carry the names of `Options`."""

    mark_as_read = BooleanField(
        lazy_gettext("Mark as read in preview"),
        description=lazy_gettext("A message that you open counts as read at once."),
    )
    ask_before_deleting = BooleanField(lazy_gettext("Ask before deleting"))
    remote_images = RadioField(
        lazy_gettext("Images from the internet"),
        choices=[("ask", lazy_gettext("Show after I ask")), ("never", lazy_gettext("Never show"))],
        description=lazy_gettext("Such images tell the sender that, when and where you read the message."),
    )
    save_sent_copy = BooleanField(
        lazy_gettext("Save a copy of sent e-mail"),
        description=lazy_gettext(
            "In the folder for sent mail. Providers that file it themselves, such as Gmail, keep doing so."
        ),
    )
    signature = TextAreaField(
        lazy_gettext("Personal signature"), [Length(max=4000)], render_kw={"rows": 5, "maxlength": 4000}
    )
    signature_in_new = BooleanField(lazy_gettext("Use signature in new e-mail"))
    signature_in_replies = BooleanField(lazy_gettext("Use signature for Reply/Forward"))

    def options(self) -> Options:
        """What was chosen."""
        return Options(
            mark_as_read=self.mark_as_read.data,
            ask_before_deleting=self.ask_before_deleting.data,
            save_sent_copy=self.save_sent_copy.data,
            remote_images=self.remote_images.data,
            signature=(self.signature.data or "").replace("\r\n", "\n").rstrip(),
            signature_in_new=self.signature_in_new.data,
            signature_in_replies=self.signature_in_replies.data,
        )
