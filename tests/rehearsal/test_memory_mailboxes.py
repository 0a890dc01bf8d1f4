"""The demo's mailboxes: loaded in a moment, several users, live."""

import imaplib
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.rehearsal.memory_mailboxes import MemoryMailboxes
from soinbox_web.rehearsal.sample_mail import mailbox_of
from tests.cast import ANNA, BRAM

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def mailboxes() -> Iterator[MemoryMailboxes]:
    mailboxes = MemoryMailboxes().start()
    began = time.monotonic()
    mailboxes.add_user(ANNA.address, ANNA.mail_password, mailbox_of(ANNA, NOW))
    mailboxes.add_user(BRAM.address, BRAM.mail_password)
    assert time.monotonic() - began < 5
    yield mailboxes
    mailboxes.stop()


@pytest.fixture(scope="module")
def port(mailboxes: MemoryMailboxes, ca: Authority) -> int:
    return mailboxes.listen(ca.issue("127.0.0.1"), starttls=False)


def signed_in(port: int, ca: Authority) -> imaplib.IMAP4_SSL:
    client = imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=ca.client_context())
    client.login(ANNA.address, ANNA.mail_password)
    return client


def test_mail_is_there(port: int, ca: Authority) -> None:
    with signed_in(port, ca) as client:
        assert int(client.select("INBOX")[1][0]) > 100
        assert client.uid("SEARCH", "UNSEEN")[1][0]
        assert any(b"Facturen &- offertes &IBM- 2026" in line for line in client.list()[1])
        assert int(client.select('"Projecten/&AMk-t&AOk-"')[1][0]) == 0


def test_wrong_password(port: int, ca: Authority) -> None:
    client = imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=ca.client_context())
    with client, pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        client.login(ANNA.address, BRAM.mail_password)


def test_starttls(mailboxes: MemoryMailboxes, ca: Authority) -> None:
    port = mailboxes.listen(ca.issue("127.0.0.1"), starttls=True)
    with imaplib.IMAP4("127.0.0.1", port) as client:
        client.starttls(ca.client_context())
        client.login(BRAM.address, BRAM.mail_password)
        assert client.select("INBOX")[1] == [b"0"]


def test_delivery_wakes_idle(mailboxes: MemoryMailboxes, port: int, ca: Authority) -> None:
    with signed_in(port, ca) as client:
        client.select("INBOX")
        client.send(b"i IDLE\r\n")
        assert client.readline().startswith(b"+")
        began = time.monotonic()
        mailboxes.deliver(ANNA.address, b"Subject: now\r\n\r\nhello\r\n")
        assert b"EXISTS" in client.readline()
        assert time.monotonic() - began < 1
        client.send(b"DONE\r\n")
        while not client.readline().startswith(b"i "):
            pass
