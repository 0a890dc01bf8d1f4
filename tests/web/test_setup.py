"""The pages of set-up without a screen and without JavaScript."""

import re
import time
from dataclasses import replace

import pytest

from soinbox_web.services import accounts
from tests.set_up import ADDRESS, SECRET, mail_servers


@pytest.fixture
def servers(ca):
    with mail_servers(ca) as pair:
        yield pair


def fields(servers, **changes):
    imap, smtp = servers
    return {
        "address": ADDRESS,
        "imap_host": "localhost", "imap_port": str(imap.port), "imap_security": "ssl",
        "imap_username": ADDRESS, "imap_password": SECRET,
        "smtp_host": "localhost", "smtp_port": str(smtp.port), "smtp_security": "ssl",
        "smtp_username": ADDRESS, "smtp_password": "", "smtp_same": "y",
        **changes,
    }  # fmt: skip


def advanced(browser):
    """The path of a fresh attempt that shows the advanced form."""
    answer = browser.submit("/setup", {"address": ADDRESS, "go": "advanced"})
    assert answer.status_code == 303
    return answer.location


def settled(browser, path):
    """The attempt's answer once nothing runs any more."""
    for _ in range(300):
        answer = browser.get(path)
        if 'http-equiv="refresh"' not in answer.text:
            return answer
        time.sleep(0.03)
    raise AssertionError("still running")


def test_the_card_asks_one_field(signed_in):
    text = signed_in.get("/setup").text
    visible = [
        tag for tag in re.findall(r"<input[^>]*>", text.split('id="setup-card"')[1]) if "hidden" not in tag
    ]
    assert len(visible) == 1 and 'name="address"' in visible[0]
    assert "Set up e-mail account" in text and "Advanced settings" in text and ">Next<" in text


@pytest.mark.parametrize(
    "typed", ["anna", "@example.org", "anna@", "a" * 500 + "@example.org", "", "a b@c d"]
)
def test_an_impossible_address_is_said_and_kept(signed_in, typed):
    answer = signed_in.submit("/setup", {"address": typed})
    assert answer.status_code == 422
    assert "not a complete e-mail address" in answer.text
    assert 'aria-invalid="true"' in answer.text
    if typed:
        assert f'value="{typed}"' in answer.text


def test_the_whole_way_with_server_data(signed_in, servers, runtime, member):
    path = advanced(signed_in)
    page = signed_in.get(path).text
    assert 'value="anna@noordlicht.example"' in page and "Incoming e-mail settings" in page
    answer = signed_in.submit(f"{path}/advanced", fields(servers))
    assert answer.status_code == 303 and answer.location == path
    first = signed_in.get(path)
    assert '<noscript><meta http-equiv="refresh" content="1">' in first.text or first.status_code == 303
    end = settled(signed_in, path)
    (account,) = accounts.of_user(runtime, member.id)
    assert end.status_code == 303 and end.location == f"/inbox/{account.id}"


def test_htmx_is_led_to_the_inbox(signed_in, servers, runtime, member):
    path = advanced(signed_in)
    signed_in.submit(f"{path}/advanced", fields(servers))
    for _ in range(300):
        answer = signed_in.partial(path, "setup-card")
        assert answer.status_code == 200 and 'http-equiv="refresh"' not in answer.text
        if "HX-Redirect" in answer.headers:
            break
        assert answer.text.lstrip().startswith('<section class="card') and "setup-stages" in answer.text
        time.sleep(0.03)
    (account,) = accounts.of_user(runtime, member.id)
    assert answer.headers["HX-Redirect"] == f"/inbox/{account.id}"


def test_a_wrong_password_shows_the_cause_on_the_guilty_field(signed_in, servers):
    path = advanced(signed_in)
    signed_in.submit(f"{path}/advanced", fields(servers, imap_password="wrong-one"))
    end = settled(signed_in, path)
    assert end.status_code == 200
    assert "User name or password is wrong" in end.text and "Authentication failed." in end.text
    guilty = re.search(r'<input id="imap_password"[^>]*>', end.text)[0]
    assert "autofocus" in guilty and 'aria-describedby="problem"' in guilty
    assert "Kept; retype only to change." in end.text
    assert "wrong-one" not in end.text
    assert end.text.count("autofocus") == 1


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("imap_host", "https://imap.example.org/", "cannot be the name of a server"),
        ("imap_host", "imap.example.org:993", "cannot be the name of a server"),
        ("imap_host", "imap.example.org/path", "cannot be the name of a server"),
        ("imap_host", "", "Type the name of the server."),
        ("imap_port", "70000", "A port is a number from 1 to 65535."),
        ("imap_port", "-1", "A port is a number from 1 to 65535."),
        ("imap_port", "imaps", "A port is a number from 1 to 65535."),
        ("imap_username", "anna\r\nA1 LOGOUT", "This cannot be a user name."),
        ("imap_password", "geheim\r\nA1 LOGOUT", "This cannot be a password."),
        ("imap_password", "", "Type the password for localhost"),
        ("address", "anna", "not a complete e-mail address"),
        ("imap_security", "none", "Not a valid choice"),
        ("smtp_host", "smtp.example.org/x", "cannot be the name of a server"),
    ],
)
def test_bad_server_data_are_said_at_their_field(signed_in, servers, field, value, said):
    imap, _ = servers
    path = advanced(signed_in)
    answer = signed_in.submit(f"{path}/advanced", fields(servers, **{field: value}))
    assert answer.status_code == 422
    assert said in answer.text.replace("&#39;", "'")
    guilty = re.search(rf'<(input|select) id="{field}"[^>]*>', answer.text)[0]
    assert 'aria-invalid="true"' in guilty and "autofocus" in guilty
    assert imap.sign_ins == []


def test_a_stale_token_shows_the_form_again_but_secrets(signed_in, servers):
    path = advanced(signed_in)
    answer = signed_in.post(
        f"{path}/advanced", data={"csrf_token": "old", **fields(servers, imap_host="my.host")}
    )
    assert answer.status_code == 422
    assert "open for too long" in answer.text and 'value="my.host"' in answer.text
    assert SECRET not in answer.text
    answer = signed_in.post("/setup", data={"csrf_token": "old", "address": "kept@example.org"})
    assert answer.status_code == 422 and 'value="kept@example.org"' in answer.text


def test_another_persons_attempt_is_not_there(signed_in, app, colleague):
    path = advanced(signed_in)
    other = app.test_client().sign_in(colleague)
    assert other.get(path).status_code == 404
    assert other.submit(f"{path}/cancel").status_code == 404
    assert other.submit(f"{path}/password", {"password": "x"}).status_code == 404


def test_back_keeps_the_address_and_cancel_forgets(signed_in):
    path = advanced(signed_in)
    token = path.rpartition("/")[2]
    assert f'value="{ADDRESS}"' in signed_in.get(f"/setup?from={token}").text
    assert signed_in.submit(f"{path}/cancel").location == "/setup"
    assert signed_in.get(path).location == "/setup"


def test_what_was_typed_is_gone_after_a_quarter_of_an_hour(signed_in, servers, clock):
    path = advanced(signed_in)
    clock.turn(minutes=15, seconds=1)
    answer = signed_in.get(path)
    assert answer.status_code == 404 and "This set-up has ended" in answer.text


def test_a_slip_of_a_big_domain_is_asked_about(signed_in):
    path = signed_in.submit("/setup", {"address": "anna@gmial.com", "go": "advanced"}).location
    page = signed_in.get(path).text
    assert "Did you mean gmail.com?" in page and 'value="anna@gmail.com"' in page


def test_a_chip_fills_the_form_without_javascript(signed_in, servers, runtime):
    path = advanced(signed_in)
    signed_in.submit(f"{path}/advanced", fields(servers, imap_port="1"))
    page = settled(signed_in, path).text
    chips = re.findall(r"name=\"fill\" formnovalidate value='([^']*)'>([^<]*)<", page)
    value, label = next(chip for chip in chips if "143" in chip[0])
    assert label == "143 with STARTTLS"
    answer = signed_in.submit(
        f"{path}/advanced", fields(servers, imap_port="1", smtp_port="4711", imap_password="new", fill=value)
    )
    assert answer.status_code == 200
    assert re.search(r'<input id="imap_port"[^>]*value="143"', answer.text)
    assert re.search(r'<option value="starttls" selected>', answer.text)
    assert re.search(r'<input id="smtp_port"[^>]*value="4711"', answer.text), "the rest stays as typed"
    assert "Kept; retype only to change." in answer.text and "new" not in re.findall(
        r'value="([^"]*)"', answer.text
    )


@pytest.mark.parametrize(
    "value", ["", "[]", "{}", '["imap"]', '["imap","h","x","ssl","u"]', '["x","h",1,"ssl","u"]']
)
def test_a_made_up_chip_fills_nothing(signed_in, servers, value):
    path = advanced(signed_in)
    answer = signed_in.submit(f"{path}/advanced", fields(servers, imap_host="my.host", fill=value))
    assert answer.status_code == 200 and 'value="my.host"' in answer.text


def test_a_side_is_tested_by_its_button(signed_in, servers, runtime, member):
    path = advanced(signed_in)
    signed_in.submit(f"{path}/advanced", fields(servers, test="imap"))
    assert "It works. Nothing is saved yet." in settled(signed_in, path).text
    assert accounts.of_user(runtime, member.id) == []


def test_the_technical_report_is_a_page_and_a_file(signed_in, servers, app, colleague):
    path = advanced(signed_in)
    signed_in.submit(f"{path}/advanced", fields(servers, imap_password="wrong-one"))
    assert f"{path}/report" in settled(signed_in, path).text
    page = signed_in.get(f"{path}/report").text
    assert "credentials_wrong" in page and ADDRESS in page and "wrong-one" not in page
    masked = signed_in.get(f"{path}/report?masked=1&file=1")
    assert masked.mimetype == "text/plain" and "attachment" in masked.headers["Content-Disposition"]
    assert ADDRESS not in masked.text and "credentials_wrong" in masked.text
    assert app.test_client().sign_in(colleague).get(f"{path}/report").status_code == 404


def test_a_certificate_is_offered_for_pinning_only_where_the_operator_allows_it(signed_in, ca, runtime):
    with mail_servers(ca) as (imap, smtp):
        imap.behaviour = replace(imap.behaviour, certificate=ca.issue("localhost", fault="self_signed"))
        path = advanced(signed_in)
        signed_in.submit(f"{path}/advanced", fields((imap, smtp)))
        page = settled(signed_in, path).text
        assert "vouches for itself" in page and 'name="imap_pin"' not in page
        runtime.settings = replace(runtime.settings, allow_pinning=True)
        page = signed_in.get(path).text
        value = re.search(r'name="imap_pin" value="([^"]*)"', page)[1]
        assert re.fullmatch("localhost [0-9a-f]{64}", value)
        assert imap.sign_ins == []
        signed_in.submit(f"{path}/advanced", fields((imap, smtp), imap_pin=value, imap_password=""))
        assert settled(signed_in, path).status_code == 303 and len(imap.sign_ins) == 1


def test_the_first_address_rule_is_told_before_the_password_with_its_way_out(signed_in):
    path = signed_in.submit("/setup", {"address": "anna@gmail.com"}).location
    told = settled(signed_in, path).text
    assert 'id="setup-sender"' in told and "Make anna@gmail.com my first address" in told
    action = re.search(r'action="(/persons/[^"]*)"', told.split('id="setup-sender"')[1]).group(1)
    answer = signed_in.submit(action, {"address": "anna@gmail.com", "first": "1", "next": path})
    assert (answer.status_code, answer.location) == (303, path)
    assert 'id="setup-sender"' not in signed_in.get(path).text
