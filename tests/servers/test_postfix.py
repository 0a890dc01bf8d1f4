"""A server nobody here wrote signs in and delivers."""

import smtplib
import time
from collections.abc import Iterator

import pytest

from soinbox_web.rehearsal.certificates import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.mailbox import RealMailbox
from tests.servers.postfix import Postfix

pytestmark = pytest.mark.real("dovecot", "postfix")


@pytest.fixture
def server(ca: Authority, dovecot: Dovecot, mailbox: RealMailbox) -> Iterator[Postfix]:
    server = Postfix(ca, dovecot, mailbox.address).start()
    yield server
    server.close()


def test_submits_and_delivers(server: Postfix, mailbox: RealMailbox, ca: Authority) -> None:
    client = smtplib.SMTP_SSL("localhost", server.tls_port, context=ca.client_context(), timeout=5)
    with client, pytest.raises(smtplib.SMTPAuthenticationError):
        client.login(mailbox.address, "wrong")
    with smtplib.SMTP("localhost", server.starttls_port, timeout=5) as client:
        client.starttls(context=ca.client_context())
        client.login(mailbox.address, mailbox.password)
        refused = client.sendmail(
            mailbox.address,
            [mailbox.address, "nobody@noordlicht.example"],
            b"Subject: by Postfix\r\n\r\nhello\r\n",
        )
        assert refused["nobody@noordlicht.example"][0] == 550
    deadline = time.monotonic() + 10
    while not (stored := mailbox.messages()):
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.05)
    assert b"Subject: by Postfix" in stored[0]


def test_no_sign_in_no_mail(server: Postfix, ca: Authority) -> None:
    with smtplib.SMTP("localhost", server.starttls_port, timeout=5) as client:
        client.ehlo()
        assert not client.has_extn("auth")
        client.starttls(context=ca.client_context())
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("a@a.example", ["anna@noordlicht.example"], b"Subject: no\r\n\r\n")
