"""T4: addresses inside, however they are spelt or rebound, are never connected to; closed ones answer alike.

What is connected to is told by the interpreter itself (its audit events), whatever the port and the layer.
"""

import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from soinbox_web.mail.net.network import Network
from soinbox_web.model.allow_list import AllowList
from soinbox_web.problems import SoinboxError
from soinbox_web.settings import Settings
from tests.mail.test_net import LITERALS, TURNS
from tests.servers.dns_server import DnsServer

NAME = "mail.example.test"
PAIRS = 40
ALIKE_MS = 50
Way = Callable[[Network, str], object]


def _address(host: str) -> str:
    """As it stands in a URL."""
    return f"[{host.strip('[]')}]" if ":" in host else host


WAYS: dict[str, Way] = {
    "IMAP": lambda network, host: network.connect(host, 993, timeout=0.3),
    "SMTP": lambda network, host: network.connect(host, 587, timeout=0.3),
    "POP": lambda network, host: network.connect(host, 995, timeout=0.3, purpose="pop"),
    "a page": lambda network, host: network.http_get(f"https://{_address(host)}/", timeout=0.3),
    "a page in clear": lambda network, host: network.http_get(f"http://{_address(host)}/", timeout=0.3),
}
_connected: list[tuple[str, int]] = []
_listening = False


def _hear(event: str, details: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(details[1], tuple):
        _connected.append(details[1][:2])


@contextmanager
def connections(but: Iterable[tuple[str, int]] = ()) -> Iterator[list[tuple[str, int]]]:
    """Everything that this process connects to, besides `but` (the servers of names)."""
    global _listening
    if not _listening:
        sys.addaudithook(_hear)
        _listening = True
    before, seen = len(_connected), list[tuple[str, int]]()
    yield seen
    seen += [each for each in _connected[before:] if each not in set(but)]


def figures(every: int) -> list[dict[str, Any]]:
    return [_literals(every), _rebinding(), _control(), _alike(max(10, PAIRS // every))]


def _tell(figure: str, cases: dict[str, list[str]], goal: int, **more: Any) -> dict[str, Any]:
    """`cases`: what went wrong in each."""
    wrong = {name: words for name, words in cases.items() if words}
    for name, words in wrong.items():
        print(f"    WRONG: {name}: {'; '.join(words)}")
    print(f"{figure}: {len(cases)} runs (goal >= {goal}), {len(wrong)} wrong (goal 0)", flush=True)
    met = len(cases) >= goal and not wrong
    return {"figure": figure, "runs": len(cases), "wrong": len(wrong), "goal": goal, "met": met, **more}


def _literals(every: int) -> dict[str, Any]:
    cases = {}
    network = Network(Settings())
    for host in list(dict.fromkeys(LITERALS))[::every]:
        for way, act in WAYS.items():
            with connections() as seen:
                code = _code(act, network, host)
            told = [] if code in ("private_blocked", "wrong_service", "host_missing") else [code or "let in"]
            cases[f"{host} for {way}"] = [*told, *(f"connected to {each}" for each in seen)]
    return _tell(f"T4 address literals x {len(WAYS)} ways: 0 connections", cases, 59 * len(WAYS) // every)


def _rebinding() -> dict[str, Any]:
    cases = {}
    for number, turns in enumerate(TURNS):
        for way, act in WAYS.items():
            with DnsServer(changing={(NAME, "A"): turns}) as dns, connections([dns.address]) as seen:
                network = Network(Settings(dns_servers=(dns.address,)))
                for _ in range(4):
                    _code(act, network, NAME)
            inside = [f"connected to {each}" for each in seen if each[0] != "8.8.8.8"]
            cases[f"sequence {number + 1} for {way}"] = inside
    return _tell("T4 rebinding: 0 connections inside", cases, 6 * len(WAYS))


def _control() -> dict[str, Any]:
    """What the operator allows is connected to, and seen: else nothing above would mean anything."""
    allowed = Network(Settings(allow_hosts=AllowList.parse("127.0.0.1:993,127.0.0.1:587")))
    with connections() as seen:
        _code(WAYS["IMAP"], allowed, "127.0.0.1")
        _code(WAYS["SMTP"], allowed, "127.0.0.1")
    return _tell(
        "T4 control: allowed ones are seen",
        {f"port {port}": [] if ("127.0.0.1", port) in seen else ["not seen"] for port in (993, 587)},
        2,
    )


def _alike(pairs: int) -> dict[str, Any]:
    """Blocked and closed by turns, so that a busy machine slows both; their medians are compared."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    records = {("in.example.test", "A"): ["10.0.0.1"], ("closed.example.test", "A"): ["127.0.0.1"]}
    took: dict[str, list[float]] = {"private_blocked": [], "refused": []}
    cases: dict[str, list[str]] = {}
    with DnsServer(records) as dns:
        settings = Settings(dns_servers=(dns.address,), allow_hosts=AllowList.parse("closed.example.test"))
        network = Network(settings)
        for number in range(pairs):
            for host, wanted in (("in.example.test", "private_blocked"), ("closed.example.test", "refused")):
                before = time.perf_counter()
                code = _code(lambda net, name: net.connect(name, port, timeout=2), network, host)
                took[wanted].append((time.perf_counter() - before) * 1000)
                cases[f"{host} {number}"] = [] if code == wanted else [code]
    blocked, closed = (statistics.median(took[code]) for code in ("private_blocked", "refused"))
    apart = abs(blocked - closed)
    if apart >= ALIKE_MS:
        cases["medians"] = [f"{apart:.1f} ms apart"]
    print(f"T4 medians: blocked {blocked:.1f} ms, closed {closed:.1f} ms, {apart:.1f} ms apart")
    return _tell(
        "T4 blocked and closed alike within 50 ms", cases, 2 * pairs, blocked_ms=round(blocked, 2),
        closed_ms=round(closed, 2),
    )  # fmt: skip


def _code(act: Way, network: Network, host: str) -> str:
    """The code of the problem; "" where there was none."""
    try:
        act(network, host)
    except SoinboxError as error:
        return error.problem.code
    return ""
