"""Personal settings and the list of users."""

import re

from soinbox_web.services import members, sessions
from tests.cast import ANNA, BRAM

GOOD = "a short sentence will do"
SETTINGS = {"name": "Anna B.", "language": "nl", "timezone": "Europe/Brussels"}


def test_saves_name_language_and_zone(signed_in, runtime):
    assert signed_in.submit("/personal-settings", SETTINGS).status_code == 303
    member = members.by_address(runtime, ANNA.address)
    assert (member.name, member.language, member.timezone) == ("Anna B.", "nl", "Europe/Brussels")
    assert 'lang="nl"' in signed_in.get("/personal-settings").text


def test_bad_settings_are_shown_again(signed_in, runtime):
    for change in ({"name": " "}, {"timezone": "Mars/Olympus"}, {"language": "xx"}):
        answer = signed_in.submit("/personal-settings", {**SETTINGS, **change})
        assert answer.status_code == 422
    assert members.by_address(runtime, ANNA.address).name == ANNA.name


def test_a_stale_token_keeps_the_settings_typed(signed_in, runtime):
    answer = signed_in.post("/personal-settings", data={**SETTINGS, "csrf_token": "old"})
    assert answer.status_code == 422
    assert 'value="Anna B."' in answer.text
    assert "open for too long" in answer.text
    assert members.by_address(runtime, ANNA.address).name == ANNA.name


def test_a_new_password_turns_the_token_and_ends_other_sessions(signed_in, app, member):
    other = app.test_client().sign_in(member)
    with signed_in.session_transaction() as session:
        before = session["_user_id"]
    wrong = signed_in.submit(
        "/personal-settings/password", {"current": "wrong", "password": GOOD, "repeat": GOOD}
    )
    assert wrong.status_code == 422
    assert GOOD not in wrong.text
    form = {"current": ANNA.password, "password": GOOD, "repeat": GOOD}
    assert signed_in.submit("/personal-settings/password", form).status_code == 303
    assert signed_in.get("/personal-settings").status_code == 200
    assert other.get("/personal-settings").status_code == 303
    with signed_in.session_transaction() as session:
        assert session["_user_id"] != before


def test_signs_out_elsewhere_and_everywhere(signed_in, app, runtime, member):
    other, third = app.test_client().sign_in(member), app.test_client().sign_in(member)
    ids = [each.id for each in sessions.of_member(runtime, member)]
    assert signed_in.submit(f"/personal-settings/sessions/{ids[1]}/end").status_code == 303
    assert [other.get("/persons").status_code, third.get("/persons").status_code].count(303) == 1
    signed_in.submit("/personal-settings/sessions/end-others")
    assert third.get("/persons").status_code == 303
    signed_in.submit("/personal-settings/sessions/end-all")
    assert signed_in.get("/persons").status_code == 303


def test_nobody_ends_a_session_of_somebody_else(signed_in, app, runtime, colleague):
    other = app.test_client().sign_in(colleague)
    (foreign,) = sessions.of_member(runtime, colleague)
    signed_in.submit(f"/personal-settings/sessions/{foreign.id}/end")
    assert other.get("/persons").status_code == 200


def test_an_invitation_link_is_shown_once(signed_in, app):
    answer = signed_in.submit("/team/invitations", {"name": "Bram", "address": BRAM.address})
    link = re.search(r'value="(http[^"]+/invitation/[^"]+)"', answer.text).group(1)
    assert app.test_client().get(link).status_code == 200
    assert "/invitation/" not in signed_in.get("/team").text
    assert BRAM.address in signed_in.get("/team").text


def test_inviting_a_user_again_is_refused(signed_in):
    answer = signed_in.submit("/team/invitations", {"name": "Anna", "address": ANNA.address})
    assert answer.status_code == 422
    assert "already there" in answer.text


def test_removal_asks_first(signed_in, runtime, colleague):
    page = signed_in.get(f"/team/{colleague.id}/remove")
    assert "What goes" in page.text and "What stays" in page.text
    assert len(members.all_members(runtime)) == 2
    signed_in.submit(f"/team/{colleague.id}/remove")
    assert len(members.all_members(runtime)) == 1


def test_only_administrators_see_the_users(client, runtime, member, colleague):
    client.sign_in(colleague)
    assert client.get("/team").status_code == 403
    for path in ("/team/invitations", f"/team/{member.id}/administrator", f"/team/{member.id}/remove"):
        assert (
            client.submit(path, {"is_admin": "1", "name": "X", "address": "x@example.org"}).status_code == 403
        )
    assert "/team" not in client.get("/persons").text
    assert len(members.all_members(runtime)) == 2


def test_rights_of_an_administrator_are_given(signed_in, runtime, colleague, member):
    signed_in.submit(f"/team/{colleague.id}/administrator", {"is_admin": "1"})
    assert members.by_address(runtime, BRAM.address).is_admin
    signed_in.submit(f"/team/{colleague.id}/administrator", {"is_admin": "0"})
    assert not members.by_address(runtime, BRAM.address).is_admin
    last = signed_in.submit(f"/team/{member.id}/administrator", {"is_admin": "0"})
    assert last.status_code == 422
    assert "only administrator" in last.text


def test_the_navigator_folds_and_unfolds(signed_in):
    assert signed_in.submit("/navigator", {"next": "/persons"}).location == "/persons"
    assert 'class="narrow"' in signed_in.get("/persons").text
    signed_in.submit("/navigator")
    assert 'class="narrow"' not in signed_in.get("/persons").text
