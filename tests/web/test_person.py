"""Cards on the web: list, new, edit, addresses in order, and colleagues who only look."""

import pytest

from soinbox_web.services import people
from tests.cast import ANNA, BRAM


@pytest.fixture
def eva(runtime):
    return people.add(
        runtime, {"first_name": "Eva", "last_name": "Smit", "company": "Zeezicht"}, ["eva@zeezicht.example"]
    )


def addresses(runtime, person_id):
    return [each.address for each in people.read(runtime, person_id).addresses]


def test_shows_my_contact_info(signed_in, member):
    assert signed_in.get("/persons/me").location == f"/persons/{member.person_id}"
    page = signed_in.get(f"/persons/{member.person_id}").text
    assert "This is you" in page and ANNA.address in page and "First address" in page


def test_lists_and_searches(signed_in, eva):
    assert "Eva Smit" in signed_in.get("/persons").text
    found = signed_in.get("/persons?q=zeez").text
    assert "Eva Smit" in found and f"/persons/{eva}" in found and BRAM.name not in found
    assert "Nobody found" in signed_in.get("/persons?q=qqq").text


def test_the_list_alone_is_that_element_of_the_page(signed_in, eva):
    alone = signed_in.partial("/persons?q=eva", "person-list").text
    assert alone.startswith('<section class="card" id="person-list">')
    assert alone.strip() in signed_in.get("/persons?q=eva").text


def test_makes_and_edits_a_card(signed_in, runtime):
    form = {"first_name": "Fatima", "last_name": "El Amrani", "address": " Fatima <fatima@arch.example> "}
    place = signed_in.submit("/persons/new", form).location
    assert "fatima@arch.example" in signed_in.get(place).text
    assert (
        signed_in.submit(
            place + "/edit", {"first_name": "Fatima", "last_name": "", "company": "Arch"}
        ).status_code
        == 303
    )
    card = people.by_address(runtime, "fatima@arch.example")[0]
    assert (card.last_name, card.company) == ("", "Arch")


@pytest.mark.parametrize("address", ["", "nobody", "x" * 500 + "@example.org"])
def test_a_card_without_a_right_address_is_asked_again(signed_in, runtime, address):
    answer = signed_in.submit("/persons/new", {"first_name": "Eva", "address": address})
    assert answer.status_code == 422
    assert 'value="Eva"' in answer.text
    assert people.search(runtime, "Eva")[1] == 0


def test_a_stale_token_keeps_the_card_typed(signed_in, runtime):
    answer = signed_in.post(
        "/persons/new", data={"first_name": "Eva", "address": "eva@example.org", "csrf_token": "old"}
    )
    assert answer.status_code == 422
    assert 'value="Eva"' in answer.text and 'value="eva@example.org"' in answer.text
    assert "open for too long" in answer.text


def test_orders_addresses(signed_in, runtime, member):
    place = f"/persons/{member.person_id}"
    for address in ("b@noordlicht.example", "c@noordlicht.example"):
        assert signed_in.submit(place + "/addresses", {"address": address}).status_code == 303
    ids = [each.id for each in people.read(runtime, member.person_id).addresses]
    signed_in.submit(f"{place}/addresses/{ids[2]}/first")
    assert addresses(runtime, member.person_id) == [
        "c@noordlicht.example",
        ANNA.address,
        "b@noordlicht.example",
    ]
    signed_in.submit(f"{place}/addresses/{ids[0]}/down")
    signed_in.submit(f"{place}/addresses/{ids[0]}/up")
    signed_in.submit(f"{place}/addresses/{ids[1]}/remove")
    assert addresses(runtime, member.person_id) == ["c@noordlicht.example", ANNA.address]


def test_through_htmx_the_addresses_alone_come_back(signed_in, runtime, member):
    place = f"/persons/{member.person_id}"
    headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "section#person-addresses"}
    answer = signed_in.submit(place + "/addresses", {"address": "bad"}, headers=headers)
    assert answer.status_code == 422
    assert answer.text.strip().startswith('<section class="card" id="person-addresses"')
    assert 'value="bad"' in answer.text


def test_an_address_that_is_there_already_is_said(signed_in, member):
    answer = signed_in.submit(f"/persons/{member.person_id}/addresses", {"address": ANNA.address.upper()})
    assert answer.status_code == 422
    assert "on the card already" in answer.text


def test_the_only_address_of_a_user_stays(signed_in, runtime, member):
    (only,) = people.read(runtime, member.person_id).addresses
    assert signed_in.submit(f"/persons/{member.person_id}/addresses/{only.id}/remove").status_code == 422


def test_a_colleague_only_looks(client, runtime, member, colleague):
    client.sign_in(colleague)
    place = f"/persons/{member.person_id}"
    page = client.get(place)
    assert ANNA.address in page.text
    assert "<form" not in page.text.split('id="person-addresses"')[1].split("</section>")[0]
    (own,) = people.read(runtime, member.person_id).addresses
    for path in ("/edit", "/remove"):
        assert client.get(place + path).status_code == 403
    for path in (
        "/edit",
        "/remove",
        "/addresses",
        *(f"/addresses/{own.id}/{act}" for act in ("first", "up", "down", "remove")),
    ):
        assert client.submit(place + path, {"address": "evil@example.org"}).status_code == 403
    assert addresses(runtime, member.person_id) == [ANNA.address]


def test_an_administrator_orders_a_colleagues_card(signed_in, runtime, colleague):
    signed_in.submit(f"/persons/{colleague.person_id}/addresses", {"address": "b2@noordlicht.example"})
    assert addresses(runtime, colleague.person_id) == [BRAM.address, "b2@noordlicht.example"]


def test_removes_a_contact_after_asking(signed_in, runtime, eva):
    assert "Remove Eva Smit?" in signed_in.get(f"/persons/{eva}/remove").text
    signed_in.submit(f"/persons/{eva}/remove")
    assert signed_in.get(f"/persons/{eva}").status_code == 404


def test_a_users_card_is_not_removed(signed_in, colleague):
    assert signed_in.submit(f"/persons/{colleague.person_id}/remove").status_code == 403


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7919*7919 }}"]
)
def test_hostile_names_stay_text(signed_in, runtime, hostile):
    person_id = people.add(runtime, {"first_name": hostile, "company": hostile}, ["x@example.org"])
    for path in ("/persons", f"/persons/{person_id}", f"/persons/{person_id}/edit"):
        page = signed_in.get(path).text
        assert hostile not in page or hostile == "{{ 7919*7919 }}"
        assert "62710561" not in page or hostile != "{{ 7919*7919 }}"
