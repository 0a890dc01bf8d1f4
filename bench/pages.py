"""`python -m bench.pages`: the pages of soinbox beside Roundcube's, on one Dovecot and one mailbox."""

import argparse
import html
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench import mailboxes, measures, reader
from bench.reader import PAGE, WORDS, Browser, first, need_rows
from bench.roundcube import PACKAGES, Roundcube, RoundcubeReader, missing
from soinbox_web.model.account import Account
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.services import fetching, sync
from tests.real.accounts import connect_account
from tests.servers.dovecot import PROGRAM, Dovecot
from tests.servers.mailbox import RealMailbox
from tests.servers.soinbox import Soinbox, on_loopback

ADDRESS, PASSWORD = "anna@noordlicht.example", "lampje-voor-anna"
MEMBER_PASSWORD = "licht aan in huis"  # what `add_member` gives
GOALS: dict[int, dict[str, float]] = {  # times faster; requests a second for `throughput`
    1_000: {"list": 6, "search": 5, "show": 4, "show again": 4, "throughput": 10},
    10_000: {"list": 10, "search": 25, "show": 10, "show again": 10},
    100_000: {"list": 80, "search": 150, "show": 70, "show again": 70, "throughput": 60},
}
LEFT_OUT = f"""
  ┌─────────────────────────────────────────────────────────────────────────────
  │ LEFT OUT: Roundcube. Without it there is nothing to compare with.
  │ Install with: apt-get install --no-install-recommends {PACKAGES}
  └─────────────────────────────────────────────────────────────────────────────
"""


class SoinboxReader:
    """Somebody signed in to soinbox, asking what its own htmx asks."""

    def __init__(self, port: int, account_id: int, rows: int) -> None:
        self._browser = Browser(port)
        self._path = f"/inbox/{account_id}"
        self._rows = min(rows, PAGE)
        token = first(r'name="csrf_token"[^>]* value="([^"]+)"', self._browser.get("/sign-in"))
        form = {"csrf_token": token, "address": ADDRESS, "password": MEMBER_PASSWORD}
        self._browser.post("/sign-in", form, expected=(303,))

    def list_rows(self) -> list[str]:
        return self._listed({})

    def search(self, word: str) -> None:
        page = self._partial({"folder": "INBOX", "q": word}, "section#message-list")
        if b'class="search-coverage' in page:
            raise RuntimeError("bodies are missing: the server is searched as well")
        need_rows(page.count(b'<li class="row'), self._rows, page)

    def show(self, name: str) -> None:
        """The reading pane, and the frame in it when the message is HTML."""
        page = self._partial({"message": name}, "section#message-pane")
        if b'class="message-text"' in page:
            return
        frame = html.unescape(first(r'<iframe class="message-frame"[^>]* src="([^"]+)"', page))
        if b"<p>" not in self._browser.get(frame, {"Sec-Fetch-Dest": "iframe"}):
            raise RuntimeError(f"the frame of message {name} is empty")

    def close(self) -> None:
        self._browser.close()

    def _listed(self, query: dict[str, str]) -> list[str]:
        page = self._partial(query, "section#message-list")
        found = re.findall(rb'name="key" value="([^"]+)"', page)
        need_rows(len(found), self._rows, page)
        return [key.decode() for key in found]

    def _partial(self, query: dict[str, str], target: str) -> bytes:
        headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": target}
        page = self._browser.get(f"{self._path}?{urlencode(query)}", headers)
        if f'id="{target.partition("#")[2]}"'.encode() not in page[:1000]:
            raise RuntimeError(f"not the partial {target}: {page[:600]!r}")
        return page


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.pages", description=__doc__)
    parser.add_argument("--size", type=int, default=1000, choices=sorted(GOALS), help="messages in INBOX")
    parser.add_argument("--times", type=int, default=40, help="repetitions of each page")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args()
    if PROGRAM is None:
        print("Dovecot is not installed: nothing can be measured.", file=sys.stderr)
        return 1
    figures = measure(options.size, options.times)
    print(table(figures), flush=True)
    if options.json:
        options.json.write_text(
            json.dumps({"machine": {"cores": os.cpu_count()}, **figures}, indent=2) + "\n"
        )
    return 0


def measure(size: int, times: int) -> dict[str, Any]:
    """Soinbox, then Roundcube without and with its caches, each alone on the machine."""
    with tempfile.TemporaryDirectory(prefix="bench-pages-") as folder:
        ca = Authority()
        server = Dovecot(ca, max_connections=50).start()
        try:
            server.add_user(ADDRESS, PASSWORD)
            maildir = server.maildir(ADDRESS, "INBOX")
            owner = maildir.stat()
            mailboxes.fill(maildir, size, (owner.st_uid, owner.st_gid))
            pages = {"soinbox": _soinbox(Path(folder), ca, server, size, times)}
            if not missing():
                for name, cached in (("Roundcube", False), ("Roundcube, cached", True)):
                    pages[name] = _roundcube(server, size, times, cached=cached)
        finally:
            server.close()
    return {"messages": size, "repetitions": times, "pages": pages, "ratios": _ratios(size, pages)}


def _soinbox(folder: Path, ca: Authority, server: Dovecot, size: int, times: int) -> dict[str, float]:
    """The product with everything synchronised before it is started, mailroom included."""
    product = Soinbox(folder / "instance", on_loopback(ca, folder))
    try:
        account = _account(product, server)
        sync.sync_once(product.runtime, account.id)
        measures.bodies(product.runtime, account, size)
        while fetching.tidy(product.runtime, account):
            pass
        product.start()
        return reader.measure(lambda: SoinboxReader(product.port, account.id, size), times)
    finally:
        product.close()


def _account(product: Soinbox, server: Dovecot) -> Account:
    """The mailbox as an account of a member who can sign in."""
    member = product.add_member(ADDRESS, "Anna de Vries")
    login = RealMailbox(ADDRESS, PASSWORD, server, None).imap_login  # type: ignore[arg-type]
    return connect_account(product.runtime, member.id, login, PASSWORD)


def _roundcube(server: Dovecot, size: int, times: int, *, cached: bool) -> dict[str, float]:
    roundcube = Roundcube(server, cached=cached)
    try:
        roundcube.start()
        figures = reader.measure(lambda: RoundcubeReader(roundcube, ADDRESS, PASSWORD, size), times)
        one = RoundcubeReader(roundcube, ADDRESS, PASSWORD, size)
        one.refresh()
        figures["refresh"] = measures.median_ms(times, one.refresh)
        one.close()
        return figures
    except Exception:
        print(roundcube.log(), file=sys.stderr)
        raise
    finally:
        roundcube.close()


def _ratios(size: int, pages: dict[str, dict[str, float]]) -> dict[str, list[float | None]]:
    """(times better than the faster of both Roundcubes, goal) of each page; nothing without Roundcube."""
    ours = pages["soinbox"]
    others = [figures for name, figures in pages.items() if name != "soinbox"]
    if not others:
        return {}
    found: dict[str, list[float | None]] = {}
    for name, mine in ours.items():
        if name == "throughput":
            ratio = mine / max(figures[name] for figures in others)
        else:
            ratio = min(figures[name] for figures in others) / mine
        found[name] = [round(ratio, 1), GOALS[size].get(name)]
    return found


def table(figures: dict[str, Any]) -> str:
    pages, ratios = figures["pages"], figures["ratios"]
    lines = [f"\n{figures['messages']:,} messages, p50 of {figures['repetitions']}"]
    lines.append(f"  {'':<28}" + "".join(f"{name:>19}" for name in pages) + f"{'ratio':>10}")
    for name, label in (
        ("list", f"list of {PAGE} rows, ms"),
        ("search", f"search ({len(WORDS)} common words), ms"),
        ("show", "show a message, ms"),
        ("show again", "show it again, ms"),
        ("refresh", "refresh, ms"),
        ("throughput", f"list, {reader.CLIENTS} clients, 1/s"),
    ):
        if not any(name in measured for measured in pages.values()):
            continue
        line = f"  {label:<28}"
        line += "".join(
            f"{measured[name]:>19.1f}" if name in measured else f"{'–':>19}" for measured in pages.values()
        )
        if name in ratios:
            ratio, goal = ratios[name]
            verdict = "" if goal is None else f"  >= {goal:<5}{'met' if ratio >= goal else 'MISSED'}"
            line += f"{ratio:>9.1f}x{verdict}"
        lines.append(line)
    return "\n".join(lines) + ("" if ratios else "\n" + LEFT_OUT)


if __name__ == "__main__":
    sys.exit(main())
