"""Cards as CSV and as vCard (RFC 2426, RFC 6350), read and written without touching any store."""

import csv
import io
import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from icalendar.parser import Contentline, Contentlines

from soinbox_web.model.address import read_address
from soinbox_web.model.formulas import as_text, as_typed
from soinbox_web.model.person import Person, split_name
from soinbox_web.problems import InputError, Problem

MAX_CARDS = 50_000
MAX_HEADER = 20_000  # characters
MAX_COLUMNS = 200
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

    @property
    def holds_anything(self) -> bool:
        return bool(self.addresses) or any(self.values.values())


def read_csv(text: str) -> list[CardDraft]:
    """The cards of `rows` that hold anything."""
    return kept(list(rows(text)))


def rows(text: str) -> Iterator[CardDraft]:
    """Rows under a header line; `addresses` and every column named after mail hold addresses."""
    text = text.removeprefix("\ufeff")
    reader = csv.DictReader(io.StringIO(text), delimiter=_delimiter(text))
    for row in _rows(reader):
        cells = {
            (name or "").strip().lower(): as_typed(value)
            for name, value in row.items()
            if isinstance(value, str)
        }
        values = {name: _cell(cells, name) for name in COLUMNS[:-1]}
        if not values["first_name"] and not values["last_name"]:
            values["first_name"], values["last_name"] = split_name(_cell(cells, "name"))
        mails = [cell for name, cell in cells.items() if "mail" in name or name == "addresses"]
        yield _draft(values, (each for cell in mails for each in cell.split(";")), f"row {reader.line_num}")


def _delimiter(text: str) -> str:
    """What parts the columns of the header line."""
    first = text[:MAX_HEADER].partition("\n")[0]
    return max(",;\t", key=first.count)


def _rows(reader: "csv.DictReader[str]") -> Iterator[dict[str, Any]]:
    try:
        if len(reader.fieldnames or ()) > MAX_COLUMNS:
            raise _unreadable(f"> {MAX_COLUMNS} columns")
        yield from reader
    except csv.Error as error:
        raise _unreadable(str(error)) from error


def passed_over(text: str) -> list[str]:
    """Columns of a CSV file of which nothing is taken, as they are headed."""
    head = io.StringIO(text.removeprefix("\ufeff")[:MAX_HEADER])
    known = {*COLUMNS, *NAMES, *(each for names in NAMES.values() for each in names)}
    names = (
        "".join(filter(str.isprintable, name)).strip()
        for name in next(csv.reader(head, delimiter=_delimiter(text)), [])
    )
    return [name for name in names if name and name.lower() not in known and "mail" not in name.lower()]


def read_vcard(text: str) -> list[CardDraft]:
    """The cards of `vcards` that hold anything."""
    return kept(list(vcards(text)))


def vcards(text: str) -> Iterator[CardDraft]:
    """Every card of a .vcf file; a preferred address comes first, a line that is none is passed over."""
    count, position = 0, 0
    while position < len(text):
        end = _END.search(text, position)
        card: list[_Line] | None = None
        for line in _lines(text[position : end.end() if end else len(text)]):
            if line.name == "BEGIN" and line.value.upper() == "VCARD":
                card = []
            elif line.name == "END" and card is not None and line.value.upper() == "VCARD":
                count += 1
                yield _of_vcard(card, f"card {count}")
                card = None
            elif card is not None:
                card.append(line)
        if card is not None:
            raise _unreadable("END:VCARD")
        position = end.end() if end else len(text)


def _lines(text: str) -> Iterator["_Line"]:
    try:
        lines: Any = Contentlines.from_ical(text)  # type: ignore[no-untyped-call]
    except ValueError as error:
        raise _unreadable(str(error)[:MAX_TEXT]) from error
    return filter(None, map(_line, lines))


@dataclass(frozen=True, slots=True)
class _Line:
    """A content line; `value` is as it came, `parameters` are in capitals."""

    name: str
    parameters: dict[str, list[str]]
    value: str

    @property
    def text(self) -> str:
        """The value without its escapes."""
        return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], self.value)

    @property
    def fields(self) -> list[str]:
        """A structured value at its bare semicolons."""
        marked = _ESCAPE.sub(lambda found: "\0" if found[1] == ";" else found[0], self.value)
        pieces = (piece.replace("\0", ";") for piece in marked.split(";"))
        return [_Line("", {}, piece).text for piece in pieces]


_END = re.compile(r"^END[ \t]{0,10}:[ \t]{0,10}VCARD[ \t]*+\r?(?:\n|\Z)", re.IGNORECASE | re.MULTILINE)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_HEAD = re.compile(r'(?:[^":]|"[^"]*+")*+:')
_GROUP = re.compile(r"[A-Za-z0-9-]{1,60}\.")


def _line(line: str) -> _Line | None:
    """A content line (RFC 6350), its group left out, bare types of vCard 2.1 named; None when it is none."""
    text = str(line)
    head = _HEAD.match(text)
    if head is None:
        return None
    name, *given = head[0][:-1].split(";") if '"' not in head[0] else [head[0][:-1]]
    written = ";".join((name, *(each if "=" in each else f"TYPE={each}" for each in given)))
    group = _GROUP.match(written)
    try:
        name, parameters, _ = Contentline(written[group.end() if group else 0 :] + ":").parts()  # type: ignore[no-untyped-call]
    except ValueError:
        return None
    found = {
        key.upper(): [each.upper() for each in ([values] if isinstance(values, str) else values)]
        for key, values in parameters.items()
    }
    value = text[head.end() :]
    if "QUOTED-PRINTABLE" in (*found.get("ENCODING", ()), *found.get("TYPE", ())):
        value = quopri.decodestring(value.encode()).decode("utf-8", "replace")
    return _Line(name.upper(), found, value)


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
    lines = ["BEGIN:VCARD", "VERSION:3.0"]
    lines.append(f"N:{_escaped(person.last_name)};{_escaped(person.first_name)};;;")
    lines.append(f"FN:{_escaped(person.name or '-')}")
    for name, value in (("TITLE", person.title), ("TEL", person.phone), ("ORG", person.company)):
        if value:
            lines.append(f"{name}:{_escaped(value)}")
    for each in person.addresses:
        lines.append(f"EMAIL;TYPE=INTERNET{',PREF' if each.rank == 1 else ''}:{_escaped(each.address)}")
    lines.append("END:VCARD")
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _folded(line: str) -> str:
    content: Any = Contentline(line)  # type: ignore[no-untyped-call]
    return str(content.to_ical().decode())


def _escaped(value: str) -> str:
    """A text as a value (RFC 6350 section 3.4)."""
    value = re.sub(r"([\\,;])", r"\\\1", value)
    return re.sub(r"\r\n|[\r\n]", r"\\n", value)


def _of_vcard(card: list[_Line], where: str) -> CardDraft:
    firsts: dict[str, _Line] = {}
    for line in card:
        firsts.setdefault(line.name, line)

    def text(name: str) -> str:
        return firsts[name].text if name in firsts else ""

    if "N" in firsts:
        last, first = [*firsts["N"].fields, "", ""][:2]
    else:
        first, last = split_name(text("FN"))
    values = {"first_name": first, "last_name": last, "title": text("TITLE"), "phone": text("TEL")}
    values["company"] = firsts["ORG"].fields[0] if "ORG" in firsts else ""
    addresses = sorted((line for line in card if line.name == "EMAIL"), key=lambda line: not _preferred(line))
    return _draft(values, (line.text for line in addresses), where)


def _preferred(line: _Line) -> bool:
    return "PREF" in line.parameters.get("TYPE", ()) or "1" in line.parameters.get("PREF", ())


def _draft(values: dict[str, str], addresses: Iterable[str], where: str) -> CardDraft:
    try:
        read = [read_address(each).full for each in addresses if each.strip()]
    except InputError as error:
        raise _unreadable(f"{where}: {error.problem.facts.get('reason', 'address')}") from error
    return CardDraft(
        {name: value.strip()[:MAX_TEXT] for name, value in values.items()}, tuple(dict.fromkeys(read))
    )


def kept(drafts: list[CardDraft]) -> list[CardDraft]:
    """Those that hold anything; InputError when that is none, or too many."""
    found = [draft for draft in drafts if draft.holds_anything]
    if not found or len(found) > MAX_CARDS:
        raise _unreadable("0 cards" if not found else f"> {MAX_CARDS} cards")
    return found


def _cell(cells: dict[str, str], name: str) -> str:
    return next((cells[each] for each in (name, *NAMES.get(name, ())) if cells.get(each)), "").strip()


def _unreadable(detail: str) -> InputError:
    return InputError(Problem("file_unreadable", facts={"detail": detail}))
