"""Users: the first one, invitations, passwords, removal, export."""

import json
import zipfile

import pytest

from soinbox_web.problems import AccessError, InputError
from soinbox_web.services import members, people, sessions
from tests.cast import ANNA, BRAM

GOOD = "a short sentence will do"


def code_of(raised) -> str:
    return raised.value.problem.code


def test_the_first_administrator_needs_the_code(runtime):
    code = members.first_code(runtime)
    with pytest.raises(InputError) as wrong:
        members.add_first(runtime, "AAAA-BBBB-CCCC", ANNA.address, ANNA.name, GOOD)
    assert code_of(wrong) == "code_wrong"
    member = members.add_first(runtime, f" {code.lower()} ", ANNA.address, ANNA.name, GOOD)
    assert member.is_admin
    assert people.first_address(runtime, member.id) == ANNA.address
    with pytest.raises(InputError):
        members.add_first(runtime, code, BRAM.address, BRAM.name, GOOD)
    assert members.first_code(runtime) is None
    assert not (runtime.settings.instance / "first-code").exists()


def test_the_code_is_stored_as_a_hash_that_only_the_owner_reads(runtime):
    code = members.first_code(runtime)
    path = runtime.settings.instance / "first-code"
    assert path.stat().st_mode & 0o777 == 0o600
    assert code.replace("-", "") not in path.read_text()
    assert members.first_code(runtime) != code


def test_guessing_the_code_is_slow(runtime):
    members.first_code(runtime)
    codes = []
    for _ in range(11):
        with pytest.raises(InputError) as refused:
            members.add_first(runtime, "nothing", ANNA.address, ANNA.name, GOOD)
        codes.append(code_of(refused))
    assert codes == ["code_wrong"] * 10 + ["member_delayed"]


@pytest.mark.parametrize(
    ("address", "password", "code"),
    [
        ("no address", GOOD, "address_invalid"),
        ("eva@example.org", "too short", "password_short"),
        (ANNA.address.upper(), GOOD, "member_exists"),
    ],
)
def test_bad_input_makes_no_user(runtime, member, address, password, code):
    with pytest.raises(InputError) as refused:
        members.add(runtime, address, "Eva", password)
    assert code_of(refused) == code
    assert len(members.all_members(runtime)) == 1


def test_a_contact_who_becomes_a_user_keeps_the_card(runtime):
    person_id = people.add(runtime, {"first_name": "Bram", "company": "Noordlicht"}, [BRAM.address])
    assert members.add(runtime, BRAM.address, BRAM.name, GOOD).person_id == person_id


def test_an_invitation_works_once(runtime, member):
    token = members.invite(runtime, member, BRAM.address, BRAM.name)
    assert token not in "".join(str(row) for row in runtime.db.connection().iterdump())
    bram = members.accept(runtime, token, "Bram", GOOD)
    assert (bram.address, bram.is_admin) == (BRAM.address, False)
    with pytest.raises(AccessError) as ended:
        members.accept(runtime, token, "Again", GOOD)
    assert code_of(ended) == "invitation_ended"
    assert members.open_invitations(runtime) == []


def test_an_invitation_ends_after_a_week_or_when_withdrawn(runtime, member, clock):
    token = members.invite(runtime, member, BRAM.address, BRAM.name)
    clock.turn(days=7, seconds=1)
    with pytest.raises(AccessError):
        members.invitation(runtime, token)
    token = members.invite(runtime, member, BRAM.address, BRAM.name)
    members.withdraw(runtime, member, members.open_invitations(runtime)[0].id)
    with pytest.raises(AccessError):
        members.invitation(runtime, token)


def test_the_password_changes_only_with_the_current_one(runtime, member):
    _, here = sessions.sign_in(runtime, ANNA.address, ANNA.password)
    _, elsewhere = sessions.sign_in(runtime, ANNA.address, ANNA.password)
    me = members.of_session(runtime, here)
    with pytest.raises(InputError) as refused:
        members.change_password(runtime, me, "wrong", GOOD)
    assert code_of(refused) == "member_refused"
    fresh = members.change_password(runtime, me, ANNA.password, GOOD)
    assert members.of_session(runtime, here) is None
    assert members.of_session(runtime, elsewhere) is None
    assert members.of_session(runtime, fresh).id == member.id
    sessions.sign_in(runtime, ANNA.address, GOOD)


def test_an_operators_new_password_ends_all_sessions(runtime, member):
    _, token = sessions.sign_in(runtime, ANNA.address, ANNA.password)
    members.set_password(runtime, ANNA.address, GOOD)
    assert members.of_session(runtime, token) is None


def test_removal_ends_sessions_and_keeps_the_card(runtime, member, colleague):
    _, token = sessions.sign_in(runtime, BRAM.address, BRAM.password)
    members.remove(runtime, BRAM.address)
    assert members.of_session(runtime, token) is None
    assert people.by_address(runtime, BRAM.address)[0].user_id == 0


def test_the_last_administrator_stays(runtime, member, colleague):
    for act in (
        lambda: members.remove(runtime, ANNA.address),
        lambda: members.set_admin(runtime, member, member.id, False),
    ):
        with pytest.raises(InputError) as refused:
            act()
        assert code_of(refused) == "last_administrator"


def test_an_unknown_user_is_said(runtime, member):
    with pytest.raises(AccessError) as unknown:
        members.by_address(runtime, "nobody@example.org")
    assert code_of(unknown) == "member_unknown"


def test_export_holds_what_is_the_users_and_no_secret(runtime, member, tmp_path):
    file = tmp_path / "anna.zip"
    members.export(runtime, ANNA.address, file)
    with zipfile.ZipFile(file) as bundle:
        assert json.loads(bundle.read("card.json"))["addresses"][0]["address"] == ANNA.address
        everything = "".join(bundle.read(name).decode() for name in bundle.namelist())
    assert "argon2" not in everything
    assert file.stat().st_mode & 0o077 == 0
