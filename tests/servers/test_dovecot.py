"""The Dovecot fixture offers what the real tests lean on."""

import imaplib
import time
from collections.abc import Iterator

import pytest

from soinbox_web.rehearsal.certificates import Authority
from tests.servers.dovecot import Dovecot

pytestmark = pytest.mark.real
ANNA = "anna@noordlicht.example"
MESSAGE = b"From: bob@example.org\r\nSubject: hello\r\n\r\nbody\r\n"


@pytest.fixture(scope="module")
def server(ca: Authority) -> Iterator[Dovecot]:
    server = Dovecot(ca, max_connections=3).start()
    server.add_user(ANNA, "secret", quota_kb=100)
    yield server
    server.close()


def test_capabilities_and_special_folders(server: Dovecot) -> None:
    with server.signed_in(ANNA) as client:
        offered = set(client.capability()[1][0].decode().split())
        assert {"IDLE", "CONDSTORE", "QRESYNC", "SPECIAL-USE", "MOVE", "QUOTA"} <= offered
        _, lines = client.list()
        assert any(b"\\Sent" in line for line in lines)
        assert len(lines) >= 6


def test_starttls(server: Dovecot) -> None:
    with imaplib.IMAP4("localhost", server.imap_port) as client:
        client.starttls(server.client_context)
        client.login(ANNA, "secret")


def test_delivery_wakes_idle(server: Dovecot) -> None:
    with server.signed_in(ANNA) as client:
        client.select("INBOX")
        client.send(b"i IDLE\r\n")
        assert client.readline().startswith(b"+")
        began = time.monotonic()
        server.deliver(ANNA, MESSAGE)
        assert b"EXISTS" in client.readline()
        assert time.monotonic() - began < 1.5
        client.send(b"DONE\r\n")
        while not client.readline().startswith(b"i "):
            pass
    assert MESSAGE in server.messages(ANNA)


def test_folders_and_flags(server: Dovecot) -> None:
    folder = "Facturen & offertes – 2026"
    server.deliver(ANNA, MESSAGE, folder=folder, flags=["\\Seen", "\\Flagged"])
    assert server.messages(ANNA, folder) == [MESSAGE]
    with server.signed_in(ANNA) as client:
        client.select('"Facturen &- offertes &IBM- 2026"', readonly=True)
        assert client.fetch("1", "FLAGS")[1] == [b"1 (FLAGS (\\Flagged \\Seen \\Recent))"]


def test_changed_password_is_noticed_at_once(server: Dovecot) -> None:
    for word in ("second", "thirds", "secret"):
        server.set_password(ANNA, word)
        with server.signed_in(ANNA):
            pass
    began = time.monotonic()
    client = imaplib.IMAP4_SSL("localhost", server.imaps_port, ssl_context=server.client_context)
    with client, pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        client.login(ANNA, "wrong")
    assert time.monotonic() - began < 1


def test_quota(server: Dovecot) -> None:
    with server.signed_in(ANNA) as client:
        status, lines = client.append("INBOX", "", "", b"Subject: big\r\n\r\n" + b"x" * 200_000)
        assert status == "NO"
        assert b"OVERQUOTA" in lines[0]


def test_too_many_connections(server: Dovecot) -> None:
    with server.signed_in(ANNA), server.signed_in(ANNA), server.signed_in(ANNA):  # noqa: SIM117
        with pytest.raises(imaplib.IMAP4.error, match="Maximum number of connections"):
            server.signed_in(ANNA).__enter__()


def test_kill_and_restart_keep_ports_and_mail(server: Dovecot) -> None:
    server.deliver(ANNA, MESSAGE, folder="Archive")
    with server.signed_in(ANNA) as client:
        server.kill()
        with pytest.raises((imaplib.IMAP4.abort, OSError)):
            client.noop()
        server.start()
    server.restart()
    assert server.messages(ANNA, "Archive") == [MESSAGE]
