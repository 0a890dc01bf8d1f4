"""Renewing access tokens: two processes at once, rotation, what the issuer's answers mean."""

import threading
from dataclasses import replace

import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.mail import credentials, oauth
from soinbox_web.mail.net.network import Network
from soinbox_web.model.oauth import Issuer
from soinbox_web.model.server import Login
from soinbox_web.problems import SignInError
from soinbox_web.runtime import build
from soinbox_web.settings import OAuthClient
from soinbox_web.store import accounts
from tests.servers.oauth_server import CLIENT_ID, CLIENT_SECRET, OAuthServer

ADDRESS = "anna@noordlicht.example"


@pytest.fixture
def issuer(ca):
    server = OAuthServer(ca.issue("localhost", "127.0.0.1"), ADDRESS).start()
    yield server
    server.stop()


@pytest.fixture
def clock():
    return SystemClock()


@pytest.fixture
def settings(settings, issuer):
    client = OAuthClient("noordlicht", CLIENT_ID, CLIENT_SECRET, issuer.issuer, hosts=("localhost",))
    return replace(settings, oauth_clients=(client,))


@pytest.fixture
def account(runtime, member, issuer):
    now, login = runtime.clock.now(), Login("localhost", 993, "ssl", ADDRESS)
    refresh = issuer.grant(ADDRESS)["refresh_token"]
    with runtime.db.write() as connection:
        number = accounts.insert(connection, member.id, ADDRESS, login, None, now)
        accounts.seal_consent(connection, runtime.vault, number, issuer.issuer, refresh, now)
        return accounts.read(connection, number)


def test_processes_that_renew_at_once_do_no_harm(runtime, settings, account, issuer):
    others = [build(settings) for _ in range(3)]
    tokens, faults = [], []

    def renew(one):
        try:
            network = Network(settings)
            tokens.append(credentials.access_token(account, "imap", one.secrets, network))
        except Exception as error:
            faults.append(error)
        finally:
            one.release()

    threads = [threading.Thread(target=renew, args=(one,)) for one in (runtime, *others) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for one in others:
        one.close()
    assert not faults
    assert len(tokens) == 8 and issuer.renewals == 4  # once a process, never with a used token
    assert all(token in issuer.access for token in tokens)
    assert runtime.secrets.refresh_token(account) in issuer.refresh


@pytest.mark.parametrize(
    ("error", "description", "code"),
    [
        ("invalid_grant", "Token has been expired or revoked.", "token_revoked"),
        ("invalid_grant", "AADSTS65001: The user has not consented", "consent_missing"),
        ("invalid_request", "AADSTS90094: admin consent is required", "consent_missing"),
        ("access_denied", "", "consent_missing"),
        ("invalid_client", "", "oauth_client_refused"),
        ("server_error", "", "oauth_issuer_bad"),
    ],
)
def test_what_the_issuer_says_is_told_apart(error, description, code):
    issuer = Issuer("https://x.example", "X", "", "")
    assert oauth.problem_of(issuer, error, description).code == code


def test_a_token_goes_to_no_other_issuer(settings, runtime, account, issuer):
    moved = replace(settings.oauth_clients[0], issuer="https://elsewhere.example")
    network = Network(replace(settings, oauth_clients=(moved,)))
    with pytest.raises(SignInError) as caught:
        credentials.access_token(account, "imap", runtime.secrets, network)
    assert caught.value.problem.code == "oauth_not_set_up" and issuer.renewals == 0
