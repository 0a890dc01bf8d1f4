"""Persons: the list, a card, and the order of its e-mail addresses."""

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from soinbox_web.model.person import Person, may_edit, split_name
from soinbox_web.problems import AccessError, InputError, Problem
from soinbox_web.services import people
from soinbox_web.web.access import token_in_form
from soinbox_web.web.forms.person import AddressForm, NewPersonForm, PersonForm
from soinbox_web.web.page import inside, page, runtime, see_other

person = Blueprint("person", __name__)


@person.get("/persons")
def index() -> ResponseReturnValue:
    """The cards, all or those that hold the words looked for."""
    text = request.args.get("q", "")[:200]
    number = min(max(request.args.get("page", 1, type=int), 1), 1_000_000)
    found, total = people.search(runtime(), text, number)
    return page(
        "persons.html",
        "person-list",
        persons=found,
        total=total,
        q=text,
        number=number,
        pages=-(-total // people.PAGE),
    )


@person.get("/persons/me")
def mine() -> ResponseReturnValue:
    """Show my contact info."""
    return see_other(url_for("person.show", person_id=current_user.person_id))


@person.route("/persons/new", methods=["GET", "POST"])
@token_in_form
def new() -> ResponseReturnValue:
    """A new card."""
    first, last = split_name(request.args.get("name", "")[:200])
    suggested = {"address": request.args.get("address", ""), "first_name": first, "last_name": last}
    form = NewPersonForm(data=suggested)
    if form.validate_on_submit():
        try:
            person_id = people.add(runtime(), form.values(), [form.address.data])
        except InputError as error:
            form.blame(error)
        else:
            return see_other(url_for("person.show", person_id=person_id))
    return page("new_person.html", status=422 if form.is_submitted() else 200, form=form)


@person.get("/persons/<int:person_id>")
def show(person_id: int) -> ResponseReturnValue:
    """A card."""
    return _card(people.read(runtime(), person_id), AddressForm(formdata=None))


@person.route("/persons/<int:person_id>/edit", methods=["GET", "POST"])
@token_in_form
def edit(person_id: int) -> ResponseReturnValue:
    """Change names and texts of a card."""
    card = people.read(runtime(), person_id)
    _may_edit(card)
    form = PersonForm(obj=card)
    if form.validate_on_submit():
        people.change(runtime(), current_user.member, person_id, form.values())
        return see_other(url_for("person.show", person_id=person_id))
    return page("edit_person.html", status=422 if form.is_submitted() else 200, form=form, person=card)


@person.route("/persons/<int:person_id>/remove", methods=["GET", "POST"])
def remove(person_id: int) -> ResponseReturnValue:
    """Ask, then remove; a user's own card stays."""
    card = people.read(runtime(), person_id)
    _may_edit(card)
    if card.user_id:
        raise AccessError(Problem("not_allowed"))
    if request.method == "GET":
        return page("remove_person.html", person=card)
    people.remove(runtime(), current_user.member, person_id)
    flash(gettext("%(name)s is removed.", name=card.name))
    return see_other(url_for("person.index"))


@person.post("/persons/<int:person_id>/addresses")
@token_in_form
def add_address(person_id: int) -> ResponseReturnValue:
    """One more address, in the last place, or with `first` in the first."""
    form = AddressForm()
    card = people.read(runtime(), person_id)
    _may_edit(card)
    if form.validate_on_submit():
        try:
            people.add_address(runtime(), current_user.member, person_id, form.address.data)
            if request.form.get("first") == "1":
                added = people.read(runtime(), person_id).addresses[-1]
                people.move_address(runtime(), current_user.member, person_id, added.id, "first")
        except InputError as error:
            form.blame(error, address_on_card="address", input_invalid="address")
        else:
            return _back(person_id)
    return _card(card, form, 422)


@person.post("/persons/<int:person_id>/addresses/<int:address_id>/first")
def move_first(person_id: int, address_id: int) -> ResponseReturnValue:
    """Make this the first address."""
    people.move_address(runtime(), current_user.member, person_id, address_id, "first")
    return _back(person_id)


@person.post("/persons/<int:person_id>/addresses/<int:address_id>/up")
def move_up(person_id: int, address_id: int) -> ResponseReturnValue:
    people.move_address(runtime(), current_user.member, person_id, address_id, "up")
    return _back(person_id)


@person.post("/persons/<int:person_id>/addresses/<int:address_id>/down")
def move_down(person_id: int, address_id: int) -> ResponseReturnValue:
    people.move_address(runtime(), current_user.member, person_id, address_id, "down")
    return _back(person_id)


@person.post("/persons/<int:person_id>/addresses/<int:address_id>/remove")
def remove_address(person_id: int, address_id: int) -> ResponseReturnValue:
    people.remove_address(runtime(), current_user.member, person_id, address_id)
    return _back(person_id)


def _may_edit(card: Person) -> None:
    if not may_edit(card, current_user.id, current_user.is_admin):
        raise AccessError(Problem("not_allowed"))


def _card(card: Person, form: AddressForm, status: int = 200) -> ResponseReturnValue:
    return page(
        "person.html",
        "person-addresses",
        status=status,
        person=card,
        form=form,
        editable=may_edit(card, current_user.id, current_user.is_admin),
    )


def _back(person_id: int) -> ResponseReturnValue:
    """To the page that named itself in `next`, such as a waiting draft, else to the card."""
    return see_other(inside(request.form.get("next")) or url_for("person.show", person_id=person_id))
