"""Each certificate has the one fault it is named after, and no other."""

import socket
import ssl
import threading
from typing import get_args

import pytest

from soinbox_web.rehearsal.certificates import Authority, Fault, Identity

VERIFY_CODES = {
    "expired": 10,
    "not_yet_valid": 9,
    "wrong_name": 62,
    "self_signed": 18,
    "unknown_ca": 20,
    "missing_intermediate": 20,
}


def shake_hands(client: ssl.SSLContext, identity: Identity, *, old_tls: bool = False) -> str | None:
    """The TLS version of one handshake as mail.example; raises what the client meets."""
    near, far = socket.socketpair()
    server = identity.server_context(old_tls=old_tls)

    def serve() -> None:
        try:
            server.wrap_socket(far, server_side=True).close()
        except OSError:
            far.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(near, server_hostname="mail.example") as secure:
            return secure.version()
    finally:
        near.close()
        thread.join()


@pytest.mark.parametrize("fault", [fault for fault in get_args(Fault) if fault != "none"])
def test_fault(ca: Authority, fault: Fault) -> None:
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        shake_hands(ca.client_context(), ca.issue("mail.example", fault=fault))
    assert caught.value.verify_code == VERIFY_CODES[fault]


def test_good(ca: Authority) -> None:
    assert shake_hands(ca.client_context(), ca.issue("mail.example", "127.0.0.1")) == "TLSv1.3"


def test_old_tls_is_refused_and_real(ca: Authority) -> None:
    with pytest.raises(ssl.SSLError) as caught:
        shake_hands(ca.client_context(), ca.issue("mail.example"), old_tls=True)
    told = f"{caught.value.reason} {caught.value}"  # some patch levels of OpenSSL have no name for it
    assert "TLSV1_ALERT_PROTOCOL_VERSION" in told or "legacy sigalg" in told
    lenient = ca.client_context()
    lenient.set_ciphers("ALL:@SECLEVEL=0")
    lenient.minimum_version = ssl.TLSVersion.TLSv1
    assert shake_hands(lenient, ca.issue("mail.example"), old_tls=True) == "TLSv1.1"
