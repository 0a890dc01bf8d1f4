"""The one door: what it refuses, what it pins, and how it connects."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from soinbox_web.mail.net.network import Cancelled, Network
from soinbox_web.model.allow_list import AllowList
from soinbox_web.problems import NetworkError
from soinbox_web.settings import Settings
from tests.servers.dns_server import NXDOMAIN, SERVFAIL, SILENCE, DnsServer

LITERALS = """
127.0.0.1 127.0.0.53 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 172.16.0.1
172.31.255.255 192.168.0.1 192.168.178.1 100.64.0.1 100.127.255.255 169.254.169.254 169.254.0.1
192.0.0.1 192.0.0.8 192.0.0.170 192.0.2.1 192.88.99.1 198.18.0.1 198.19.255.255 198.51.100.7
203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 127.1 127.0.1 0x7f000001
0x7f.0.0.1 0X7F.1 2130706433 017700000001 0177.0.0.1 0177.1 127.0.0.1. 0 0x0 00000000177.0.0.1
0xa9fea9fe 2852039166 [::1] ::1 :: ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
::ffff:0:10.0.0.1 ::10.0.0.1 ::127.0.0.1 64:ff9b::a00:1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe
64:ff9b:1::1 64:ff9b:1:a00:1:: 2002:7f00:1:: 2002:a00:1::1 2002:c0a8:1::1 2001:0:7f00:1::1
2001:0:4136:e378:8000:63bf:f5ff:fffe 2001:db8::1 2001:10::1 2001:20::1 fe80::1 fe80::1%lo
fec0::1 fc00::1 fd12:3456::1 fd00:ec2::254 ff02::1 ff0e::1 100::1 3fff::1 5f00::1 localhost
LOCALHOST mail.localhost localhost. \uff11\uff12\uff17.0.0.1 \u2460\u2461\u2466.0.0.1
127\u30020\u30020\u30021
""".split()  # noqa: SIM905
TURNS: list[list[list[str] | str]] = [  # what a name that is rebound points to, one look after the other
    [["8.8.8.8"], ["127.0.0.1"]],
    [["127.0.0.1"], ["8.8.8.8"]],
    [["8.8.8.8"], ["8.8.8.8"], ["127.0.0.1"]],
    [["127.0.0.1"], ["127.0.0.1"]],
    [["8.8.8.8", "127.0.0.1"], ["127.0.0.1"]],
    [["8.8.8.8"], NXDOMAIN, ["127.0.0.1"]],
]


@pytest.fixture
def door() -> Iterator[socket.socket]:
    """A listener on loopback that must stay alone."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        yield listener


def visited(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except TimeoutError:
        return False
    return True


def test_the_corpus_is_as_big_as_was_meant() -> None:
    assert len(set(LITERALS)) >= 59


@pytest.mark.parametrize("host", LITERALS)
def test_an_address_inside_is_refused(host: str, door: socket.socket) -> None:
    port = door.getsockname()[1]
    with pytest.raises(NetworkError) as caught:
        Network(Settings()).connect(host, port, timeout=1, ports=frozenset({port}))
    problem = caught.value.problem
    assert problem.code == "private_blocked"
    assert problem.evidence == "", "nothing tells one blocked target from another"
    assert not visited(door)


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        ("A", "127.0.0.1"), ("A", "10.1.2.3"), ("A", "169.254.169.254"), ("A", "100.64.0.9"),
        ("A", "0.0.0.0"),
        ("AAAA", "::1"), ("AAAA", "::ffff:127.0.0.1"), ("AAAA", "64:ff9b::a00:1"), ("AAAA", "fd00::1"),
        ("AAAA", "2002:7f00:1::"), ("AAAA", "fe80::1"),
    ],
)  # fmt: skip
def test_a_name_that_points_inside_is_refused(kind: str, record: str) -> None:
    with DnsServer({("mail.example.test", kind): [record]}) as dns, pytest.raises(NetworkError) as caught:
        Network(Settings(dns_servers=(dns.address,))).connect("mail.example.test", 993, timeout=1)
    assert caught.value.problem.code == "private_blocked"


def test_one_record_inside_among_public_ones_is_enough(door: socket.socket) -> None:
    port = door.getsockname()[1]
    with (
        DnsServer({("mail.example.test", "A"): ["8.8.8.8", "127.0.0.1"]}) as dns,
        pytest.raises(NetworkError) as caught,
    ):
        network = Network(Settings(dns_servers=(dns.address,)))
        network.connect("mail.example.test", port, timeout=1, ports=frozenset({port}))
    assert caught.value.problem.code == "private_blocked"
    assert not visited(door)


@pytest.mark.parametrize("turns", TURNS)
def test_rebinding_reaches_nothing(turns: list[list[str] | str], door: socket.socket) -> None:
    """Each attempt asks once, judges that answer and connects to it: a later answer is judged anew."""
    port = door.getsockname()[1]
    with DnsServer(changing={("mail.example.test", "A"): turns}) as dns:
        network = Network(Settings(dns_servers=(dns.address,)))
        for attempt in range(1, 4):
            with pytest.raises(NetworkError):
                network.connect("mail.example.test", port, timeout=0.2, ports=frozenset({port}))
            assert dns.asked.count(("mail.example.test", "A")) == attempt
    assert not visited(door)


@pytest.mark.parametrize("port", [1, 22, 25, 80, 443, 2525, 3306, 6379, 8080, 65535, 110])
def test_an_unusual_port_is_refused(port: int) -> None:
    with pytest.raises(NetworkError) as caught:
        Network(Settings()).connect("8.8.8.8", port, timeout=0.2)
    assert caught.value.problem.code == "private_blocked"


@pytest.mark.parametrize(
    "allowed", ["127.0.0.0/8", "localhost", "127.0.0.1:{port}", "localhost:{port},127.0.0.1"]
)
def test_the_operator_may_allow_a_host(allowed: str, door: socket.socket) -> None:
    port = door.getsockname()[1]
    host = "localhost" if allowed.startswith("localhost") else "127.0.0.1"
    network = Network(Settings(allow_hosts=AllowList.parse(allowed.format(port=port))))
    with network.connect(host, port, timeout=2) as sock:
        assert sock.gettimeout() == 2
    assert visited(door)


@pytest.mark.parametrize("allowed", ["127.0.0.1:1", "10.0.0.0/8", "mail.example.test", "[::1]:993"])
def test_an_exemption_is_for_that_host_and_port_only(allowed: str, door: socket.socket) -> None:
    network = Network(Settings(allow_hosts=AllowList.parse(allowed)))
    with pytest.raises(NetworkError):
        network.connect("127.0.0.1", door.getsockname()[1], timeout=1)
    assert not visited(door)


def test_blocked_and_closed_answer_in_the_same_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    records = {("in.example.test", "A"): ["10.0.0.1"], ("closed.example.test", "A"): ["127.0.0.1"]}
    with DnsServer(records) as dns:
        settings = Settings(dns_servers=(dns.address,), allow_hosts=AllowList.parse("closed.example.test"))
        network = Network(settings)
        took = {}
        for host, code in (("in.example.test", "private_blocked"), ("closed.example.test", "refused")):
            before = time.perf_counter()
            with pytest.raises(NetworkError) as caught:
                network.connect(host, port, timeout=2)
            took[code] = time.perf_counter() - before
            assert caught.value.problem.code == code
    assert abs(took["refused"] - took["private_blocked"]) < 0.05


@pytest.mark.parametrize(
    ("answer", "code"),
    [(NXDOMAIN, "host_missing"), (SERVFAIL, "dns_failure"), (SILENCE, "dns_failure"), ([], "host_missing")],
)
def test_a_name_without_address_is_explained(answer: list[str] | str, code: str) -> None:
    with DnsServer({("mail.example.test", "*"): answer}) as dns:
        network = Network(Settings(dns_servers=(dns.address,)))
        with pytest.raises(NetworkError) as caught:
            network.resolve("mail.example.test", lifetime=0.6)
    assert caught.value.problem.code == code
    assert str(dns.port) not in caught.value.problem.evidence


@pytest.mark.parametrize(
    "host",
    ["", ".", "a..b", "x" * 64 + ".nl", "http://mail.example.nl", "mail.example.nl/x", "a b.nl", "::zz"],
)
def test_what_is_no_name_is_not_looked_up(host: str) -> None:
    with DnsServer() as dns:
        with pytest.raises(NetworkError) as caught:
            Network(Settings(dns_servers=(dns.address,))).connect(host, 993)
        assert caught.value.problem.code == "host_missing"
        assert dns.asked == []


def test_two_hundred_records_are_bounded() -> None:
    records = {("mail.example.test", "A"): [f"127.9.{n}.1" for n in range(200)]}
    with DnsServer(records) as dns:
        settings = Settings(dns_servers=(dns.address,), allow_hosts=AllowList.parse("127.0.0.0/8"))
        before = time.perf_counter()
        with pytest.raises(NetworkError) as caught:
            Network(settings).connect("mail.example.test", 9, timeout=3)
    assert caught.value.problem.code == "refused"
    assert time.perf_counter() - before < 3


def black_hole() -> tuple[socket.socket, list[socket.socket]]:
    """A listener whose queue is full, so that more connections find silence."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = []
    for _ in range(3):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(listener.getsockname())
        waiting.append(sock)
    return listener, waiting


def test_silence_ends_in_time_and_cancel_at_once() -> None:
    listener, waiting = black_hole()
    port = listener.getsockname()[1]
    network = Network(Settings(allow_hosts=AllowList.parse("127.0.0.1")))
    before = time.perf_counter()
    with pytest.raises(NetworkError) as caught:
        network.connect("127.0.0.1", port, timeout=0.5)
    assert caught.value.problem.code == "timeout"
    assert time.perf_counter() - before < 1.5
    pressed = threading.Event()
    threading.Timer(0.2, pressed.set).start()
    before = time.perf_counter()
    with pytest.raises(Cancelled):
        network.connect("127.0.0.1", port, timeout=10, cancelled=pressed.is_set)
    assert time.perf_counter() - before < 1.5
    for sock in (*waiting, listener):
        sock.close()


def test_ipv4_takes_over_from_a_silent_or_closed_ipv6(door: socket.socket) -> None:
    port = door.getsockname()[1]
    records = {("mail.example.test", "AAAA"): ["::1"], ("mail.example.test", "A"): ["127.0.0.1"]}
    with DnsServer(records) as dns:
        settings = Settings(dns_servers=(dns.address,), allow_hosts=AllowList.parse("mail.example.test"))
        with Network(settings).connect("mail.example.test", port, timeout=3) as sock:
            assert sock.getpeername()[0] == "127.0.0.1"


def test_control_hosts_tell_a_blocked_way_out() -> None:
    listener, waiting = black_hole()
    port = listener.getsockname()[1]
    settings = Settings(
        allow_hosts=AllowList.parse("127.0.0.1"), control_hosts=(("127.0.0.1", 1), ("127.0.0.1", 2))
    )
    assert Network(settings).way_out_is_blocked(port, timeout=0.3)
    assert not Network(replace(settings, control_hosts=())).way_out_is_blocked(port, timeout=0.3)
    for sock in (*waiting, listener):
        sock.close()
