"""Person cards: look, search, change, order addresses, import and export."""

import sqlite3
from pathlib import Path
from typing import Any, NamedTuple

from soinbox_web.mail.mime.worker import cards_guarded
from soinbox_web.model import card_file
from soinbox_web.model.address import read_address
from soinbox_web.model.member import Member
from soinbox_web.model.person import CardAddress, Person, Step, may_edit, moved
from soinbox_web.model.sender import may_send as rule_allows
from soinbox_web.problems import AccessError, InputError, Problem
from soinbox_web.runtime import Runtime
from soinbox_web.store import persons

PAGE = 50  # cards on one page of the list
BATCH = 200  # cards in one write
MAX_FILE = 20_000_000  # bytes
VCARD = (".vcf", ".vcard")
MAX_ADDRESSES = 20  # on one card


def first_address(runtime: Runtime, user_id: int) -> str:
    """The address at rank 1 of the user's own card; "" when there is none."""
    with runtime.db.read() as connection:
        card = persons.of_user(connection, user_id)
    return card.first_address if card else ""


def is_first_address(runtime: Runtime, user_id: int, address: str) -> bool:
    """Whether this is the first address of the user's own card; capitals make no difference."""
    return rule_allows("first", address, [first_address(runtime, user_id)])


def may_send(runtime: Runtime, user_id: int, address: str) -> bool:
    """Whether the user's account with this address may send, under this instance's rule."""
    with runtime.db.read() as connection:
        card = persons.of_user(connection, user_id)
    order = [each.address for each in card.addresses] if card else []
    return rule_allows(runtime.settings.sender_rule, address, order)


def of_user(runtime: Runtime, user_id: int) -> Person:
    """The user's own card; AccessError not_found."""
    with runtime.db.read() as connection:
        return _there(persons.of_user(connection, user_id))


def read(runtime: Runtime, person_id: int) -> Person:
    """A card; AccessError not_found."""
    with runtime.db.read() as connection:
        return _there(persons.read(connection, person_id))


def by_address(runtime: Runtime, address: str) -> list[Person]:
    """The cards that hold an address; the ones with it in the first place come first."""
    with runtime.db.read() as connection:
        return persons.by_address(connection, address.strip())


def search(runtime: Runtime, text: str, page: int = 1) -> tuple[list[Person], int]:
    """One page of the cards that hold every word of `text`, and how many there are in all."""
    words = text.split()[:8]
    with runtime.db.read() as connection:
        found = persons.search(connection, words, PAGE, (max(page, 1) - 1) * PAGE)
        return found, persons.count(connection, words)


def add(runtime: Runtime, values: dict[str, str], addresses: list[str]) -> int:
    """A new card's id; InputError address_invalid."""
    read_ones = list(dict.fromkeys(read_address(each).full for each in addresses if each.strip()))
    with runtime.db.write() as connection:
        return persons.insert(connection, values, read_ones, runtime.clock.now())


def change(runtime: Runtime, by: Member, person_id: int, values: dict[str, str]) -> None:
    """Names, title, company, phone; AccessError not_allowed for a colleague's own card."""
    with runtime.db.write() as connection:
        _editable(connection, by, person_id)
        persons.update(connection, person_id, values, runtime.clock.now())


def remove(runtime: Runtime, by: Member, person_id: int) -> None:
    """Delete a card; a user's own card goes never."""
    with runtime.db.write() as connection:
        if _editable(connection, by, person_id).user_id:
            raise AccessError(Problem("not_allowed"))
        persons.remove(connection, person_id, runtime.clock.now())


def add_address(runtime: Runtime, by: Member, person_id: int, text: str) -> None:
    """Put an address in the last place; InputError address_invalid or address_on_card."""
    address = read_address(text).full
    with runtime.db.write() as connection:
        card = _editable(connection, by, person_id)
        if len(card.addresses) >= MAX_ADDRESSES:
            raise InputError(Problem("input_invalid", facts={"detail": f"> {MAX_ADDRESSES}"}))
        if not persons.add_address(connection, person_id, address, runtime.clock.now()):
            raise InputError(Problem("address_on_card", field="address", facts={"address": address}))


def remove_address(runtime: Runtime, by: Member, person_id: int, address_id: int) -> None:
    """Take an address away; a user's own card keeps at least one (InputError address_last)."""
    with runtime.db.write() as connection:
        card = _editable(connection, by, person_id)
        _address(card, address_id)
        if card.user_id and len(card.addresses) == 1:
            raise InputError(Problem("address_last"))
        persons.remove_address(connection, person_id, address_id, runtime.clock.now())


def move_address(runtime: Runtime, by: Member, person_id: int, address_id: int, step: Step) -> None:
    """Move an address to the first place, one up or one down."""
    with runtime.db.write() as connection:
        card = _editable(connection, by, person_id)
        _address(card, address_id)
        order = moved(tuple(each.id for each in card.addresses), address_id, step)
        persons.order(connection, person_id, order, runtime.clock.now())


def show(runtime: Runtime, address: str) -> list[dict[str, Any]]:
    """The cards that hold an address, ready for JSON."""
    return [
        {
            "id": card.id,
            "name": card.name,
            "title": card.title,
            "company": card.company,
            "phone": card.phone,
            "addresses": [each.address for each in card.addresses],
            "is_user": bool(card.user_id),
        }
        for card in by_address(runtime, address)
    ]


class Imported(NamedTuple):
    """How many were read, and the columns of which nothing was taken."""

    cards: int
    passed_over: list[str]


def import_file(runtime: Runtime, file: Path) -> Imported:
    """Read cards from .csv or .vcf. InputError file_unreadable, and then nothing is saved.

    A card that holds one of the addresses already gets what it lacks; a user's own card stays as it is.
    """
    if file.stat().st_size > MAX_FILE:
        raise InputError(Problem("upload_too_big"))
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(Problem("file_unreadable", facts={"detail": "UTF-8"})) from error
    vcard = file.suffix.lower() in VCARD
    drafts = cards_guarded(text, "vcard" if vcard else "csv")
    for start in range(0, len(drafts), BATCH):
        with runtime.db.write() as connection:
            for draft in drafts[start : start + BATCH]:
                _take_in(runtime, connection, draft)
    return Imported(len(drafts), [] if vcard else card_file.passed_over(text))


def export_file(runtime: Runtime, file: Path) -> int:
    """Write every card to .csv or .vcf; how many."""
    with runtime.db.read() as connection:
        everyone = persons.search(connection, [], limit=-1)
    vcard = file.suffix.lower() in VCARD
    file.touch(0o600)
    file.write_text(
        card_file.write_vcard(everyone) if vcard else card_file.write_csv(everyone), "utf-8", newline=""
    )
    return len(everyone)


def _take_in(runtime: Runtime, connection: sqlite3.Connection, draft: card_file.CardDraft) -> None:
    now = runtime.clock.now()
    known = [card for address in draft.addresses for card in persons.by_address(connection, address)]
    if not known:
        persons.insert(connection, draft.values, draft.addresses, now)
        return
    card = known[0]
    if card.user_id:
        return
    merged = {name: getattr(card, name) or draft.values.get(name, "") for name in persons.FIELDS}
    persons.update(connection, card.id, merged, now)
    for address in draft.addresses:
        persons.add_address(connection, card.id, address, now)


def _there(card: Person | None) -> Person:
    if card is None:
        raise AccessError(Problem("not_found"))
    return card


def _editable(connection: sqlite3.Connection, by: Member, person_id: int) -> Person:
    card = _there(persons.read(connection, person_id))
    if not may_edit(card, by.id, by.is_admin):
        raise AccessError(Problem("not_allowed"))
    return card


def _address(card: Person, address_id: int) -> CardAddress:
    found = next((each for each in card.addresses if each.id == address_id), None)
    if found is None:
        raise AccessError(Problem("not_found"))
    return found
