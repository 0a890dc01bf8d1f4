"""Cards: search, the order of addresses, who may change what, import and export."""

from dataclasses import replace

import pytest

from soinbox_web.problems import AccessError, InputError
from soinbox_web.services import people
from tests.cast import ANNA, BRAM


@pytest.fixture
def eva(runtime):
    return people.add(
        runtime, {"first_name": "Eva", "last_name": "Smit", "company": "Zeezicht"}, ["eva@zeezicht.example"]
    )


def order(runtime, person_id):
    card = people.read(runtime, person_id)
    assert [each.rank for each in card.addresses] == list(range(1, len(card.addresses) + 1))
    return [each.address for each in card.addresses]


def test_moving_an_address_makes_it_the_first(runtime, member):
    people.add_address(runtime, member, member.person_id, " Sales@Noordlicht.example ")
    second = people.of_user(runtime, member.id).addresses[1]
    assert not people.may_send(runtime, member.id, second.address)
    people.move_address(runtime, member, member.person_id, second.id, "first")
    assert order(runtime, member.person_id) == ["Sales@noordlicht.example", ANNA.address]
    assert people.first_address(runtime, member.id) == "Sales@noordlicht.example"
    assert people.is_first_address(runtime, member.id, "sales@noordlicht.example")
    assert not people.is_first_address(runtime, member.id, ANNA.address)


def test_under_the_rule_own_every_address_of_the_card_sends(runtime, member):
    people.add_address(runtime, member, member.person_id, "sales@noordlicht.example")
    runtime.settings = replace(runtime.settings, sender_rule="own")
    assert people.may_send(runtime, member.id, "sales@noordlicht.example")
    assert not people.may_send(runtime, member.id, "other@noordlicht.example")


def test_ranks_have_no_gap_after_a_removal(runtime, member, eva):
    for address in ("b@zeezicht.example", "c@zeezicht.example"):
        people.add_address(runtime, member, eva, address)
    people.remove_address(runtime, member, eva, people.read(runtime, eva).addresses[0].id)
    assert order(runtime, eva) == ["b@zeezicht.example", "c@zeezicht.example"]


def test_a_users_card_keeps_an_address(runtime, member):
    own = people.of_user(runtime, member.id)
    with pytest.raises(InputError) as refused:
        people.remove_address(runtime, member, own.id, own.addresses[0].id)
    assert refused.value.problem.code == "address_last"


def test_a_colleague_cannot_touch_my_card_and_an_administrator_can(runtime, member, colleague):
    mine = people.of_user(runtime, member.id)
    acts = (
        lambda: people.move_address(runtime, colleague, mine.id, mine.addresses[0].id, "first"),
        lambda: people.add_address(runtime, colleague, mine.id, "evil@example.org"),
        lambda: people.remove_address(runtime, colleague, mine.id, mine.addresses[0].id),
        lambda: people.change(runtime, colleague, mine.id, {"first_name": "X"}),
        lambda: people.remove(runtime, colleague, mine.id),
    )
    for act in acts:
        with pytest.raises(AccessError) as refused:
            act()
        assert refused.value.problem.code == "not_allowed"
    people.add_address(runtime, member, colleague.person_id, "bram2@noordlicht.example")
    assert order(runtime, colleague.person_id) == [BRAM.address, "bram2@noordlicht.example"]


def test_an_address_of_another_card_is_not_there(runtime, member, eva):
    foreign = people.of_user(runtime, member.id).addresses[0]
    with pytest.raises(AccessError):
        people.move_address(runtime, member, eva, foreign.id, "first")
    with pytest.raises(AccessError):
        people.remove_address(runtime, member, eva, foreign.id)


@pytest.mark.parametrize(
    ("text", "code"), [("eva@zeezicht.example", "address_on_card"), ("no address", "address_invalid")]
)
def test_bad_addresses_stay_off_the_card(runtime, member, eva, text, code):
    with pytest.raises(InputError) as refused:
        people.add_address(runtime, member, eva, text)
    assert refused.value.problem.code == code
    assert order(runtime, eva) == ["eva@zeezicht.example"]


def test_searches_names_companies_and_addresses(runtime, member, eva):
    for text in ("eva", "ZEEZ", "smit zeezicht", "eva@zee"):
        assert [card.id for card in people.search(runtime, text)[0]] == [eva], text
    assert people.search(runtime, "eva%")[0] == []
    assert people.search(runtime, "")[1] == 2


def test_import_takes_all_or_nothing_and_merges(runtime, member, eva, tmp_path):
    file = tmp_path / "cards.csv"
    file.write_text(
        "first_name,phone,addresses\nEva,+31 1,eva@zeezicht.example;e.smit@zeezicht.example\nNew,,bad\n"
    )
    with pytest.raises(InputError):
        people.import_file(runtime, file)
    assert people.read(runtime, eva).phone == ""
    file.write_text("first_name,phone,addresses\nOther,+31 1,eva@zeezicht.example;e.smit@zeezicht.example\n")
    assert people.import_file(runtime, file).cards == 1
    card = people.read(runtime, eva)
    assert (card.first_name, card.phone) == ("Eva", "+31 1")
    assert order(runtime, eva) == ["eva@zeezicht.example", "e.smit@zeezicht.example"]
    assert people.search(runtime, "")[1] == 2


def test_import_never_changes_a_users_card(runtime, member, tmp_path):
    file = tmp_path / "cards.csv"
    file.write_text(f"first_name,addresses\nMallory,{ANNA.address};mallory@example.org\n")
    people.import_file(runtime, file)
    assert people.of_user(runtime, member.id).first_address == ANNA.address
    assert order(runtime, member.person_id) == [ANNA.address]


@pytest.mark.parametrize("name", ["cards.csv", "cards.vcf"])
def test_export_then_import_changes_nothing(runtime, member, eva, tmp_path, name):
    file = tmp_path / name
    assert people.export_file(runtime, file) == 2
    before = people.search(runtime, "")[0]
    assert people.import_file(runtime, file).cards == 2
    assert people.search(runtime, "")[0] == before


def test_columns_of_which_nothing_is_taken_are_told(runtime, tmp_path):
    file = tmp_path / "cards.csv"
    file.write_text('Voornaam,address,E-mail 2,"Birth\x1b[2Jday",\nEva,Kade 1,eva@zeezicht.example,1990,\n')
    assert people.import_file(runtime, file) == (1, ["address", "Birth[2Jday"])


def test_a_file_that_is_no_text_is_a_problem(runtime, tmp_path):
    file = tmp_path / "cards.csv"
    file.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError) as refused:
        people.import_file(runtime, file)
    assert refused.value.problem.code == "file_unreadable"


def test_shows_a_card_for_the_command_line(runtime, member, eva):
    (card,) = people.show(runtime, "EVA@zeezicht.example")
    assert card["name"] == "Eva Smit"
    assert card["addresses"] == ["eva@zeezicht.example"]
