"""Cards read from and written to CSV and vCard."""

import pytest

from soinbox_web.model import card_file
from soinbox_web.model.person import CardAddress, Person
from soinbox_web.problems import InputError

ANNA = Person(
    1, "Anna", "de Vries", "Manager", "Noordlicht; Verlichting", "+31 6 1234",
    (CardAddress(1, "anna@noordlicht.example", 1), CardAddress(2, "sales@noordlicht.example", 2)),
)  # fmt: skip


def test_csv_comes_back_as_it_went():
    (draft,) = card_file.read_csv(card_file.write_csv([ANNA]))
    assert draft.addresses == ("anna@noordlicht.example", "sales@noordlicht.example")
    assert draft.values["company"] == ANNA.company
    assert draft.values["phone"] == ANNA.phone


def test_vcard_comes_back_as_it_went():
    (draft,) = card_file.read_vcard(card_file.write_vcard([ANNA]))
    assert draft.addresses == ("anna@noordlicht.example", "sales@noordlicht.example")
    assert (draft.values["first_name"], draft.values["last_name"]) == ("Anna", "de Vries")
    assert draft.values["title"] == "Manager"


def test_reads_other_programs_columns():
    (draft,) = card_file.read_csv(
        "\ufeffNaam;Bedrijf;E-mailadres 1;E-mailadres 2\nEva Smit;Zeezicht;Eva@Zeezicht.example;\n"
    )
    assert draft.values["last_name"] == "Smit"
    assert draft.values["company"] == "Zeezicht"
    assert draft.addresses == ("Eva@zeezicht.example",)


def test_a_preferred_address_comes_first():
    lines = ("BEGIN:VCARD", "VERSION:4.0", "FN:Eva Smit", "EMAIL:a@zee.example", "EMAIL;PREF=1:b@zee.example")
    card = "\r\n".join((*lines, "END:VCARD", ""))
    (draft,) = card_file.read_vcard(card)
    assert draft.addresses == ("b@zee.example", "a@zee.example")
    assert draft.values["first_name"] == "Eva"


@pytest.mark.parametrize("text", ["", "first_name,addresses\nEva,not an address\n"])
def test_an_unreadable_csv_is_a_problem(text):
    with pytest.raises(InputError) as caught:
        card_file.read_csv(text)
    assert caught.value.problem.code == "file_unreadable"


@pytest.mark.parametrize(
    "text", ["", "BEGIN:VCARD\r\nFN:Eva\r\n", "BEGIN:VCARD\r\nVERSION:3.0\r\nEMAIL:nobody\r\nEND:VCARD\r\n"]
)
def test_an_unreadable_vcard_is_a_problem(text):
    with pytest.raises(InputError) as caught:
        card_file.read_vcard(text)
    assert caught.value.problem.code == "file_unreadable"
