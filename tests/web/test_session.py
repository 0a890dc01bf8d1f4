"""The way in: first administrator, sign-in, invitation; tokens turn over, nothing typed is lost."""

import re

import pytest

from soinbox_web.services import members, sessions
from tests.cast import ANNA, BRAM
from tests.client import SoinboxClient

GOOD = "a short sentence will do"
FIRST = {
    "name": "Anna de Vries",
    "address": ANNA.address,
    "password": GOOD,
    "repeat": GOOD,
    "timezone": "Asia/Tokyo",
}


def sign_in(client: SoinboxClient, password=ANNA.password, **more):
    return client.submit("/sign-in", {"address": ANNA.address, "password": password, **more})


def token_of(client: SoinboxClient) -> str:
    with client.session_transaction() as session:
        return session.get("_user_id", "")


def test_an_empty_instance_asks_for_its_first_administrator(client):
    assert client.get("/").location == "/first-administrator"
    assert client.get("/sign-in").location == "/first-administrator"
    assert client.get("/first-administrator").status_code == 200


def test_the_first_administrator_is_made_with_the_code(client, runtime):
    code = members.first_code(runtime)
    wrong = client.submit("/first-administrator", {**FIRST, "code": "XXXX"})
    assert wrong.status_code == 422
    assert "This is not the code" in wrong.text
    assert 'value="Anna de Vries"' in wrong.text
    assert GOOD not in wrong.text
    done = client.submit("/first-administrator", {**FIRST, "code": code})
    assert done.status_code == 303
    (member,) = members.all_members(runtime)
    assert (member.is_admin, member.timezone) == (True, "Asia/Tokyo")
    assert client.get("/persons").status_code == 200
    assert client.get("/first-administrator").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"address": "nobody"},
        {"password": "short", "repeat": "short"},
        {"repeat": "another sentence"},
    ],
)
def test_bad_input_keeps_the_form(client, runtime, change):
    code = members.first_code(runtime)
    answer = client.submit("/first-administrator", {**FIRST, "code": code, **change})
    assert answer.status_code == 422
    assert 'class="error"' in answer.text
    assert members.all_members(runtime) == []


def test_an_unknown_zone_is_not_believed(client, runtime):
    code = members.first_code(runtime)
    client.submit("/first-administrator", {**FIRST, "code": code, "timezone": "../../etc/passwd"})
    assert members.all_members(runtime)[0].timezone == ""


def test_signs_in_and_goes_where_it_was_wanted(client, member):
    asked = client.get("/persons?q=eva")
    assert asked.location == "/sign-in?next=/persons?q%3Deva"
    assert sign_in(client, next="/persons?q=eva").location == "/persons?q=eva"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "\t//evil.example", "x"]
)
def test_next_never_leads_elsewhere(client, member, elsewhere):
    assert sign_in(client, next=elsewhere).location == "/"


def test_a_wrong_password_is_refused_and_the_address_kept(client, member):
    answer = sign_in(client, "not this one")
    assert answer.status_code == 422
    assert f'value="{ANNA.address}"' in answer.text
    assert "not this one" not in answer.text


def test_too_many_tries_are_delayed(client, member):
    answers = [sign_in(client, "not this one").status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]


def test_the_device_cookie_spares_its_owner_the_delay(client, app, member):
    sign_in(client)
    client.submit("/sign-out")
    stranger = app.test_client()
    for _ in range(8):
        sign_in(stranger, "guess")
    assert sign_in(stranger).status_code == 429
    assert sign_in(client).status_code == 303


def test_the_token_and_the_csrf_secret_turn_over_at_sign_in(client, member):
    before = client.csrf_token()
    with client.session_transaction() as session:
        secret = session["csrf_token"]
    sign_in(client)
    first = token_of(client)
    with client.session_transaction() as session:
        assert session.get("csrf_token") != secret
    assert client.post("/sign-out", data={"csrf_token": before}).status_code == 422
    sign_in(client)
    assert token_of(client) not in ("", first)


def test_a_copied_cookie_is_dead_after_sign_out_password_change_and_removal(
    client, app, runtime, member, colleague
):
    def copied(person):
        thief = app.test_client().sign_in(person)
        assert thief.get("/persons").status_code == 200
        return thief

    sign_in(client)
    thief = app.test_client()
    with client.session_transaction() as mine, thief.session_transaction() as theirs:
        theirs.update(mine)
    assert thief.get("/persons").status_code == 200
    client.submit("/sign-out")
    assert thief.get("/persons").status_code == 303
    thief = copied(member)
    members.set_password(runtime, ANNA.address, GOOD)
    assert thief.get("/persons").status_code == 303
    thief = copied(colleague)
    members.remove(runtime, BRAM.address)
    assert thief.get("/persons", headers={"HX-Request": "true"}).status_code == 401


def test_an_invitation_link_works_once(client, app, runtime, member):
    token = members.invite(runtime, member, BRAM.address, BRAM.name)
    page = client.get(f"/invitation/{token}")
    assert BRAM.address in page.text
    form = {"name": "Bram", "password": GOOD, "repeat": GOOD}
    assert client.submit(f"/invitation/{token}", form).status_code == 303
    assert client.get("/persons").status_code == 200
    again = app.test_client()
    assert again.get(f"/invitation/{token}").status_code == 404
    assert again.submit(f"/invitation/{token}", form).status_code == 404


def test_a_stale_token_keeps_what_was_typed_but_secrets(client, member):
    answer = client.post(
        "/sign-in", data={"csrf_token": "old", "address": ANNA.address, "password": ANNA.password}
    )
    assert answer.status_code == 422
    assert f'value="{ANNA.address}"' in answer.text
    assert ANNA.password not in answer.text
    assert "open for too long" in answer.text
    fresh = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.text).group(1)
    again = client.post(
        "/sign-in", data={"csrf_token": fresh, "address": ANNA.address, "password": ANNA.password}
    )
    assert again.status_code == 303


def test_the_language_is_the_browsers_until_somebody_chooses(client, runtime, member):
    assert '<html lang="nl"' in client.get("/sign-in", headers={"Accept-Language": "nl-NL,nl"}).text
    assert '<html lang="en"' in client.get("/sign-in", headers={"Accept-Language": "fi"}).text
    assert client.submit("/language", {"language": "nl", "next": "/sign-in"}).location == "/sign-in"
    assert '<html lang="nl"' in client.get("/sign-in").text
    client.sign_in(member)
    client.submit("/language", {"language": "nl", "next": "/persons"})
    assert members.by_address(runtime, ANNA.address).language == "nl"
    client.submit("/language", {"language": "xx"})
    assert members.by_address(runtime, ANNA.address).language == "nl"


def test_the_cookie_is_prolonged_once_a_day(signed_in, clock):
    name = signed_in.application.config["SESSION_COOKIE_NAME"]

    def prolonged() -> bool:
        given = signed_in.get("/help").headers.getlist("Set-Cookie")
        return any(cookie.startswith(f"{name}=") and "Expires=" in cookie for cookie in given)

    with signed_in.session_transaction() as session:
        session.permanent = True
    assert [prolonged(), prolonged()] == [True, False]
    clock.turn(days=1)
    assert [prolonged(), prolonged()] == [True, False]


def test_cookies_are_strict_on_https(settings, runtime, member):
    from dataclasses import replace

    from soinbox_web.app import create_app

    runtime.settings = replace(settings, public_url="https://mail.example.org")
    app = create_app(runtime.settings, runtime)
    app.test_client_class = SoinboxClient
    client = app.test_client()
    client.get("/sign-in", base_url="https://mail.example.org")
    answer = client.get("/sign-in", base_url="https://mail.example.org")
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.text).group(1)
    form = {"csrf_token": token, "address": ANNA.address, "password": ANNA.password}
    done = client.post("/sign-in", data=form, base_url="https://mail.example.org")
    cookies = done.headers.getlist("Set-Cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        assert "Secure" in cookie and "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie


def test_a_post_from_another_site_is_refused(signed_in):
    answer = signed_in.submit("/language", {"language": "nl"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_sessions_are_listed_by_the_service(runtime, member):
    assert sessions.of_member(runtime, member) == []


@pytest.mark.parametrize("times", [1, 2])
def test_a_new_sign_in_ends_the_session_of_this_browser_only(app, runtime, member, times):
    elsewhere, here = app.test_client(), app.test_client()
    sign_in(elsewhere)
    sign_in(here)
    for _ in range(times):
        before = token_of(here)
        assert sign_in(here).status_code == 303
        assert members.of_session(runtime, before) is None
        assert members.of_session(runtime, token_of(here)) is not None
    assert elsewhere.get("/persons").status_code == 200
    assert len(sessions.of_member(runtime, member)) == 2
