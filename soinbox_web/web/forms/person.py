"""Forms of a person's card."""

from flask_babel import lazy_gettext
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from soinbox_web.web.forms import Form, stripped


class PersonForm(Form):
    """Names, title, company, phone."""

    first_name = StringField(lazy_gettext("First name"), [Length(max=200)], [stripped])
    last_name = StringField(lazy_gettext("Last name"), [Length(max=200)], [stripped])
    title = StringField(lazy_gettext("Title"), [Length(max=200)], [stripped])
    company = StringField(lazy_gettext("Company"), [Length(max=200)], [stripped])
    phone = StringField(lazy_gettext("Phone"), [Length(max=60)], [stripped], render_kw={"type": "tel"})

    def values(self) -> dict[str, str]:
        """What was typed, by the names of the card's fields."""
        return {
            name: self[name].data or "" for name in ("first_name", "last_name", "title", "company", "phone")
        }


class NewPersonForm(PersonForm):
    """A new card begins with one address."""

    address = StringField(
        lazy_gettext("E-mail address"),
        [InputRequired(), Length(max=1000)],
        [stripped],
        render_kw={"inputmode": "email", "autocomplete": "off"},
    )


class AddressForm(Form):
    """One more address on a card."""

    address = StringField(
        lazy_gettext("Add an e-mail address"),
        [InputRequired(), Length(max=1000)],
        [stripped],
        render_kw={"inputmode": "email", "autocomplete": "off"},
    )
