"""The submission server signs in and delivers, seen by plain smtplib."""

import smtplib

import pytest

from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.rehearsal.submission import Submission

MESSAGE = b"From: anna@noordlicht.example\r\nSubject: hello\r\n\r\n.dotted\r\nbody\r\n"


class Pigeonholes:
    """Mailboxes in memory."""

    def __init__(self) -> None:
        self.delivered: list[tuple[str, bytes]] = []

    def password_is(self, address: str, password: str) -> bool:
        return (address, password) == ("anna@noordlicht.example", "secret")

    def holds(self, address: str) -> bool:
        return address.startswith("bram@")

    def deliver(self, address: str, message: bytes) -> None:
        self.delivered.append((address, message))


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_signs_in_and_delivers(ca: Authority, tls: str) -> None:
    mailboxes = Pigeonholes()
    server = Submission(mailboxes, ca.issue("127.0.0.1"), local_domains=["noordlicht.example"]).start()
    try:
        if tls == "starttls":
            client = smtplib.SMTP("127.0.0.1", server.starttls_port, timeout=5)
            client.ehlo()
            assert not client.has_extn("auth")
            client.starttls(context=ca.client_context())
        else:
            client = smtplib.SMTP_SSL("127.0.0.1", server.tls_port, context=ca.client_context(), timeout=5)
        with client:
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("anna@noordlicht.example", "wrong")
            client.login("anna@noordlicht.example", "secret")
            refused = client.sendmail(
                "anna@noordlicht.example",
                ["Bram@noordlicht.example", "nobody@noordlicht.example", "else@where.example"],
                MESSAGE,
            )
            assert list(refused) == ["nobody@noordlicht.example"]
        assert server.messages[0].data == MESSAGE
        assert server.messages[0].recipients == ("Bram@noordlicht.example", "else@where.example")
        [(address, stored)] = mailboxes.delivered
        assert address == "bram@noordlicht.example"
        assert stored.startswith(b"Return-Path: <anna@noordlicht.example>\r\nReceived: ")
        assert stored.endswith(MESSAGE)
    finally:
        server.stop()
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP("127.0.0.1", server.starttls_port)
