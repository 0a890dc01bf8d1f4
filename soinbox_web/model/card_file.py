"""Cards as CSV and as vCard (RFC 2426, RFC 6350), read and written without touching any store."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import vobject

from soinbox_web.model.address import read_address
from soinbox_web.model.formulas import as_text, as_typed
from soinbox_web.model.person import Person, split_name
from soinbox_web.problems import InputError, Problem

MAX_CARDS = 50_000
MAX_TEXT = 200  # characters of one field
COLUMNS = ("first_name", "last_name", "title", "company", "phone", "addresses")
# What other programs call the same columns, in lower case.
NAMES = {
    "first_name": ("first name", "given name", "voornaam"),
    "last_name": ("last name", "family name", "achternaam"),
    "title": ("job title", "titel", "functie"),
    "company": ("organization", "organisation", "bedrijf", "organization name"),
    "phone": ("telephone", "telefoon", "phone 1 - value"),
    "name": ("full name", "naam"),
}


@dataclass(frozen=True, slots=True)
class CardDraft:
    """A card that was read from a file; addresses in their order."""

    values: dict[str, str] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()


def read_csv(text: str) -> list[CardDraft]:
    """Rows under a header line; `addresses` and every column named after mail hold addresses."""
    try:
        dialect: Any = csv.Sniffer().sniff(text[:4096], ",;\t")
    except csv.Error:
        dialect = csv.excel
    drafts = []
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")), dialect=dialect)
    for row in reader:
        cells = {
            (name or "").strip().lower(): as_typed(value)
            for name, value in row.items()
            if isinstance(value, str)
        }
        values = {name: _cell(cells, name) for name in COLUMNS[:-1]}
        if not values["first_name"] and not values["last_name"]:
            values["first_name"], values["last_name"] = split_name(_cell(cells, "name"))
        mails = [cell for name, cell in cells.items() if "mail" in name or name == "addresses"]
        drafts.append(
            _draft(values, (each for cell in mails for each in cell.split(";")), f"row {reader.line_num}")
        )
    return _kept(drafts)


def read_vcard(text: str) -> list[CardDraft]:
    """Every card of a .vcf file; a preferred address comes first."""
    drafts = []
    try:
        for number, card in enumerate(vobject.readComponents(text, ignoreUnreadable=True), 1):
            drafts.append(_of_vcard(card, f"card {number}"))
    except (vobject.base.ParseError, UnicodeError, ValueError) as error:
        raise _unreadable(str(error)) from error
    return _kept(drafts)


def write_csv(persons: Iterable[Person]) -> str:
    """A header and one row a card; several addresses are parted by `;`."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for person in persons:
        addresses = ";".join(each.address for each in person.addresses)
        values = (*(getattr(person, name) for name in COLUMNS[:-1]), addresses)
        writer.writerow(map(as_text, values))
    return file.getvalue()


def write_vcard(persons: Iterable[Person]) -> str:
    """vCard 3.0; the first address is the preferred one."""
    return "".join(_to_vcard(person) for person in persons)


def _to_vcard(person: Person) -> str:
    card = vobject.vCard()
    card.add("n").value = vobject.vcard.Name(family=person.last_name, given=person.first_name)
    card.add("fn").value = person.name or "-"
    for name, value in (("title", person.title), ("tel", person.phone)):
        if value:
            card.add(name).value = value
    if person.company:
        card.add("org").value = [person.company]
    for each in person.addresses:
        line = card.add("email")
        line.value = each.address
        line.params["TYPE"] = ["INTERNET", "PREF"] if each.rank == 1 else ["INTERNET"]
    return str(card.serialize())


def _of_vcard(card: Any, where: str) -> CardDraft:
    contents = card.contents
    name = contents["n"][0].value if "n" in contents else None
    full = contents["fn"][0].value if "fn" in contents else ""
    first, last = (str(name.given), str(name.family)) if name else split_name(str(full))
    values = {"first_name": first, "last_name": last}
    for key, ours in (("title", "title"), ("tel", "phone")):
        values[ours] = str(contents[key][0].value) if key in contents else ""
    organisation = contents["org"][0].value if "org" in contents else ""
    values["company"] = (
        organisation[0] if isinstance(organisation, list) and organisation else str(organisation or "")
    )
    lines = sorted(contents.get("email", ()), key=lambda line: not _preferred(line))
    return _draft(values, (str(line.value) for line in lines), where)


def _preferred(line: Any) -> bool:
    params = {name.upper(): [value.upper() for value in values] for name, values in line.params.items()}
    return "PREF" in params.get("TYPE", ()) or "1" in params.get("PREF", ())


def _draft(values: dict[str, str], addresses: Iterable[str], where: str) -> CardDraft:
    try:
        read = [read_address(each).full for each in addresses if each.strip()]
    except InputError as error:
        raise _unreadable(f"{where}: {error.problem.facts.get('reason', 'address')}") from error
    return CardDraft(
        {name: value.strip()[:MAX_TEXT] for name, value in values.items()}, tuple(dict.fromkeys(read))
    )


def _kept(drafts: list[CardDraft]) -> list[CardDraft]:
    found = [draft for draft in drafts if draft.addresses or any(draft.values.values())]
    if not found or len(found) > MAX_CARDS:
        raise _unreadable("0" if not found else f"> {MAX_CARDS}")
    return found


def _cell(cells: dict[str, str], name: str) -> str:
    return next((cells[each] for each in (name, *NAMES.get(name, ())) if cells.get(each)), "").strip()


def _unreadable(detail: str) -> InputError:
    return InputError(Problem("file_unreadable", facts={"detail": detail}))
