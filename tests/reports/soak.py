"""`make soak`: many accounts, many arrivals, a server restarted at random, and what the mailroom costs.

Two Dovecots serve half of the accounts each. One stays well; the other is killed, restarted and stopped for
some seconds, again and again. Mail arrives at both all the time, straight into Maildirs. The mailroom is the
product's own process; once a second its memory, threads and file handles are read. At the end the verifier
compares every account with its server, UIDs and flags. It ends by itself.
"""

import argparse
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import psutil

from soinbox_web.model.account import Account
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.store import accounts as stored
from tests.real.accounts import add_account, tell
from tests.servers.dovecot import PROGRAM, Dovecot
from tests.servers.mailbox import RealMailbox
from tests.servers.soinbox import Soinbox, on_loopback
from tests.trust import verifier

PASSWORD = "lampje-voor-iedereen"
TRACKED = 10  # one arrival in so many is timed
SETTLED = 120.0  # seconds that all may take to be current at the end
PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "soak.svg"


@dataclass
class Member:
    """One account and the server that holds its mail."""

    address: str
    server: Dovecot
    account: Account


@dataclass
class Soak:
    """What was measured: samples of (second, megabytes, threads, handles, waiting arrivals), and delays."""

    samples: list[tuple[float, float, int, int, int]] = field(default_factory=list)
    delays: dict[str, list[float]] = field(default_factory=lambda: {"well": [], "restarted": []})
    pending: dict[str, tuple[Member, float]] = field(default_factory=dict)
    delivered: int = 0
    restarts: list[str] = field(default_factory=list)
    well: Dovecot | None = None  # the server that nothing happens to


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--accounts", type=int, default=50)
    parser.add_argument("--arrivals", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args(arguments)
    if PROGRAM is None:
        print("Dovecot is not installed: nothing can be soaked.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        figures, soak = run(Path(folder), options.accounts, options.arrivals, options.minutes * 60)
    for name, value in figures.items():
        print(f"{name:<58}{value}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    options.picture.write_text(picture(soak, figures))
    return 0 if figures["accounts that differ from their server"] == 0 else 1


def run(folder: Path, count: int, arrivals: int, seconds: float) -> tuple[dict[str, Any], Soak]:
    """The whole soak; figures and what they were made of."""
    ca = Authority()
    well, restarted = (Dovecot(ca, max_connections=20).start() for _ in range(2))
    product = Soinbox(folder / "instance", on_loopback(ca, folder), command="mailroom").start()
    soak = Soak(well=well)
    try:
        process = psutil.Process(product.pid)
        time.sleep(3)
        empty = process.memory_info().rss
        members = [
            _member(product, (well, restarted)[n % 2], f"lid{n}@noordlicht.example") for n in range(count)
        ]
        _await(lambda: _connected(product, members), SETTLED)
        time.sleep(5)
        quiet = process.memory_info().rss
        idle = {"threads": process.num_threads(), "handles": process.num_fds()}
        _storm(soak, product, process, members, restarted, arrivals, seconds)
        began = time.monotonic()
        _await(lambda: not _look(soak, product), SETTLED)
        settled = time.monotonic() - began
        time.sleep(3)
        wrong = {
            m.address: w for m in members if (w := verifier.differences(product.runtime, m.account, m.server))
        }
        for address, words in list(wrong.items())[:5]:
            print(f"    WRONG: {address}: {'; '.join(words[:3])}")
        return _figures(soak, count, wrong, settled, (quiet - empty) / count / 1000, idle), soak
    finally:
        product.close()
        well.close()
        restarted.close()


def _member(product: Soinbox, server: Dovecot, address: str) -> Member:
    server.add_user(address, PASSWORD)
    server.maildir(address, "INBOX")
    account = add_account(product.runtime, RealMailbox(address, PASSWORD, server, None))  # type: ignore[arg-type]
    tell(product.runtime, account)
    return Member(address, server, account)


def _connected(product: Soinbox, members: Sequence[Member]) -> bool:
    with product.runtime.db.read() as connection:
        return all(stored.status(connection, m.account.id, "imap").mode.startswith("push") for m in members)


def _storm(
    soak: Soak,
    product: Soinbox,
    process: psutil.Process,
    members: Sequence[Member],
    server: Dovecot,
    arrivals: int,
    seconds: float,
) -> None:
    """Deliver evenly, disturb one server, look once a second."""
    over = threading.Event()
    disturbing = threading.Thread(target=_disturb, args=(soak, server, over), daemon=True)
    disturbing.start()
    began, looked, dice = time.monotonic(), 0.0, random.Random(4)
    while (elapsed := time.monotonic() - began) < seconds:
        while soak.delivered < arrivals * elapsed / seconds:
            _deliver(soak, dice.choice(members))
        if elapsed - looked >= 1.0:
            looked = elapsed
            _look(soak, product)
            memory = process.memory_info().rss / 1e6
            soak.samples.append(
                (elapsed, memory, process.num_threads(), process.num_fds(), len(soak.pending))
            )
        time.sleep(0.02)
    over.set()


def _deliver(soak: Soak, member: Member) -> None:
    soak.delivered += 1
    name = f"<{soak.delivered}@soak.example>"
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Message-ID"] = "eva@klant.example", member.address, name
    message["Subject"] = f"Bericht {soak.delivered}"
    message.set_content("Hallo.\n" * 20)
    member.server.deliver(member.address, message.as_bytes())
    if soak.delivered % TRACKED == 0:
        soak.pending[name] = (member, time.monotonic())


def _look(soak: Soak, product: Soinbox) -> int:
    """Which timed arrivals have a row by now; how many have not."""
    for name, (member, at) in list(soak.pending.items()):
        mailbox = product.runtime.mailbox(member.account.id, member.account.generation)
        with mailbox.read() as connection:
            if connection.execute("SELECT 1 FROM messages WHERE message_id = ?", (name,)).fetchone():
                soak.delays["well" if member.server is soak.well else "restarted"].append(
                    time.monotonic() - at
                )
                del soak.pending[name]
    return len(soak.pending)


def _disturb(soak: Soak, server: Dovecot, over: threading.Event) -> None:
    """Kill, restart or stop the server for a while, with pauses in between."""
    dice = random.Random(5)
    while not over.wait(dice.uniform(12, 25)):
        how = dice.choice(("kill", "restart", "stop"))
        soak.restarts.append(how)
        if how in ("kill", "restart"):
            server.kill() if how == "kill" else server.stop()
            _start(server)
        else:
            children = [process.pid for process in psutil.Process(server.pid).children(recursive=True)]
            for number in (signal.SIGSTOP, signal.SIGCONT):
                for pid in (server.pid, *children):
                    _signal(pid, number)
                if number == signal.SIGSTOP:
                    over.wait(8)
    threading.Event().wait()  # a server that this thread has started ends with it (PR_SET_PDEATHSIG)


def _start(server: Dovecot) -> None:
    """Start it again; the port of one just killed may be taken for a moment."""
    for _ in range(20):
        try:
            server.start()
            return
        except RuntimeError:
            server.kill()
            time.sleep(0.5)
    raise RuntimeError("the server does not come back")


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _await(holds: Any, within: float) -> None:
    end = time.monotonic() + within
    while not holds():
        if time.monotonic() > end:
            print(f"    not within {within:.0f} s", file=sys.stderr)
            return
        time.sleep(0.5)


def _figures(
    soak: Soak, count: int, wrong: dict[str, list[str]], settled: float, idle_kb: float, idle: dict[str, int]
) -> dict[str, Any]:
    third = max(1, len(soak.samples) // 3)

    def change(place: int) -> str:
        first = statistics.median(sample[place] for sample in soak.samples[:third])
        last = statistics.median(sample[place] for sample in soak.samples[-third:])
        return f"{first:.0f} → {last:.0f}"

    def delay(which: str) -> str:
        found = sorted(soak.delays[which]) or [0.0]
        return f"{found[len(found) // 2]:.2f} / {found[len(found) * 95 // 100]:.2f} / {found[-1]:.1f}"

    return {
        "accounts": count,
        "arrivals": soak.delivered,
        "restarts of one server (kill, restart, stop for 8 s)": len(soak.restarts),
        "accounts that differ from their server": len(wrong),
        "all current after the end, seconds": round(settled, 1),
        "delay, server well: p50 / p95 / max, seconds": delay("well"),
        "delay, server restarted: p50 / p95 / max, seconds": delay("restarted"),
        "quiet: kB each (TLS, goal <= 100)": round(idle_kb, 1),
        "quiet: threads / file handles": f"{idle['threads']} / {idle['handles']}",
        "memory, first third → last third, MB": change(1),
        "threads, first third → last third": change(2),
        "file handles, first third → last third": change(3),
    }


def picture(soak: Soak, figures: dict[str, Any]) -> str:
    """The curves as an SVG: memory, threads, file handles and waiting arrivals over time."""
    width, height, parts = 860, 120, []
    names = ("memory, MB", "threads", "file handles", "timed arrivals without a row")
    end = max((sample[0] for sample in soak.samples), default=1.0)
    for row, name in enumerate(names):
        values = [float(sample[row + 1]) for sample in soak.samples] or [0.0]
        top = max([*values, 1.0])
        base, right = row * height + 100, width - 20
        points = " ".join(
            f"{60 + sample[0] / end * (right - 60):.1f},{base - float(sample[row + 1]) / top * 75:.1f}"
            for sample in soak.samples
        )
        parts.append(
            f'<text x="60" y="{base - 82}" font-size="12">{name} (highest {top:.0f})</text>'
            f'<line x1="60" y1="{base}" x2="{right}" y2="{base}" stroke="#84938e"/>'
            f'<polyline points="{points}" fill="none" stroke="#0c6b5b" stroke-width="1.5"/>'
        )
    title = f"{figures['accounts']} accounts, {figures['arrivals']} arrivals, {end:.0f} s"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height * len(names) + 30}" '
        f'font-family="sans-serif" fill="#16211e"><rect width="100%" height="100%" fill="#ffffff"/>'
        f"{''.join(parts)}"
        f'<text x="60" y="{height * len(names) + 18}" font-size="12">{title}</text></svg>\n'
    )


if __name__ == "__main__":
    sys.exit(main())
