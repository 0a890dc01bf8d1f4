"""Attacks of one member on all: what the pages of another cost meanwhile, and what memory is taken.

The whole product runs. Bram reads (list, message, search); Anna opens bombs, looks for costly words, gets
mail that is one, has a server that floods; somebody imports a bomb of cards. Each attack is measured
beside quiet seconds just before it, three times; the next waits until the product rests.
"""

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from soinbox_web.model.account import Account
from soinbox_web.model.message import Correspondent, Envelope, MessageKey
from soinbox_web.model.server import Login
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.services import accounts
from soinbox_web.settings import child_environment
from soinbox_web.store import accounts as stored
from soinbox_web.store import bodies, folders, messages
from tests import seed
from tests.real.accounts import connect_account, tell
from tests.servers.dovecot import Dovecot
from tests.servers.mailbox import RealMailbox
from tests.servers.soinbox import Soinbox, on_loopback
from tests.trust import bombs, hostile
from tests.trust.asking import Asking
from tests.trust.costs import Watch, p95, worked
from tests.trust.crowd import Crowd
from tests.trust.scene import letter

MOST = 2.0  # times of quiet that a page of another may take
RECOVER, IDLE = 60.0, 0.3  # seconds it may go on after an attack; seconds of work in one that are none
BOUND, MEMORY = 2.0, 512.0  # seconds and megabytes that one mail may take
LETTERS = 300
PASSWORD = "lampje-voor-iedereen"
FLOODS = ("long answers without end at opening", "crowds without end", "folders without end")


@dataclass(frozen=True, slots=True)
class Pace:
    """How often each attack is measured, and for how many seconds."""

    rounds: int = 3
    quiet: float = 3.0
    attacked: float = 5.0


@dataclass
class Attack:
    """What three rounds of one kind have shown."""

    name: str
    quiet: list[float] = field(default_factory=list)  # p95 of each round, ms
    attacked: list[float] = field(default_factory=list)
    costs: dict[str, float] = field(default_factory=dict)  # seconds of the attacker's own requests
    unanswered: int = 0
    refused: int = 0  # pages of Bram's that did not come
    worst: float = 0.0  # ms, his slowest page
    recovered: list[float] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)  # seconds until Bram's new mail is there
    deaths: int = 0
    memory: list[tuple[float, float, float, float]] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return statistics.median(self.attacked) / max(statistics.median(self.quiet), 0.1)

    def wrong(self) -> list[str]:
        slow = [name for name, seconds in self.costs.items() if seconds > BOUND + 0.5]
        most = max((max(each[1:]) for each in self.memory), default=0)
        told = {
            f"pages of another {self.ratio:.1f} times slower": self.ratio > MOST,
            f"{self.deaths} web workers died": self.deaths > 0,
            f"{self.unanswered} requests without an answer": self.unanswered > 0,
            f"{self.refused} pages of another did not come": self.refused > 0,
            f"{len(slow)} inputs over {BOUND:.0f} s": bool(slow),
            f"went on for {max(self.recovered, default=0):.0f} s": max(self.recovered, default=0) > 5,
            f"{most:.0f} MB in one process": most > MEMORY,
            f"new mail of another after {max(self.arrivals, default=0):.0f} s": max(self.arrivals, default=0)
            > 30,
        }
        return [words for words, holds in told.items() if holds]


def figures(every: int) -> list[dict[str, Any]]:
    """Every attack, or each N-th."""
    return measured(Pace(), lambda names: names[::every])


def measured(pace: Pace, chosen: Callable[[list[str]], list[str]]) -> list[dict[str, Any]]:
    """Those attacks that are chosen of all names."""
    with tempfile.TemporaryDirectory(prefix="trust-attacks-") as name:
        folder = Path(name)
        ca = Authority()
        server = Dovecot(ca, max_connections=50).start()
        product = Soinbox(folder / "instance", on_loopback(ca, folder)).start()
        try:
            scene = _Scene(folder, ca, server, product, pace)
            return [_tell(scene.measure(name)) for name in chosen(list(scene.attacks))]
        finally:
            product.close()
            server.close()


class _Scene:
    """Bram with a mailbox, Anna with bombs in hers, and the attacks by name."""

    def __init__(self, folder: Path, ca: Authority, server: Dovecot, product: Soinbox, pace: Pace) -> None:
        self.pace = pace
        self.folder, self.ca, self.server, self.product = folder, ca, server, product
        self.anna = product.add_member("anna@noordlicht.example", "Anna")
        self.bram = product.add_member("bram@noordlicht.example", "Bram")
        self.mailbox = self._connect(self.bram.id, "bram@noordlicht.example", LETTERS)
        self.arriving = self._connect(self.anna.id, "anna@noordlicht.example", 1)
        self.bombs = self._place_bombs()
        key = self._first_key(self.mailbox)
        here = f"/inbox/{self.mailbox.id}"
        self.pages = (here, f"/messages/{key}", f"{here}?q=bericht")
        self.asking = Asking(product, self.bram, patience=15)
        cookie = product.cookie(self.anna)
        self.cookie = f"{cookie['name']}={cookie['value']}"
        ordinary = self._first_key(self.arriving)
        words = [f"/inbox/{self.arriving.id}?q={quote(word)}" for word in islice(bombs.searches(), 14)]
        self.attacks: dict[str, Callable[[Attack], Any]] = {
            "an ordinary message, opened as often": self._opening([f"/messages/{ordinary}"]),
            **{f"opening {kind}": self._opening(paths) for kind, paths in self.bombs.items()},
            "searching": self._opening(
                words + [f"/persons?q={quote(w)}" for w in islice(bombs.searches(), 14)]
            ),
            "importing cards": self._importing,
            "bombs that arrive": self._arriving,
            "a server that floods": self._flooding,
        }

    def measure(self, name: str) -> Attack:
        attack, watch = Attack(name), Watch(self.product)
        act = self.attacks[name]
        self._quiet_again()
        with watch.running():
            for number in range(self.pace.rounds):
                self._read(0.5)  # a worker that is new reads its first pages slowly
                attack.quiet.append(p95([ms for ms, _ in self._read(self.pace.quiet)]))
                self._round = number
                with act(attack):
                    pages = self._read(self.pace.attacked)
                attack.attacked.append(p95([ms for ms, _ in pages]))
                attack.worst = max(attack.worst, *(ms for ms, _ in pages))
                attack.refused += sum(status != 200 for _, status in pages)
                attack.recovered.append(self._quiet_again())
                if attack.recovered[-1] > RECOVER - 3:  # the next attack is not measured on this one's ruins
                    self.product.stop()
                    self.product.start()
        attack.memory, attack.deaths = watch.curve, watch.deaths
        return attack

    def _read(self, seconds: float) -> list[tuple[float, int]]:
        """Milliseconds and status of Bram's pages, one after the other."""
        found, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            for path in self.pages:
                began = time.perf_counter()
                status = self.asking.ask("GET", path).status
                found.append(((time.perf_counter() - began) * 1000, status))
        return found

    def _quiet_again(self) -> float:
        """Seconds that the product goes on working once nobody asks for anything."""
        began, before = time.monotonic(), worked(self.product)
        while time.monotonic() - began < RECOVER:
            time.sleep(1.0)
            now = worked(self.product)
            if 0 <= now - before < IDLE:  # less than nothing: a process has died
                break
            before = now
        return round(time.monotonic() - began - 1, 1)

    def _opening(self, paths: list[str]) -> Callable[[Attack], Any]:
        @contextmanager
        def act(attack: Attack) -> Iterator[None]:
            with Crowd(self.product.port, self.cookie) as crowd:
                asked = crowd.ask(paths, self.pace.attacked + 0.5)
                time.sleep(0.5)
                yield
                for each in asked.result():
                    name = f"{attack.name}, {each.path[-40:]}"
                    attack.costs[name] = max(attack.costs.get(name, 0), round(each.seconds, 2))
                    attack.unanswered += each.status in (0, 502, 503)

        return act

    @contextmanager
    def _importing(self, attack: Attack) -> Iterator[None]:
        """`soinbox person import`, one file after the other, beside the running product."""
        over = threading.Event()

        def work() -> None:
            for name, text in bombs.cards().items():
                if over.is_set() and name in attack.costs:
                    continue
                (self.folder / name).write_text(text)
                command = [
                    sys.executable,
                    "-m",
                    "soinbox_web.cli",
                    "person",
                    "import",
                    str(self.folder / name),
                ]
                began = time.monotonic()
                try:
                    subprocess.run(
                        command, env=child_environment(self.product.settings), capture_output=True, timeout=20
                    )
                except subprocess.TimeoutExpired:
                    attack.unanswered += 1
                attack.costs[name] = round(time.monotonic() - began, 2)

        thread = threading.Thread(target=work)
        thread.start()
        yield
        over.set()
        thread.join()

    @contextmanager
    def _arriving(self, attack: Attack) -> Iterator[None]:
        """Every bomb lands in Anna's mailbox at once; then one letter in Bram's."""
        for kind in bombs.openable().values():
            for raw in kind:
                self.server.deliver("anna@noordlicht.example", raw)
        yield
        attack.arrivals.append(self._until_new_mail())

    @contextmanager
    def _flooding(self, attack: Attack) -> Iterator[None]:
        """A third account, whose server never stops talking."""
        stage, payload = hostile.SERVERS[FLOODS[self._round % len(FLOODS)]]
        with hostile.Hostile(self.ca.issue("localhost").server_context(), stage, payload) as server:
            login = Login("localhost", server.port, "ssl", f"flut{self._round}@noordlicht.example")
            account = connect_account(self.product.runtime, self.anna.id, login, PASSWORD)
            tell(self.product.runtime, account)
            yield
            attack.arrivals.append(self._until_new_mail())
            accounts.remove(self.product.runtime, account.id)

    def _until_new_mail(self) -> float:
        began = time.monotonic()
        subject = f"Nieuw {began}"
        self.server.deliver("bram@noordlicht.example", seed.letter(subject))
        mailbox = self.product.runtime.mailbox(self.mailbox.id, self.mailbox.generation)
        while time.monotonic() - began < RECOVER:
            with mailbox.read() as connection:
                if connection.execute("SELECT 1 FROM messages WHERE subject = ?", (subject,)).fetchone():
                    break
            time.sleep(0.1)
        return round(time.monotonic() - began, 1)

    def _connect(self, user: int, address: str, letters: int) -> Account:
        """An account on the real server, synchronised by the running mailroom."""
        self.server.add_user(address, PASSWORD)
        for number in range(letters):
            self.server.deliver(address, letter(number))
        login = RealMailbox(address, PASSWORD, self.server, None).imap_login  # type: ignore[arg-type]
        account = connect_account(self.product.runtime, user, login, PASSWORD)
        tell(self.product.runtime, account)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with self.product.runtime.db.read() as connection:
                if stored.status(connection, account.id, "imap").mode.startswith("push"):
                    break
            time.sleep(0.2)
        return account

    def _first_key(self, account: Account) -> MessageKey:
        with self.product.runtime.mailbox(account.id, account.generation).read() as connection:
            inbox = folders.by_name(connection, "INBOX")
            assert inbox is not None
            return MessageKey(account.id, "INBOX", inbox.uidvalidity, messages.uids(connection, inbox.id)[0])

    def _place_bombs(self) -> dict[str, list[str]]:
        """Anna's other account holds every bomb, put there without being read; the pages that open them."""
        runtime = self.product.runtime
        account = seed.account(runtime, self.anna, "anna.oud@noordlicht.example")
        found: dict[str, list[str]] = {}
        with runtime.mailbox(account.id, account.generation).write() as connection:
            inbox = folders.by_name(connection, "INBOX")
            assert inbox is not None
            uid = 0
            for kind, raws in bombs.openable().items():
                found[kind] = []
                for raw in raws:
                    uid += 1
                    _store(connection, inbox.id, uid, kind, raw, runtime.clock.now())
                    key = MessageKey(account.id, "INBOX", seed.UIDVALIDITY, uid)
                    found[kind] += [f"/messages/{key}?view=text", f"/messages/{key}", f"/messages/{key}/body"]
        return found


def _store(connection: Any, folder: int, uid: int, subject: str, raw: bytes, at: Any) -> None:
    people = (Correspondent("Eva", "eva@klant.example"),)
    seconds = int(at.timestamp())
    envelope = Envelope(
        uid, frozenset(), seconds, len(raw), seconds, subject, people, (), people, (), (),
        f"<{uid}@x.example>", "", (), False, False,
    )  # fmt: skip
    messages.insert_envelopes(connection, folder, [envelope])
    found = messages.find(connection, "INBOX", seed.UIDVALIDITY, uid)
    assert found is not None
    bodies.put(connection, found["id"], bodies.pack(raw), len(raw), "", at)


def _tell(attack: Attack) -> dict[str, Any]:
    quiet, attacked = statistics.median(attack.quiet), statistics.median(attack.attacked)
    reference = attack.name.startswith("an ordinary")
    wrong = [] if reference else attack.wrong()
    web, room, children = (max(each[n] for each in attack.memory) for n in (1, 2, 3))
    slowest = dict(sorted(attack.costs.items(), key=lambda each: -each[1])[:10])
    print(
        f"{attack.name}: pages of another p95 {quiet:.0f} ms quiet, {attacked:.0f} ms attacked, "
        f"{attack.ratio:.1f} times (goal <= {MOST:.0f}{', only told' if reference else ''}), slowest "
        f"{attack.worst:.0f} ms; highest MB: web {web:.0f}, mailroom {room:.0f}, children {children:.0f}",
        flush=True,
    )
    for words in wrong:
        print(f"    WRONG: {words}", flush=True)
    for name, seconds in list(slowest.items())[:3]:
        print(f"    {seconds:6.2f} s  {name}", flush=True)
    return {
        "figure": f"attack: {attack.name}", "runs": len(attack.quiet), "wrong": len(wrong),
        "goal": f"<= {MOST:.0f} x quiet", "met": not wrong, "slowest": slowest,
        "p95_ms": {attack.name: [quiet, attacked]},
        "mail_again": {attack.name: max(attack.arrivals)} if attack.arrivals else {},
        "memory_mb": {
            f"{attack.name}: {name}": [each[n] for each in attack.memory]
            for n, name in ((1, "web worker"), (2, "mailroom"), (3, "children"))
        },
        "slowest_page_ms": round(attack.worst), "pages_refused": attack.refused,
        "went_on_s": attack.recovered, "web_workers_died": attack.deaths, "unanswered": attack.unanswered,
    }  # fmt: skip
