"""Signing in at the provider's page, walked whole: consent, the way back, renewal, withdrawal, removal."""

import re
from dataclasses import replace

import pytest

from soinbox_web.app import create_app
from soinbox_web.model.server import Login
from soinbox_web.problems import SignInError
from soinbox_web.rehearsal.behaviour import ImapBehaviour, SmtpBehaviour
from soinbox_web.rehearsal.scripted_imap import ScriptedImap
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from soinbox_web.services import accounts, setup, sync
from soinbox_web.settings import OAuthClient
from soinbox_web.store import setup_attempts
from tests.client import SoinboxClient
from tests.servers.oauth_server import CLIENT_ID, CLIENT_SECRET, LiveTokens, OAuthServer
from tests.set_up import ADDRESS, ended, running

PUBLIC = "https://mail.noordlicht.example"


REUSED = re.compile("used already|al gebruikt")  # in the language of whoever is signed in


@pytest.fixture
def issuer(ca):
    server = OAuthServer(ca.issue("localhost", "127.0.0.1"), ADDRESS).start()
    yield server
    server.stop()


@pytest.fixture
def settings(settings, issuer):
    client = OAuthClient(
        "noordlicht", CLIENT_ID, CLIENT_SECRET, issuer.issuer, scopes=("mail",), hosts=("localhost",)
    )
    return replace(settings, oauth_clients=(client,), public_url=PUBLIC)


@pytest.fixture
def servers(ca, issuer):
    identity, words = ca.issue("localhost", "127.0.0.1"), LiveTokens(issuer)
    imap = ScriptedImap(
        ImapBehaviour(
            tls="implicit", certificate=identity, passwords=words,
            capabilities=("IMAP4rev1", "SASL-IR", "AUTH=XOAUTH2", "AUTH=OAUTHBEARER"),
        )
    )  # fmt: skip
    smtp = ScriptedSmtp(
        SmtpBehaviour(
            tls="implicit", certificate=identity, passwords=words, extensions=("AUTH XOAUTH2 OAUTHBEARER",)
        )
    )
    with running(imap, smtp):
        yield imap, smtp


@pytest.fixture
def signed_in(app, member):
    client = app.test_client()
    client.environ_base = {"wsgi.url_scheme": "https", "HTTP_HOST": "localhost"}
    return client.sign_in(member)


@pytest.fixture
def token(runtime, member, servers):
    """A set-up that knows its servers and waits for the person."""
    imap, smtp = servers
    with runtime.db.write() as connection:
        setup_attempts.insert(
            connection, "attempt", member.id, ADDRESS, "password", runtime.clock.now(),
            imap=Login("localhost", imap.port, "ssl", ADDRESS),
            smtp=Login("localhost", smtp.port, "ssl", ADDRESS),
        )  # fmt: skip
    return "attempt"


def link_of(client: SoinboxClient, token: str) -> str:
    answer = client.submit(f"/setup/{token}/oauth")
    assert answer.status_code == 303, answer.text
    page = client.get(answer.location)
    assert "Continue to localhost" in page.text
    (found,) = re.findall(r'href="(https://localhost:\d+/authorization[^"]*)"', page.text)
    return found.replace("&amp;", "&")


def come_back(client: SoinboxClient, url: str):
    assert url.startswith(f"{PUBLIC}/oauth/callback?")
    return client.get(url.removeprefix(PUBLIC), headers={"Sec-Fetch-Site": "cross-site"})


def connected(runtime, member, signed_in, token, issuer):
    assert come_back(signed_in, issuer.approve(link_of(signed_in, token))).status_code == 303
    view = ended(runtime, member.id, token)
    assert view.attempt.step == "done", view.attempt.problems
    (account,) = accounts.of_user(runtime, member.id)
    return account


def test_the_whole_walk_saves_a_sealed_refresh_token_and_no_password(
    runtime, member, signed_in, token, issuer, servers, caplog
):
    assert "Sign in at localhost" in signed_in.get(f"/setup/{token}").text
    account = connected(runtime, member, signed_in, token, issuer)
    assert (account.auth, account.state, account.issuer) == ("oauth2", "connected", issuer.issuer)
    assert [s.mechanism for s in servers[0].sign_ins] == ["OAUTHBEARER"]
    (refresh,) = issuer.refresh
    with runtime.db.read() as c:
        assert [row["side"] for row in c.execute("SELECT side FROM account_secrets")] == ["oauth"]
        stored = "\n".join(c.iterdump())
    pages = signed_in.get(f"/accounts/{account.id}/status").text + signed_in.get("/options/account").text
    for secret in (refresh, *issuer.access, CLIENT_SECRET):
        assert secret not in stored + pages + caplog.text


def test_a_state_is_good_once_and_in_its_own_session_only(
    runtime, member, colleague, app, signed_in, token, issuer
):
    back = issuer.approve(link_of(signed_in, token))
    stranger = app.test_client()
    stranger.environ_base = signed_in.environ_base
    assert REUSED.search(come_back(stranger, back).text)
    assert REUSED.search(come_back(stranger.sign_in(colleague), back).text)
    assert REUSED.search(come_back(stranger.sign_in(member), back).text)  # the same person elsewhere
    assert issuer.codes, "nobody may have used the code yet"
    assert come_back(signed_in, back).status_code == 303
    assert REUSED.search(come_back(signed_in, back).text)
    assert ended(runtime, member.id, token).attempt.step == "done"


def test_a_consent_that_is_denied_or_late_connects_nothing(runtime, member, signed_in, token, issuer, clock):
    come_back(signed_in, issuer.deny(link_of(signed_in, token)))
    view = ended(runtime, member.id, token)
    assert (view.attempt.step, view.attempt.problems[0].code) == ("password", "consent_missing")
    back = issuer.approve(link_of(signed_in, token))
    clock.turn(minutes=16)
    assert REUSED.search(come_back(signed_in, back).text)
    assert accounts.of_user(runtime, member.id) == []


def test_somebody_elses_permission_is_told(runtime, member, signed_in, token, issuer):
    issuer.address = "bram@noordlicht.example"
    come_back(signed_in, issuer.approve(link_of(signed_in, token)))
    (problem, *_) = ended(runtime, member.id, token).attempt.problems
    assert problem.code == "oauth_other_mailbox"
    assert accounts.of_user(runtime, member.id) == []


def test_a_token_is_renewed_before_its_end_and_once_when_refused(
    runtime, member, signed_in, token, issuer, clock
):
    account = connected(runtime, member, signed_in, token, issuer)
    with sync.connect(runtime, account):
        assert issuer.renewals == 1
    with sync.connect(runtime, account):
        assert issuer.renewals == 1
    clock.turn(minutes=59)
    with sync.connect(runtime, account):
        assert issuer.renewals == 2
    issuer.access.clear()
    with sync.connect(runtime, account):
        assert issuer.renewals == 3
    (refresh,) = issuer.refresh
    assert runtime.secrets.refresh_token(account) == refresh


def test_a_permission_withdrawn_is_a_banner_and_mended_by_the_same_page(
    runtime, member, signed_in, token, issuer
):
    account = connected(runtime, member, signed_in, token, issuer)
    issuer.withdraw()
    with pytest.raises(SignInError) as caught:
        sync.sync_once(runtime, account.id)
    assert caught.value.problem.code == "token_revoked"
    page = signed_in.get("/options/account").text
    assert "Fix sign-in" in page and "The permission at localhost has ended" in page
    page = signed_in.get(f"/accounts/{account.id}/edit").text
    assert f'action="/accounts/{account.id}/oauth"' in page and 'type="password"' not in page
    answer = signed_in.submit(f"/accounts/{account.id}/oauth")
    again = answer.location.split("/")[2]
    found = signed_in.get(answer.location).text
    (link,) = re.findall(r'href="(https://localhost:\d+/authorization[^"]*)"', found)
    come_back(signed_in, issuer.approve(link.replace("&amp;", "&")))
    assert ended(runtime, member.id, again).attempt.step == "done"
    (account,) = accounts.of_user(runtime, member.id)
    sync.connect(runtime, account).logout()


def test_removing_the_account_ends_the_permission(runtime, member, signed_in, token, issuer):
    account = connected(runtime, member, signed_in, token, issuer)
    (refresh,) = issuer.refresh
    signed_in.submit(f"/accounts/{account.id}/remove")
    assert issuer.revoked == [refresh]


def test_without_client_credentials_there_is_no_button(settings, runtime, member, token):
    bare = replace(settings, oauth_clients=())
    runtime.settings = bare
    app = create_app(bare, runtime)
    app.test_client_class = SoinboxClient
    client = app.test_client()
    client.environ_base = {"wsgi.url_scheme": "https", "HTTP_HOST": "localhost"}
    client.sign_in(member)
    assert 'action="/setup/attempt/oauth"' not in client.get(f"/setup/{token}").text
    assert "is not set up here" in client.submit(f"/setup/{token}/oauth").text


@pytest.mark.parametrize("admin", [False, True])
def test_without_client_credentials_the_page_says_what_the_administrator_must_do(
    runtime, member, colleague, app, admin
):
    runtime.settings = replace(runtime.settings, oauth_clients=(), public_url=PUBLIC)
    person = member if admin else colleague
    client = app.test_client()
    client.environ_base = {"wsgi.url_scheme": "https", "HTTP_HOST": "localhost"}
    client.sign_in(person)
    with runtime.db.write() as connection:
        connection.execute("UPDATE users SET language = 'en'")
    token = setup.start(runtime, person.id, "anna@outlook.com")
    ended(runtime, person.id, token)
    page = client.get(f"/setup/{token}").text
    assert 'type="password"' not in page
    for setting in ("CLIENT_ID", "CLIENT_SECRET_FILE"):
        assert f"SOINBOX_MICROSOFT_{setting}" in page
    assert f"{PUBLIC}/oauth/callback" in page
    assert ("What you have to do as administrator" in page) == admin
    assert ("mailto:?subject=" in page) != admin
