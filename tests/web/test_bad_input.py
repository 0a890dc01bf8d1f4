"""Bad input from a browser: typed addresses, empty secrets, forms posted twice, messages of somebody else."""

import re

import pytest

from soinbox_web.store import actions
from tests import seed

CLEAN = "anna@noordlicht.example"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("ANNA@NoordLicht.EXAMPLE", CLEAN),
        ("  anna@noordlicht.example  ", CLEAN),
        ("Anna de Vries <anna@noordlicht.example>", CLEAN),
        ("\u200banna@noord\u200dlicht.example\ufeff", CLEAN),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
    ],
    ids=["capitals", "spaces", "display name", "zero width", "international"],
)
def test_an_address_is_read_as_people_write_it(signed_in, typed, read):
    answer = signed_in.submit("/setup", {"address": typed, "go": "advanced"})
    assert answer.status_code == 303
    page = signed_in.get(answer.location).text
    field = re.search(r'<input id="address"[^>]*>', page)[0]
    assert f'value="{read}"' in field


@pytest.mark.parametrize("typed", ["anna", "a" * 500 + "@noordlicht.example", "a" * 100_000])
def test_server_data_for_an_impossible_address_are_refused_in_place(signed_in, typed):
    answer = signed_in.submit("/setup", {"address": typed, "go": "advanced"})
    answer = signed_in.submit(f"{answer.location}/advanced", {"address": typed, "imap_host": "localhost"})
    assert answer.status_code == 422
    assert "not a complete e-mail address" in answer.text and 'value="localhost"' in answer.text


@pytest.mark.parametrize("secret", ["", None])
def test_an_empty_password_keeps_the_form(signed_in, secret):
    answer = signed_in.submit("/setup", {"address": "anna@gmail.com"})
    data = {} if secret is None else {"password": secret}
    answer = signed_in.submit(f"{answer.location}/password", data)
    assert answer.status_code == 422
    assert "Type your password." in answer.text and "anna@gmail.com" in answer.text
    assert 'aria-invalid="true"' in re.search(r'<input id="password"[^>]*>', answer.text)[0]


def test_the_address_posted_twice_is_one_attempt(signed_in, runtime):
    first = signed_in.submit("/setup", {"address": "anna@gmail.com"})
    second = signed_in.submit("/setup", {"address": "anna@gmail.com"})
    assert first.status_code == second.status_code == 303
    assert first.location == second.location
    with runtime.db.read() as connection:
        assert connection.execute("SELECT count(*) FROM setup_attempts").fetchone()[0] == 1


def test_a_deletion_posted_twice_is_one(signed_in, runtime, member):
    account = seed.account(runtime, member)
    (key,) = seed.deliver(runtime, account, [seed.letter("Weg")])
    form = {"key": str(key), "do": "delete", "confirmed": "1", "next": f"/inbox/{account.id}"}
    answers = [signed_in.submit("/messages/act", form) for _ in range(2)]
    assert answers[0].status_code == 303 and answers[1].status_code < 500
    with runtime.db.read() as connection:
        assert len(actions.open_of(connection, account.id)) == 1
    assert "Weg" not in re.sub(r'class="toast.*', "", signed_in.get(f"/inbox/{account.id}").text, flags=re.S)


def test_no_place_shows_or_touches_a_message_of_another_user(app, runtime, member, colleague):
    """Every route that takes a message, the ones made after this test included."""
    account = seed.account(runtime, member)
    (key,) = seed.deliver(runtime, account, [seed.letter("Geheim", text="Zeer geheim")])
    other = app.test_client().sign_in(colleague)
    tried = set()
    for rule in app.url_map.iter_rules():
        if "key" not in rule.arguments:
            continue
        path = rule.rule.replace("<key>", str(key)).replace("<int:part>", "0")
        path = path.replace("<int:account_id>", str(account.id))
        assert "<" not in path, f"teach this test about {rule.rule}"
        for method in sorted(rule.methods & {"GET", "POST"}):
            answer = other.get(path) if method == "GET" else other.submit(path)
            assert answer.status_code == 404, f"{method} {path}"
            assert "geheim" not in answer.text.lower()
            tried.add((method, rule.endpoint))
    assert {("GET", "message.show"), ("GET", "message.part"), ("POST", "message.trust")} <= tried
    for path in (
        *(f"/drafts/new?account={account.id}&kind={kind}&of={key}" for kind in ("reply", "forward")),
        f"/messages/delete?key={key}",
        f"/inbox/{account.id}?message={key}",
    ):
        answer = other.get(path, follow_redirects=True)
        assert "geheim" not in answer.text.lower(), path
        assert answer.status_code in (200, 404), path
    for verb in ("read", "unread", "flag", "delete", "move:Klanten"):
        answer = other.submit("/messages/act", {"key": str(key), "do": verb, "confirmed": "1"})
        assert answer.status_code == 404, verb
    with runtime.db.read() as connection:
        assert actions.open_of(connection, account.id) == []
        assert connection.execute("SELECT count(*) FROM drafts").fetchone()[0] == 0
