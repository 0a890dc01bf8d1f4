"""Forms of personal settings and of the list of users."""

from flask_babel import lazy_gettext
from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms.validators import DataRequired, EqualTo, InputRequired, Length

from soinbox_web.model.member import PASSWORD_MAX
from soinbox_web.web.forms import Form, stripped
from soinbox_web.web.forms.session import NEW_PASSWORD


class SettingsForm(Form):
    """Name, language and time zone; the choices of zones are set by the view."""

    name = StringField(
        lazy_gettext("Your name"),
        [DataRequired(), Length(max=200)],
        [stripped],
        render_kw={"autocomplete": "name"},
    )
    language = SelectField(
        lazy_gettext("Language"),
        choices=[("", lazy_gettext("As my browser asks")), ("en", "English"), ("nl", "Nederlands")],
    )
    timezone = SelectField(lazy_gettext("Time zone"), render_kw={"data-browser-zone": True})


class PasswordForm(Form):
    """A new password ends all other sessions."""

    current = PasswordField(
        lazy_gettext("Current password"), [InputRequired(), Length(max=PASSWORD_MAX)],
        render_kw={"autocomplete": "current-password"},
    )  # fmt: skip
    password = PasswordField(
        lazy_gettext("New password"), NEW_PASSWORD, render_kw={"autocomplete": "new-password"},
        description=lazy_gettext("At least 12 characters: a short sentence is easy to remember."),
    )  # fmt: skip
    repeat = PasswordField(
        lazy_gettext("The same password again"),
        [InputRequired(), EqualTo("password", lazy_gettext("The two passwords differ."))],
        render_kw={"autocomplete": "new-password"},
    )


class InvitationForm(Form):
    """Who is invited to become a user."""

    address = StringField(
        lazy_gettext("E-mail address"), [InputRequired(), Length(max=1000)], [stripped],
        render_kw={"inputmode": "email", "autocomplete": "off"},
    )  # fmt: skip
    name = StringField(
        lazy_gettext("Name"),
        [DataRequired(), Length(max=200)],
        [stripped],
        render_kw={"autocomplete": "off"},
    )
    is_admin = BooleanField(lazy_gettext("Administrator: may invite and remove users, and edit every card"))
