"""Slow and greedy clients: what the pages of another member cost meanwhile, and what memory is taken.

The real web server runs. Bram reads pages; each attack comes from a process of its own and is measured
beside quiet seconds just before it.
"""

import contextlib
import multiprocessing
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psutil

from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.model.message import MessageKey
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.services import pictures
from tests import seed
from tests.servers.soinbox import Soinbox, on_loopback

ROUNDS, QUIET, ATTACK = 3, 2.0, 5.0  # seconds of each
MOST = 2.0  # times of quiet that a page of another may take
MEMORY = 300.0  # MB of one web worker
LETTER = 3_000_000  # bytes of the message that slow readers ask for
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
PAGES = ("/persons", "/personal-settings", "/sign-in")


@dataclass(frozen=True, slots=True)
class Target:
    """What an attacker knows: the port, cookies and large messages of Anna and Cas, and Anna's pictures."""

    port: int
    cookies: tuple[str, str]
    letters: tuple[str, str]
    images: tuple[str, ...]

    def head(self, first: str, *more: bytes) -> bytes:
        return f"{first} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n".encode() + b"".join(more)

    def signed(self, who: int = 0) -> bytes:
        return f"Cookie: {self.cookies[who]}\r\n".encode()


@dataclass
class Attack:
    """What the rounds of one kind have shown."""

    quiet: list[float] = field(default_factory=list)  # p95 of each round, ms
    attacked: list[float] = field(default_factory=list)
    unanswered: int = 0
    memory: list[float] = field(default_factory=list)  # MB of the largest web worker, twice a second

    @property
    def ratio(self) -> float:
        return statistics.median(self.attacked) / max(statistics.median(self.quiet), 0.1)


def figures(every: int) -> list[dict[str, Any]]:
    """Every attack, or each N-th."""
    with tempfile.TemporaryDirectory(prefix="trust-clients-") as name, _silent_resolver() as resolver:
        folder = Path(name)
        variables = {**on_loopback(Authority(), folder), "DNS_SERVERS": f"127.0.0.1:{resolver}"}
        product = Soinbox(folder / "instance", variables, command="web").start()
        try:
            target, bram = _prepare(product)
            return [_tell(each, _measure(product, bram, target, each)) for each in list(ATTACKS)[::every]]
        finally:
            product.close()


def _measure(product: Soinbox, bram: str, target: Target, name: str) -> Attack:
    attack, context = Attack(), multiprocessing.get_context("spawn")
    with _watching(product, attack):
        for _ in range(ROUNDS):
            attack.quiet.append(_read(product, bram, QUIET, attack))
            begun = context.Event()
            process = context.Process(target=_act, args=(name, target, begun), daemon=True)
            process.start()
            begun.wait(30)
            time.sleep(0.5)
            attack.attacked.append(_read(product, bram, ATTACK, attack))
            process.kill()
            process.join()
    return attack


def _read(product: Soinbox, cookie: str, seconds: float, attack: Attack) -> float:
    """The p95 of Bram's pages, ms; one that does not come counts with all its time."""
    times, end = list[float](), time.monotonic() + seconds
    while time.monotonic() < end:
        for path in PAGES:
            began = time.perf_counter()
            connection = HTTPConnection("127.0.0.1", product.port, timeout=15)
            try:
                connection.request("GET", path, headers={"Cookie": cookie})
                answer = connection.getresponse()
                answer.read()
                attack.unanswered += answer.status >= 400
            except (OSError, HTTPException):
                attack.unanswered += 1
            finally:
                connection.close()
            times.append((time.perf_counter() - began) * 1000)
    return round(sorted(times)[len(times) * 95 // 100], 1)


@contextlib.contextmanager
def _watching(product: Soinbox, attack: Attack) -> Iterator[None]:
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.5):
            with contextlib.suppress(psutil.Error):
                children = psutil.Process(product.pid).children()
                attack.memory.append(round(max(each.memory_info().rss for each in children) / 1e6, 1))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _prepare(product: Soinbox) -> tuple[Target, str]:
    anna, bram, cas = (
        product.add_member(f"{name.lower()}@noordlicht.example", name) for name in ("Anna", "Bram", "Cas")
    )
    key, other = (_large(product, seed.account(product.runtime, each)) for each in (anna, cas))
    urls = [f"https://stil{number % 3}.example/{number}.png" for number in range(100)]
    tokens = tuple(f"/image/{pictures.token(product.runtime, anna.id, key, url=url)}" for url in urls)
    letters = (f"/messages/{key}/source.eml", f"/messages/{other}/source.eml")
    target = Target(product.port, (_cookie(product, anna), _cookie(product, cas)), letters, tokens)
    return target, _cookie(product, bram)


def _large(product: Soinbox, account: Account) -> MessageKey:
    raw = seed.letter("Groot", text="regel tekst\r\n" * (LETTER // 13))
    return seed.deliver(product.runtime, account, [raw])[0]


def _cookie(product: Soinbox, member: Member) -> str:
    found = product.cookie(member)
    return f"{found['name']}={found['value']}"


@contextlib.contextmanager
def _silent_resolver() -> Iterator[int]:
    """A DNS server that never answers: every picture's host hangs."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        yield int(silent.getsockname()[1])


# the attackers, in a process of their own until it is ended


def _act(name: str, target: Target, begun: Any) -> None:
    begun.set()
    ATTACKS[name](target)


def _drip(count: int, target: Target, opening: bytes, more: bytes) -> None:
    """So many connections that each send a little now and then; one that ends is opened anew."""
    lines: list[socket.socket | None] = [None] * count
    while True:
        for number, line in enumerate(lines):
            try:
                if line is None:
                    lines[number] = line = socket.create_connection(("127.0.0.1", target.port), timeout=5)
                    line.sendall(opening)
                else:
                    line.sendall(more)
            except OSError:
                lines[number] = None
        time.sleep(0.5)


def _slow_posts(count: int, target: Target) -> None:
    opening = target.head("POST /sign-in", FORM, b"Content-Length: 1000\r\n\r\n")
    _drip(count, target, opening, b"a")


def _slow_heads(count: int, target: Target) -> None:
    _drip(count, target, target.head("GET /sign-in", b"X-Slow: "), b"a")


def _slow_readers(count: int, target: Target, who: int = 0) -> None:
    _drip(count, target, target.head(f"GET {target.letters[who]}", target.signed(who), b"\r\n"), b"")


def _two_slow_readers(count: int, target: Target) -> None:
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(partial(_slow_readers, count // 2, target), range(2)))


def _streams(count: int, target: Target) -> None:
    _drip(count, target, target.head("GET /live", target.signed(), b"\r\n"), b"")


def _again_and_again(at_once: int, ask: Callable[[int], None]) -> None:
    def go_on(number: int) -> None:
        while True:
            with contextlib.suppress(OSError):
                ask(number)
            time.sleep(0.2)

    with ThreadPoolExecutor(at_once) as threads:
        list(threads.map(go_on, range(at_once)))


def _pictures(target: Target) -> None:
    def ask(number: int) -> None:
        with socket.create_connection(("127.0.0.1", target.port), timeout=60) as line:
            line.sendall(target.head(f"GET {target.images[number]}", b"\r\n"))
            line.recv(100)

    _again_and_again(len(target.images), ask)


def _big_headers(target: Target) -> None:
    def ask(_: int) -> None:
        with socket.create_connection(("127.0.0.1", target.port), timeout=5) as line:
            line.sendall(target.head("GET /sign-in", b"X-Big: "))
            for _ in range(100):
                line.sendall(b"x" * 1_000_000)

    _again_and_again(8, ask)


def _uploads(target: Target) -> None:
    opening = target.head(
        "POST /persons/import", target.signed(), b"Content-Type: multipart/form-data; boundary=x\r\n",
        b"Content-Length: 10000000\r\n\r\n--x\r\n",
    )  # fmt: skip

    def ask(_: int) -> None:
        with socket.create_connection(("127.0.0.1", target.port), timeout=5) as line:
            line.sendall(opening)
            for _ in range(99):
                line.sendall(b"x" * 100_000)
                time.sleep(0.02)

    _again_and_again(16, ask)


ATTACKS: dict[str, Callable[[Target], None]] = {
    "40 slow posts": partial(_slow_posts, 40),
    "400 slow posts": partial(_slow_posts, 400),
    "400 slow headers": partial(_slow_heads, 400),
    "100 pictures that hang": _pictures,
    "60 slow readers": partial(_slow_readers, 60),
    "120 slow readers, of two users": partial(_two_slow_readers, 120),
    "headers of 100 MB": _big_headers,
    "16 uploads of one user": _uploads,
    "400 streams of one user": partial(_streams, 400),
}


def _tell(name: str, attack: Attack) -> dict[str, Any]:
    quiet, attacked = statistics.median(attack.quiet), statistics.median(attack.attacked)
    highest = max(attack.memory, default=0.0)
    wrong = [attack.ratio > MOST, attack.unanswered > 0, highest > MEMORY]
    print(
        f"{name}: pages of another p95 {quiet:.0f} ms quiet, {attacked:.0f} ms attacked, {attack.ratio:.1f} "
        f"times (goal <= {MOST:.0f}); {attack.unanswered} unanswered; web worker at most {highest:.0f} MB "
        f"(goal <= {MEMORY:.0f}){'   WRONG' if any(wrong) else ''}",
        flush=True,
    )
    return {
        "figure": f"clients: {name}", "runs": ROUNDS, "wrong": sum(wrong), "goal": f"<= {MOST:.0f} x quiet",
        "met": not any(wrong), "p95_ms": {name: [quiet, attacked]}, "unanswered": attack.unanswered,
        "memory_mb": {f"{name}: web worker": attack.memory},
    }  # fmt: skip
