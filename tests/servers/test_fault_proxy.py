"""The proxy harms a conversation exactly as told."""

import imaplib
import socket
import ssl
import time

import pytest

from soinbox_web.rehearsal.behaviour import ImapBehaviour
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.rehearsal.scripted_imap import ScriptedImap
from tests.servers.fault_proxy import Fault, FaultProxy

GREETING = b"* OK rehearsal ready\r\n"


def received(proxy: FaultProxy, *, timeout: float = 5) -> bytes:
    """What a client that says NOOP and LOGOUT hears until the end."""
    with socket.create_connection((proxy.host, proxy.port), timeout=timeout) as connection:
        connection.sendall(b"a NOOP\r\nb LOGOUT\r\n")
        heard = b""
        while data := connection.recv(4096):
            heard += data
        return heard


@pytest.fixture(scope="module")
def target() -> tuple[str, int]:
    server = ScriptedImap(ImapBehaviour()).start()
    return server.host, server.port


def test_faithful_without_fault(target: tuple[str, int]) -> None:
    with FaultProxy(target) as proxy:
        heard = received(proxy)
        assert heard == GREETING + b"a OK done\r\n* BYE until next time\r\nb OK done\r\n"
        assert (proxy.connections, proxy.bytes_down) == (1, len(heard))


def test_cuts_after_byte_n(target: tuple[str, int]) -> None:
    with FaultProxy(target) as proxy:
        proxy.fault = Fault(cut_after=7, how="close")
        assert received(proxy) == GREETING[:7]
        proxy.fault = Fault(cut_after=7, how="reset")
        with pytest.raises(ConnectionResetError):
            received(proxy)
        proxy.fault = Fault(cut_after=7, how="silence")
        with pytest.raises(TimeoutError):
            received(proxy, timeout=0.2)


def test_edits(target: tuple[str, int]) -> None:
    with FaultProxy(target) as proxy:
        proxy.fault = Fault(replace=(b"OK done", b"NO way"), inject=(2, b"PRE"))
        heard = received(proxy)
        assert heard.startswith(b"* PREOK rehearsal ready\r\na NO way\r\n")


def test_slowness(target: tuple[str, int]) -> None:
    with FaultProxy(target) as proxy:
        proxy.fault = Fault(drip=0.002)
        began = time.monotonic()
        assert received(proxy).startswith(GREETING)
        assert time.monotonic() - began > 0.05


def test_inside_tls(ca: Authority) -> None:
    good = ca.issue("127.0.0.1")
    with ScriptedImap(ImapBehaviour(tls="implicit", certificate=good)) as server:
        upstream: ssl.SSLContext = ca.client_context()
        with FaultProxy((server.host, server.port), certificate=good, upstream=upstream) as proxy:
            proxy.fault = Fault(replace=(b"OK signed in", b"NO [UNAVAILABLE] later"))
            client = imaplib.IMAP4_SSL(proxy.host, proxy.port, ssl_context=ca.client_context())
            with client, pytest.raises(imaplib.IMAP4.error, match="UNAVAILABLE"):
                client.login("anna", "x")
