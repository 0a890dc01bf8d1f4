"""Access tokens at Debian's Dovecot, which asks the authorisation server about each."""

import pytest

from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.net.network import Network
from soinbox_web.model.server import Login
from soinbox_web.problems import SignInError
from tests.servers.dovecot import Dovecot
from tests.servers.oauth_server import OAuthServer

pytestmark = pytest.mark.real
ADDRESS = "anna@noordlicht.example"


@pytest.fixture
def issuer(ca):
    server = OAuthServer(ca.issue("localhost", "127.0.0.1"), ADDRESS).start()
    yield server
    server.stop()


@pytest.fixture
def own_dovecot(ca, issuer):
    server = Dovecot(ca, introspection=f"{issuer.issuer}/introspect").start()
    yield server
    server.close()


def test_dovecot_accepts_a_live_token_and_refuses_another(settings, issuer, own_dovecot):
    own_dovecot.add_user(ADDRESS, "lampje-voor-anna")
    login = Login("localhost", own_dovecot.imaps_port, "ssl", ADDRESS)
    token = issuer.grant(ADDRESS)["access_token"]
    with ImapConnection.connect(login, Network(settings)) as connection:
        connection.sign_in(token, token=True)
        assert connection.open_inbox() == 0
    issuer.withdraw()
    with (
        ImapConnection.connect(login, Network(settings)) as connection,
        pytest.raises(SignInError) as caught,
    ):
        connection.sign_in(token, token=True)
    assert caught.value.problem.code == "token_revoked"
    assert token not in caught.value.problem.evidence
