"""The pages of connected accounts: options tab, status, edit, remove, and the banner on every page."""

import re

import pytest

from soinbox_web.problems import Problem
from soinbox_web.services import accounts as service
from soinbox_web.store import accounts
from tests.set_up import ADDRESS, SECRET, form_for, mail_servers, submit
from tests.web.test_setup import fields, settled

REFUSED = Problem(
    "credentials_wrong", side="imap", stage="sign_in", evidence="NO [AUTHENTICATIONFAILED] <b>no</b>",
    facts={"host": "localhost", "username": ADDRESS},
)  # fmt: skip
DOWN = Problem("refused", side="imap", stage="connect", facts={"host": "localhost", "port": "993"})


@pytest.fixture
def servers(ca):
    with mail_servers(ca) as pair:
        yield pair


@pytest.fixture
def account(runtime, member, servers):
    submit(runtime, member, form_for(*servers))
    (found,) = service.of_user(runtime, member.id)
    return found


def record(runtime, account, problem, side="imap"):
    with runtime.db.write() as c:
        accounts.record_attempt(c, account.id, side, runtime.clock.now(), problem)


def banner(text):
    """The words of the banners on a page."""
    inside, depth = text.partition('id="banners"')[2].partition(">")[2], 1
    for tag in re.finditer(r"<(/?)div\b", inside):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return " ".join(re.sub(r"<[^>]+>", " ", inside[: tag.start()]).split())
    raise AssertionError("no banners")


def test_the_tab_lists_the_accounts(signed_in, account):
    text = signed_in.get("/options/account").text
    assert ADDRESS in text and "Connected" in text
    for act in ("status", "edit", "remove"):
        assert f"/accounts/{account.id}/{act}" in text


def test_no_account_yet(signed_in):
    assert "No e-mail account yet" in signed_in.get("/options/account").text


def test_a_refused_sign_in_stands_on_every_page(signed_in, runtime, account):
    assert banner(signed_in.get("/options/account").text) == ""
    record(runtime, account, REFUSED)
    for path in ("/options/account", "/persons", "/setup", "/personal-settings"):
        text = signed_in.get(path).text
        assert "is not updated since" in banner(text), path
        assert "User name or password is wrong" in banner(text)
        assert "Fix sign-in" in banner(text)
        assert f'href="/accounts/{account.id}/edit"' in text


def test_a_temporary_fault_is_shown_after_three_failures_or_a_quarter_of_an_hour(
    signed_in, runtime, account, clock
):
    record(runtime, account, DOWN)
    assert banner(signed_in.get("/persons").text) == ""
    clock.turn(minutes=15)
    assert "Try again now" in banner(signed_in.get("/persons").text)
    record(runtime, account, None)
    assert banner(signed_in.get("/persons").text) == ""
    for _ in range(3):
        record(runtime, account, DOWN)
    assert "accepts no connection" in banner(signed_in.get("/persons").text)


def test_reading_without_sending_is_said(signed_in, runtime, account):
    record(runtime, account, Problem("smtp_relay_only", side="smtp", facts={"host": "X"}), "smtp")
    text = signed_in.get("/persons").text
    assert "Reading works" in banner(text) and "banner-warning" in text
    assert "Outgoing e-mail settings" in banner(text) and "Fix sign-in" not in text


def test_reading_only_is_no_alarm(signed_in, runtime, account):
    record(runtime, account, Problem("smtp_auth_disabled", side="smtp", facts={"provider": "X"}), "smtp")
    text = signed_in.get("/persons").text
    assert "only reads mail" in banner(text) and "banner-quiet" in text
    assert "All well" in text and "banner-warning" not in text


def test_nobody_elses_banner(app, runtime, account, colleague):
    record(runtime, account, REFUSED)
    assert banner(app.test_client().sign_in(colleague).get("/persons").text) == ""


def test_the_status_shows_the_servers_words(signed_in, runtime, account):
    record(runtime, account, REFUSED)
    text = signed_in.get(f"/accounts/{account.id}/status").text
    assert "NO [AUTHENTICATIONFAILED] &lt;b&gt;no&lt;/b&gt;" in text
    assert "Needs a sign-in" in text and "Check now" in text
    assert text.count('class="attempt-line') >= 1


def test_check_now(signed_in, runtime, account):
    answer = signed_in.submit(f"/accounts/{account.id}/refresh")
    assert answer.status_code == 303
    answer = signed_in.submit(f"/accounts/{account.id}/refresh")
    assert answer.status_code == 429 and "checked a moment ago" in answer.text


def test_check_now_asked_by_htmx_is_told_in_a_toast(signed_in, account):
    asked = {"HX-Request": "true", "HX-Target": "div#toasts"}
    for words in ("Checking now.", "checked a moment ago"):
        answer = signed_in.submit(f"/accounts/{account.id}/refresh", headers=asked)
        assert answer.status_code == 200 and words in answer.text and "<html" not in answer.text


def test_editing_is_prefilled_with_the_diagnosis(signed_in, runtime, account):
    record(runtime, account, REFUSED)
    text = signed_in.get(f"/accounts/{account.id}/edit").text
    assert f'value="{account.imap.port}"' in text and "Kept; retype only to change." in text
    assert "User name or password is wrong" in text
    assert "autofocus" in re.search(r'<input id="imap_password"[^>]*>', text)[0]
    assert "readonly" in re.search(r'<input id="address"[^>]*>', text)[0]
    assert SECRET not in text


def test_editing_without_change_needs_no_password(signed_in, account, servers):
    answer = signed_in.submit(f"/accounts/{account.id}/edit", fields(servers, imap_password=""))
    assert answer.status_code == 303
    assert settled(signed_in, answer.location).location == f"/inbox/{account.id}"


def test_another_server_asks_its_password(signed_in, account, servers):
    changed = fields(servers, imap_password="", imap_host="127.0.0.1")
    answer = signed_in.submit(f"/accounts/{account.id}/edit", changed)
    assert answer.status_code == 422
    assert "Type the password for 127.0.0.1" in answer.text
    assert 'value="127.0.0.1"' in answer.text


def test_removing_asks_and_says_what_goes(signed_in, runtime, account):
    text = signed_in.get(f"/accounts/{account.id}/remove").text
    assert "What goes" in text and "What stays" in text and "the mailbox at your provider" in text
    assert service.of_user(runtime, account.user_id)
    answer = signed_in.submit(f"/accounts/{account.id}/remove")
    assert answer.location == "/options/account"
    assert service.of_user(runtime, account.user_id) == []


@pytest.mark.parametrize("act", ["status", "edit", "remove"])
def test_nobody_elses_account(app, account, colleague, act):
    other = app.test_client().sign_in(colleague)
    assert other.get(f"/accounts/{account.id}/{act}").status_code == 404
    for post in ("edit", "remove", "refresh", "fetch-back"):
        assert other.submit(f"/accounts/{account.id}/{post}", {"days": "30"}).status_code == 404


def test_how_far_back_is_chosen_and_the_copy_made_anew(signed_in, runtime, account):
    url = f"/accounts/{account.id}/fetch-back"
    assert 'id="fetch-back"' in signed_in.get(f"/accounts/{account.id}/status").text
    answer = signed_in.submit(url, {"days": "365"})
    assert answer.status_code == 303 and answer.location.endswith("/status#fetch-back")
    page = signed_in.get(f"/accounts/{account.id}/status").text
    assert '<option value="365" selected>the last year</option>' in page
    with runtime.db.read() as connection:
        now = accounts.read(connection, account.id)
    assert (now.sync_days, now.generation) == (365, account.generation + 1)
    for odd in ("", "365"):  # back to everything, then to a year again
        signed_in.submit(url, {"days": odd})
    for odd in ("-1", "0", "366", "all", "1e9"):
        signed_in.submit(url, {"days": odd})
    signed_in.submit(url)
    with runtime.db.read() as connection:
        now = accounts.read(connection, account.id)
    assert (now.sync_days, now.generation) == (365, account.generation + 3)
