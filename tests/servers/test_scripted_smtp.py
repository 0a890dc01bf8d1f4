"""The scripted submission server does what its behaviour says, seen by plain smtplib."""

import resource
import smtplib
import socket
from pathlib import Path

import pytest

from soinbox_web.rehearsal.behaviour import SignIn, SmtpBehaviour
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from tests.waiting import until

MESSAGE = b"Subject: hello\r\n\r\n.a dotted line\r\nlast line\r\n"


def client_of(server: ScriptedSmtp) -> smtplib.SMTP:
    return smtplib.SMTP(server.host, server.port, timeout=5)


def test_submits_over_starttls(ca: Authority) -> None:
    behaviour = SmtpBehaviour(
        tls="starttls",
        certificate=ca.issue("127.0.0.1"),
        passwords={"anna": "x"},
        recipients={"bad@b.example": b"550 5.1.1 No such user"},
    )
    with ScriptedSmtp(behaviour) as server:
        with client_of(server) as client:
            client.ehlo()
            assert not client.has_extn("auth")
            client.starttls(context=ca.client_context())
            client.login("anna", "x")
            refused = client.sendmail("anna@a.example", ["bob@b.example", "bad@b.example"], MESSAGE)
        assert refused == {"bad@b.example": (550, b"5.1.1 No such user")}
        assert server.messages[0].recipients == ("bob@b.example",)
        assert server.messages[0].data == MESSAGE
        assert server.sign_ins[0].encrypted
        assert server.secrets_in_clear == []


def test_a_server_without_file_handles_takes_connections_again() -> None:
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ScriptedSmtp(SmtpBehaviour()) as server, socket.socket() as first, socket.socket() as line:
        line.settimeout(10)
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) - 1, most))
        try:
            first.connect((server.host, server.port))  # the kernel kept a handle for it
            line.connect((server.host, server.port))
            until(lambda: server.refused, seconds=10)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
        assert line.recv(100).startswith(b"220 ")


@pytest.mark.parametrize(
    "answer",
    [b"535 5.7.8 no", b"534-5.7.9 Application-specific\r\n534 5.7.9 password required", b"454 4.7.0 later"],
)
def test_sign_in_answers(answer: bytes) -> None:
    with ScriptedSmtp(SmtpBehaviour(sign_in=SignIn(answer=answer))) as server:
        with client_of(server) as client, pytest.raises(smtplib.SMTPAuthenticationError) as caught:
            client.ehlo()
            client.user, client.password = "anna", "x"
            client.auth("PLAIN", client.auth_plain)
        assert caught.value.smtp_code == int(answer[:3])
        assert len(server.sign_ins) == 1
        assert server.secrets_in_clear == ["x"]


def test_banner() -> None:
    with ScriptedSmtp(SmtpBehaviour(greeting=b"554 5.7.1 go away\r\n")) as server:
        with pytest.raises(smtplib.SMTPConnectError) as caught:
            client_of(server)
        assert caught.value.smtp_code == 554


def test_no_auth_offered() -> None:
    with ScriptedSmtp(SmtpBehaviour(extensions=("8BITMIME",))) as server, client_of(server) as client:
        client.ehlo()
        assert not client.has_extn("auth")
        assert client.has_extn("8bitmime")


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"MAIL": b"550 5.7.1 no"}, smtplib.SMTPSenderRefused),
        ({"RCPT": b"450 4.2.0 greylisted"}, smtplib.SMTPRecipientsRefused),
        ({"DATA": b"554 5.7.1 no"}, smtplib.SMTPDataError),
        ({"DOT": b"552 5.3.4 too big"}, smtplib.SMTPDataError),
    ],
)
def test_refusals(answers: dict[str, bytes], error: type[Exception]) -> None:
    with ScriptedSmtp(SmtpBehaviour(answers=answers)) as server, client_of(server) as client:
        with pytest.raises(error):
            client.sendmail("a@a.example", ["b@b.example"], MESSAGE)
        assert server.messages == []


@pytest.mark.parametrize(("moment", "kept"), [("BODY", 0), ("DOT", 1)])
def test_cut_around_the_dot(moment: str, kept: int) -> None:
    with ScriptedSmtp(SmtpBehaviour(close_at=moment)) as server, client_of(server) as client:
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.sendmail("a@a.example", ["b@b.example"], MESSAGE)
        assert len(server.messages) == kept
