"""`python -m bench`: figures, ratios and JSON."""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import flatness, idling, live, mailboxes, measures, moved, parsing, peers, slow_line
from soinbox_web.model.account import Account
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime
from tests.real.accounts import add_account
from tests.servers.dovecot import PROGRAM, Dovecot
from tests.servers.mailbox import RealMailbox

PASSWORD = "lampje-voor-anna"
REST = {
    "parsing": parsing.run,
    "flatness": flatness.run,
    "live": live.run,
    "idling": idling.run,
    "slow": slow_line.run,
    "moved": moved.run,
}
PARTS = ("envelopes", *REST)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "--sizes", default="1000,10000", help="messages in INBOX, comma separated (also 100000)"
    )
    parser.add_argument("--parts", default=",".join(PARTS), help="comma separated: %(default)s")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args()
    if PROGRAM is None:
        print("Dovecot is not installed: nothing can be measured.", file=sys.stderr)
        return 1
    chosen = options.parts.split(",")
    figures: dict[str, Any] = {"machine": {"cores": os.cpu_count()}}
    if "envelopes" in chosen:
        figures["envelopes"] = []
        for size in (int(text) for text in options.sizes.split(",")):
            figures["envelopes"].append(_one(size))
            print(_table(figures["envelopes"][-1]), flush=True)
    for name, run in REST.items():
        if name in chosen:
            figures[name] = run()
            print("\n".join([f"\n{name}", *_goals(figures[name]["ratios"])]), flush=True)
    text = json.dumps(figures, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")
    return 0


def _one(size: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        ca = Authority()
        server = Dovecot(ca, max_connections=50).start()
        runtime = measures.instance(Path(folder), ca)
        try:
            return _measure(runtime, server, size)
        finally:
            runtime.close()
            server.close()


def _measure(runtime: Runtime, server: Dovecot, size: int) -> dict[str, Any]:
    address = f"anna{size}@noordlicht.example"
    server.add_user(address, PASSWORD)
    maildir = server.maildir(address, "INBOX")
    owner = maildir.stat()
    began = time.perf_counter()
    mailboxes.fill(maildir, size, (owner.st_uid, owner.st_gid))
    generated = time.perf_counter() - began
    account = add_account(runtime, RealMailbox(address, PASSWORD, server, None))  # type: ignore[arg-type]

    peers.bare_socket(server, address, PASSWORD)  # fills the server's own cache
    runs = 3 if size <= 10_000 else 1
    floor = measures.best(runs, lambda: peers.bare_socket(server, address, PASSWORD))
    ours = measures.best(runs, lambda: measures.everything(runtime, account))
    theirs = measures.best(1 if size > 2000 else 2, lambda: peers.imap_tools_all(server, address, PASSWORD))
    with tempfile.TemporaryDirectory(prefix="bench-rows-") as scratch:
        rows = [_rows_alone(runtime, account, Path(scratch) / str(run)) for run in range(runs)]
    alone = measures.Taken(min(run.wall for run in rows), min(run.cpu for run in rows))
    longest = runtime.mailbox(account.id, account.generation).longest_write
    refresh_ms, trips, received = measures.refresh(runtime, account, 100)
    pages = measures.list_page(runtime, account, 200)
    bodies = _bodies(runtime, server, address, account, size) if size <= 10_000 else {}
    page = statistics.median(measures.first_page(runtime, account) for _ in range(5))
    with peers.signed_in(server, address, PASSWORD) as box:
        their_page = measures.timed(lambda: peers.imap_tools_page(box)).wall
    return {
        "messages": size,
        "generated_seconds": round(generated, 2),
        "envelopes": {
            "soinbox, rows alone": _speed(alone, size),
            "soinbox": _speed(ours, size),
            "bare socket": _speed(floor, size),
            "imap-tools": _speed(theirs, size),
            "longest_write_ms": round(longest * 1000, 1),
        },
        "first_page_ms": {"soinbox": round(page * 1000, 1), "imap-tools": round(their_page * 1000, 1)},
        "refresh_unchanged": {"ms": round(refresh_ms, 2), "round_trips": trips, "bytes": round(received)},
        "list_page_p50_ms": {name: round(value, 3) for name, value in pages.items()},
        "bodies_seconds": bodies,
        "ratios": {
            "rows: times faster than imap-tools": [round(theirs.wall / alone.wall, 1), ">=", 8],
            "rows: times less CPU than imap-tools": [round(theirs.cpu / alone.cpu, 1), ">=", 10],
            "rows: wall time of the bare socket's": [round(alone.wall / floor.wall, 2), "<=", 1.6],
            "complete: wall time of the rows alone": [round(ours.wall / alone.wall, 2), "<=", 2.2],
            "first page: times faster than imap-tools": [round(their_page / page, 1), ">=", 4],
            "first page: ms": [round(page * 1000, 1), "<=", 150],
            "refresh: ms": [round(refresh_ms, 2), "<=", 1.5],
            "refresh: round trips": [trips, "<=", 1],
            "refresh: bytes": [received, "<=", 1000],
            "longest write: ms": [round(longest * 1000, 1), "<=", 50],
            **(
                {"bodies: wall time of mbsync's": [round(bodies["soinbox"] / bodies["mbsync"], 2), "<=", 1.5]}
                if bodies
                else {}
            ),
        },
    }


def _rows_alone(runtime: Runtime, account: Account, folder: Path) -> measures.Taken:
    folder.mkdir()
    return measures.timed(lambda: measures.rows_alone(runtime, account, folder))


def _bodies(runtime: Runtime, server: Dovecot, address: str, account: Account, size: int) -> dict[str, float]:
    """Whole messages, beside mbsync; empty without it."""
    if shutil.which("mbsync") is None:
        print("mbsync is not installed: bodies are left out.", file=sys.stderr)
        return {}
    with tempfile.TemporaryDirectory(prefix="bench-mbsync-") as scratch:
        theirs = measures.timed(lambda: peers.mbsync(server, address, PASSWORD, Path(scratch) / "copy"))
    ours = measures.timed(lambda: measures.bodies(runtime, account, size))
    return {"soinbox": round(ours.wall, 2), "mbsync": round(theirs.wall, 2)}


def _speed(taken: measures.Taken, size: int) -> dict[str, float]:
    return {
        "seconds": round(taken.wall, 3),
        "per_second": round(size / taken.wall),
        "cpu_us_per_message": round(taken.cpu / size * 1e6, 1),
    }


def _table(figures: dict[str, Any]) -> str:
    lines = [f"\n{figures['messages']:,} messages"]
    for name in ("bare socket", "soinbox, rows alone", "soinbox", "imap-tools"):
        speed = figures["envelopes"][name]
        lines.append(
            f"  envelopes, {name:<22}{speed['per_second']:>9,}/s"
            f" {speed['cpu_us_per_message']:>9.1f} µs CPU each"
        )
    for name, ms in figures["first_page_ms"].items():
        lines.append(f"  first page, {name:<21}{ms:>9.1f} ms")
    refresh = figures["refresh_unchanged"]
    lines.append(
        f"  refresh, nothing changed         {refresh['ms']:>9.2f} ms,"
        f" {refresh['round_trips']:.0f} round trip, {refresh['bytes']} bytes"
    )
    for name, ms in figures["list_page_p50_ms"].items():
        lines.append(f"  {'list, ' + name:<33}{ms:>9.3f} ms (p50)")
    return "\n".join([*lines, *_goals(figures["ratios"])])


def _goals(ratios: dict[str, Any]) -> list[str]:
    lines = []
    for name, (figure, relation, goal) in ratios.items():
        met = figure >= goal if relation == ">=" else figure <= goal
        lines.append(f"  {name:<62}{figure:>9,.2f}  {relation} {goal:<6} {'met' if met else 'MISSED'}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
