"""Forms of signing in, of the first administrator and of an invitation."""

from flask_babel import lazy_gettext
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import DataRequired, EqualTo, InputRequired, Length

from soinbox_web.model.member import PASSWORD_MAX, PASSWORD_MIN
from soinbox_web.web.forms import Form, stripped

NEW_PASSWORD = (
    InputRequired(),
    Length(PASSWORD_MIN, PASSWORD_MAX, lazy_gettext("A password has at least %(min)d characters.")),
)


class SignInForm(Form):
    """Address and password of soinbox itself."""

    address = StringField(
        lazy_gettext("E-mail address"), [InputRequired(), Length(max=254)], [stripped],
        render_kw={"type": "email", "autocomplete": "username", "autofocus": True},
    )  # fmt: skip
    password = PasswordField(
        lazy_gettext("Password"),
        [InputRequired(), Length(max=PASSWORD_MAX)],
        render_kw={"autocomplete": "current-password"},
    )
    next = HiddenField()


class NewMemberForm(Form):
    """What everyone chooses on the first day; the browser's time zone is the first suggestion."""

    name = StringField(
        lazy_gettext("Your name"),
        [DataRequired(), Length(max=200)],
        [stripped],
        render_kw={"autocomplete": "name"},
    )
    password = PasswordField(
        lazy_gettext("Password"), NEW_PASSWORD, render_kw={"autocomplete": "new-password"},
        description=lazy_gettext("At least 12 characters: a short sentence is easy to remember."),
    )  # fmt: skip
    repeat = PasswordField(
        lazy_gettext("The same password again"),
        [InputRequired(), EqualTo("password", lazy_gettext("The two passwords differ."))],
        render_kw={"autocomplete": "new-password"},
    )
    timezone = HiddenField(render_kw={"data-browser-zone": True})


class FirstAdministratorForm(NewMemberForm):
    """The first user of an empty instance."""

    code = StringField(
        lazy_gettext("One-time code"), [InputRequired(), Length(max=40)], [stripped],
        description=lazy_gettext("It stands in the window where soinbox was started."),
        render_kw={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"},
    )  # fmt: skip
    address = StringField(
        lazy_gettext("E-mail address"), [InputRequired(), Length(max=254)], [stripped],
        description=lazy_gettext("You sign in with it, and it becomes the first address of your card."),
        render_kw={"type": "email", "autocomplete": "username"},
    )  # fmt: skip
