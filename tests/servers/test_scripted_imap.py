"""The scripted IMAP server does what its behaviour says, seen by plain imaplib and bare sockets."""

import imaplib
import socket

import pytest

from soinbox_web.rehearsal.behaviour import ImapBehaviour, SignIn
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.rehearsal.scripted_imap import ScriptedImap


def test_signs_in_over_implicit_tls_and_counts(ca: Authority) -> None:
    behaviour = ImapBehaviour(
        tls="implicit", certificate=ca.issue("127.0.0.1"), passwords={"anna": 'pass "word'}
    )
    with ScriptedImap(behaviour) as server:
        with imaplib.IMAP4_SSL(server.host, server.port, ssl_context=ca.client_context()) as client:
            with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
                client.login("anna", "wrong")
            client.authenticate("PLAIN", lambda _: b"\0anna\0" + b'pass "word')
            assert client.select("INBOX", readonly=True) == ("OK", [b"0"])
            assert client.append("INBOX", "", None, b"Subject: hello\r\n\r\nbody")[0] == "OK"
            assert client.uid("SEARCH", "ALL") == ("OK", [b""])
        assert [(one.mechanism, one.secret, one.encrypted) for one in server.sign_ins] == [
            ("LOGIN", "wrong", True),
            ("PLAIN", 'pass "word', True),
        ]
        assert server.secrets_in_clear == []
        assert server.connections == 1
        assert server.appended == [b"Subject: hello\r\n\r\nbody"]


def test_clear_sign_in_is_counted() -> None:
    with ScriptedImap(ImapBehaviour()) as server:
        with imaplib.IMAP4(server.host, server.port) as client:
            client.login("anna", "secret word")
        assert server.secrets_in_clear == ["secret word"]


def test_starttls(ca: Authority) -> None:
    behaviour = ImapBehaviour(tls="starttls", certificate=ca.issue("127.0.0.1"))
    with ScriptedImap(behaviour) as server, imaplib.IMAP4(server.host, server.port) as client:
        assert "LOGINDISABLED" in client.capabilities
        client.starttls(ca.client_context())
        assert "AUTH=PLAIN" in client.capabilities
        client.login("anna", "x")
        assert server.sign_ins[0].encrypted


def test_starttls_missing_and_refused(ca: Authority) -> None:
    with ScriptedImap(ImapBehaviour()) as server:
        client = imaplib.IMAP4(server.host, server.port)
        with client, pytest.raises(imaplib.IMAP4.abort, match="TLS not supported"):
            client.starttls(ca.client_context())
    refuses = ImapBehaviour(tls="starttls", answers={"STARTTLS": b"NO not today"})
    with ScriptedImap(refuses) as server:
        client = imaplib.IMAP4(server.host, server.port)
        with client, pytest.raises(imaplib.IMAP4.error, match="Couldn't establish TLS"):
            client.starttls(ca.client_context())


def said(server: ScriptedImap, *commands: bytes) -> bytes:
    """Everything the server sends in answer to these lines, until it closes."""
    with socket.create_connection((server.host, server.port), timeout=5) as connection:
        received = b""
        for command in commands:
            connection.sendall(command + b"\r\n")
        while data := connection.recv(65536):
            received += data
        return received


def test_injected_data_follows_in_the_same_breath(ca: Authority) -> None:
    behaviour = ImapBehaviour(
        tls="starttls", certificate=ca.issue("127.0.0.1"), injected=b"* CAPABILITY EVIL\r\n", close_at="TLS"
    )
    with ScriptedImap(behaviour) as server:
        assert said(server, b"a STARTTLS").endswith(b"a OK begin TLS\r\n* CAPABILITY EVIL\r\n")


@pytest.mark.parametrize(
    "greeting",
    [b"+OK POP3 ready\r\n", b"220 smtp\r\n", b"HTTP/1.1 400 Bad\r\n", b"* BYE busy\r\n", b"x" * 1_000_000],
)
def test_greeting(greeting: bytes) -> None:
    with ScriptedImap(ImapBehaviour(greeting=greeting, close_at="NOOP")) as server:
        assert said(server, b"a NOOP") == greeting


def test_sign_in_answers() -> None:
    script = SignIn(
        before=b"* NO [WEBALERT https://mail.example/] Web login required.\r\n",
        answer="NO 登录失败".encode("gb18030"),
        after=b"* BYE see you\r\n",
        close=True,
    )
    with ScriptedImap(ImapBehaviour(sign_in=script)) as server:
        lines = said(server, b"a LOGIN anna x").splitlines()
        assert lines[1].startswith(b"* NO [WEBALERT")
        assert lines[2].decode("gb18030") == "a NO 登录失败"
        assert lines[3] == b"* BYE see you"


def test_close_before_the_tagged_answer() -> None:
    with ScriptedImap(ImapBehaviour(close_at="SIGN_IN", reset=True)) as server:
        with socket.create_connection((server.host, server.port)) as connection:
            connection.recv(100)
            connection.sendall(b"a LOGIN anna x\r\n")
            with pytest.raises(ConnectionResetError):
                connection.recv(100)
        assert len(server.sign_ins) == 1


def test_stall_delay_and_stop() -> None:
    server = ScriptedImap(ImapBehaviour(stall_at="EXAMINE", delays={"NOOP": 0.05})).start()
    with socket.create_connection((server.host, server.port), timeout=0.2) as connection:
        connection.recv(100)
        connection.sendall(b"a NOOP\r\n")
        assert connection.recv(100) == b"a OK done\r\n"
        connection.sendall(b"b EXAMINE INBOX\r\n")
        with pytest.raises(TimeoutError):
            connection.recv(100)
        server.stop()
        connection.settimeout(5)
        assert connection.recv(100) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.host, server.port))
