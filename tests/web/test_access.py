"""Closed by default: every route asked by a stranger and by a user without rights."""

import pytest

from soinbox_web.web.access import SAFE_METHODS

OPEN = {
    "oauth.callback",  # answers a stranger with a problem; the code must not get into `next`
    "static",
    "session.home",
    "session.sign_in",
    "session.first_administrator",
    "session.invitation",
    "member.language",
    "message.image",
    "operator.metrics",  # for this machine only, and off unless allowed
}


def routes(app):
    """Endpoint, path and methods of every rule, its variables filled with what is nobody's."""
    for rule in app.url_map.iter_rules():
        values = dict.fromkeys(rule.arguments, "99999")
        with app.test_request_context():
            adapter = app.url_map.bind("localhost")
            yield (
                rule.endpoint,
                adapter.build(rule.endpoint, values, method=next(iter(rule.methods))),
                rule.methods,
            )


def test_a_stranger_reaches_nothing_but_the_door(client, app, member):
    for endpoint, path, methods in routes(app):
        if endpoint in OPEN:
            continue
        if "GET" in methods:
            assert client.get(path).status_code == 303, path
            assert client.get(path).location.startswith("/sign-in"), path
            assert client.get(path, headers={"HX-Request": "true"}).status_code == 401, path
        if "POST" in methods:
            assert client.submit(path).status_code == 401, path


def test_no_act_without_its_token(signed_in, app):
    for endpoint, path, methods in routes(app):
        if "POST" in methods and endpoint != "session.first_administrator":
            status = signed_in.post(path, data={"csrf_token": "old"}).status_code
            assert status in (403, 404, 422) or endpoint == "session.sign_in", (path, status)


def test_no_act_from_another_site(signed_in, app):
    for _, path, methods in routes(app):
        for method in set(methods) - set(SAFE_METHODS):
            answer = signed_in.open(path, method=method, headers={"Sec-Fetch-Site": "cross-site"})
            assert answer.status_code == 403, path


@pytest.mark.parametrize("path", ["/persons", "/sign-in", "/nothing-here", "/static/css/soinbox.css"])
def test_every_answer_carries_the_headers(signed_in, path):
    headers = signed_in.get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_pages_are_not_kept_by_caches(signed_in):
    assert signed_in.get("/persons").headers["Cache-Control"] == "private, no-store"
    assert "HX-Target" in signed_in.get("/persons").headers["Vary"]


def test_a_stale_button_says_so_and_offers_the_way_back(signed_in):
    answer = signed_in.post(
        "/navigator", data={"csrf_token": "old"}, headers={"Referer": "http://localhost/persons?q=x"}
    )
    assert answer.status_code == 422
    assert "open for too long" in answer.text
    assert 'href="/persons?q=x"' in answer.text


HUGE = "9" * 19  # more than SQLite's largest integer


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/inbox/{HUGE}", 404),
        (f"/persons/{HUGE}", 404),
        (f"/drafts/{HUGE}", 404),
        (f"/accounts/{HUGE}/status", 404),
        (f"/messages/{HUGE}.SU5CT1g.1.1", 404),
        (f"/messages/1.SU5CT1g.1.{HUGE}", 404),
        (f"/drafts/new?account={HUGE}", 303),
        (f"/persons?page={HUGE}{HUGE}", 200),
    ],
)
def test_a_number_no_row_can_have_is_no_fault_of_ours(signed_in, path, status):
    assert signed_in.get(path).status_code == status
