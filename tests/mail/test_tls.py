"""TLS stops at every fault, names it, and hears of no secret before."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from soinbox_web.mail.net.network import Cancelled, Network
from soinbox_web.model.allow_list import AllowList
from soinbox_web.problems import Problem, SoinboxError
from soinbox_web.rehearsal.certificates import Authority, Fault
from soinbox_web.settings import Settings
from tests.servers.dns_server import DnsServer

HOST = "mail.example.test"
Talk = Callable[[socket.socket], None]


@contextmanager
def server(talk: Talk) -> Iterator[int]:
    """Every connection is handed to `talk`; yields the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    stopped = threading.Event()

    def one(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                talk(connection)
            except OSError:
                pass

    def serve() -> None:
        while not stopped.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stopped.set()
        thread.join()
        listener.close()


@pytest.fixture
def network(ca: Authority, tmp_path: Path) -> Iterator[Network]:
    with DnsServer({(HOST, "A"): ["127.0.0.1"]}) as dns:
        yield Network(
            Settings(
                dns_servers=(dns.address,),
                allow_hosts=AllowList.parse(HOST),
                ca_file=ca.write_anchor(tmp_path / "ca.pem"),
            )
        )


def encrypting(context: ssl.SSLContext, heard: list[bytes]) -> Talk:
    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as encrypted:
            encrypted.sendall(b"* OK ready\r\n")
            heard.append(encrypted.recv(1000))

    return talk


def problem_of(network: Network, port: int, timeout: float = 3) -> Problem:
    with pytest.raises(SoinboxError) as caught:
        network.tls(network.connect(HOST, port, timeout=timeout), HOST, timeout=timeout)
    return caught.value.problem


def test_a_good_certificate_is_accepted(network: Network, ca: Authority) -> None:
    heard: list[bytes] = []
    with (
        server(encrypting(ca.issue(HOST).server_context(), heard)) as port,
        network.tls(network.connect(HOST, port), HOST, timeout=3) as encrypted,
    ):
        assert encrypted.recv(100) == b"* OK ready\r\n"
        assert encrypted.version() in ("TLSv1.2", "TLSv1.3")
        assert encrypted.gettimeout() == 3


@pytest.mark.parametrize(
    ("fault", "code", "facts"),
    [
        ("expired", "cert_expired", {"host": HOST, "names": HOST, "date": "2021-01-01"}),
        ("not_yet_valid", "cert_not_yet_valid", {"host": HOST, "date": "2037-01-01"}),
        ("wrong_name", "cert_name_mismatch", {"host": HOST, "names": "somebody-else.example"}),
        ("self_signed", "cert_self_signed", {"host": HOST, "names": HOST}),
        ("unknown_ca", "cert_untrusted_chain", {"host": HOST, "issuer": "A stranger"}),
        ("missing_intermediate", "cert_untrusted_chain", {"host": HOST}),
    ],
)
def test_a_fault_is_named(
    network: Network, ca: Authority, fault: Fault, code: str, facts: dict[str, str]
) -> None:
    heard: list[bytes] = []
    with server(encrypting(ca.issue(HOST, fault=fault).server_context(), heard)) as port:
        problem = problem_of(network, port)
    assert (problem.code, problem.stage) == (code, "encrypt")
    assert facts.items() <= dict(problem.facts).items()
    assert problem.evidence
    assert not any(heard), "nothing was said over the line that is not verified"


def test_old_tls_is_named(network: Network, ca: Authority) -> None:
    with server(encrypting(ca.issue(HOST).server_context(old_tls=True), [])) as port:
        assert problem_of(network, port).code == "tls_too_old"


@pytest.mark.parametrize("greeting", [b"* OK ready\r\n", b"220 mail ESMTP\r\n", b"+OK\r\n"])
def test_a_plain_port_is_named(network: Network, greeting: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(greeting)
        connection.recv(1000)

    with server(talk) as port:
        assert problem_of(network, port).code == "tls_on_plain_port"


def test_a_web_server_on_a_plain_port_is_named(network: Network) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with server(talk) as port:
        assert problem_of(network, port).code == "tls_on_plain_port"


def test_a_server_that_hangs_up_is_unavailable(network: Network) -> None:
    with server(lambda connection: None) as port:
        assert problem_of(network, port).code in ("server_unavailable", "tls_on_plain_port")


def test_silence_is_a_time_out(network: Network) -> None:
    with server(lambda connection: time.sleep(5)) as port:
        assert problem_of(network, port, timeout=0.5).code == "timeout"


def test_a_drip_ends_in_time(network: Network) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"\x16\x03\x03\x40\x00")
        while True:
            connection.sendall(b"\x02")
            time.sleep(0.05)

    with server(talk) as port:
        before = time.perf_counter()
        with pytest.raises(SoinboxError):
            network.tls(network.connect(HOST, port), HOST, timeout=0.5)
        assert time.perf_counter() - before < 8


def test_cancel_ends_a_handshake(network: Network) -> None:
    pressed = threading.Event()
    threading.Timer(0.2, pressed.set).start()
    with server(lambda connection: time.sleep(5)) as port:
        before = time.perf_counter()
        with pytest.raises(Cancelled):
            network.tls(network.connect(HOST, port), HOST, timeout=10, cancelled=pressed.is_set)
        assert time.perf_counter() - before < 1.5


def test_after_starttls_the_caller_opens_the_second_look(network: Network, ca: Authority) -> None:
    context = ca.issue(HOST, fault="expired").server_context()

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"* OK ready\r\n")
        connection.recv(1000)
        connection.sendall(b"a OK begin\r\n")
        context.wrap_socket(connection, server_side=True).close()

    with server(talk) as port:

        def opened() -> socket.socket:
            sock = network.connect(HOST, port)
            sock.recv(100)
            sock.sendall(b"a STARTTLS\r\n")
            sock.recv(100)
            return sock

        with pytest.raises(SoinboxError) as caught:
            network.tls(opened(), HOST, reopen=opened)
    assert caught.value.problem.code == "cert_expired"
    assert caught.value.problem.facts["date"] == "2021-01-01"
