"""From the server's notice to the eyes of a reader, and what open tabs and backfills cost everybody else."""

import os
import select
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import sync_playwright

from bench import mailboxes
from bench.measures import median_ms
from bench.reader import PAGE, Browser, need_rows
from soinbox_web.model.account import Account
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.services import sync
from soinbox_web.store import accounts, folders
from tests import parts
from tests.browser.page import ARGUMENTS, new_context
from tests.real.accounts import add_user, connect_account, tell
from tests.servers.dovecot import Dovecot
from tests.servers.mailbox import RealMailbox
from tests.servers.soinbox import Soinbox, on_loopback

PASSWORD = "lampje-voor-anna"
ADDRESS = "anna@noordlicht.example"
ARRIVALS = 20
REQUESTS = 60
TABS = 200
BACKFILLS, BACKFILL = 10, 15_000  # accounts, messages each

# In the page: remembers when a subject is first drawn.
WATCH = """() => {
  window.drawn = {};
  new MutationObserver(() => {
    for (const row of document.querySelectorAll('.rows li')) {
      const found = /Aankomst \\d+/.exec(row.textContent);
      if (found && !window.drawn[found[0]]) window.drawn[found[0]] = Date.now() / 1000;
    }
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


def run(size: int = 10_000) -> dict[str, Any]:
    """The whole product on real Dovecot, one open browser, then many open tabs, then backfills beside it."""
    with tempfile.TemporaryDirectory(prefix="bench-live-") as folder, _product(Path(folder), size) as given:
        product, server, account, cookie = given
        rows, seen = _arrivals(product, server, account, cookie)
        path = f"/inbox/{account.id}"
        alone = _page_ms(product, cookie, path)
        with_tabs, kb_each = _with_tabs(product, cookie, path)
        alone_again = _page_ms(product, cookie, path)
        with_backfills, stored = _with_backfills(product, server, cookie, path)
    return {
        "ms": {
            "notice to row, p50": round(rows[len(rows) // 2], 1),
            "notice to row, p95": round(rows[len(rows) * 95 // 100], 1),
            "notice to an open page, p50": round(seen[len(seen) // 2], 1),
            "notice to an open page, p95": round(seen[len(seen) * 95 // 100], 1),
            "page, p50, alone": round(alone, 2),
            f"page, p50, {TABS} tabs open": round(with_tabs, 2),
            f"page, p50, {BACKFILLS} backfills": round(with_backfills, 2),
        },
        "backfilled_meanwhile": stored,
        "ratios": {
            "notice to row, p50: ms": [round(rows[len(rows) // 2], 1), "<=", 5],
            "notice to an open page, p50: ms": [round(seen[len(seen) // 2], 1), "<=", 150],
            f"page beside {TABS} open tabs: times alone": [round(with_tabs / alone, 2), "<=", 1.5],
            "an open tab: kB": [round(kb_each, 1), "<=", 50],
            f"page beside {BACKFILLS} backfills: times alone": [
                round(with_backfills / alone_again, 2), "<=", 1.5,
            ],
        },
    }  # fmt: skip


Given = tuple[Soinbox, Dovecot, Account, dict[str, str]]


@contextmanager
def _product(folder: Path, size: int) -> Iterator[Given]:
    ca = Authority()
    server = Dovecot(ca, max_connections=50).start()
    product = Soinbox(folder / "instance", on_loopback(ca, folder))
    try:
        member = product.add_member(ADDRESS, "Anna de Boer")
        account = _account(product, server, ADDRESS, size, member.id)
        sync.sync_once(product.runtime, account.id)
        product.start()
        _await(lambda: _mode(product, account) != "", 60)
        yield product, server, account, product.cookie(member)
    finally:
        product.close()
        server.close()


def _account(product: Soinbox, server: Dovecot, address: str, size: int, user: int) -> Account:
    server.add_user(address, PASSWORD)
    maildir = server.maildir(address, "INBOX")
    owner = maildir.stat()
    mailboxes.fill(maildir, size, (owner.st_uid, owner.st_gid))
    login = RealMailbox(address, PASSWORD, server, None).imap_login  # type: ignore[arg-type]
    made = connect_account(product.runtime, user, login, PASSWORD)
    tell(product.runtime, made)
    return made


def _arrivals(
    product: Soinbox, server: Dovecot, account: Account, cookie: dict[str, str]
) -> tuple[list[float], list[float]]:
    """Milliseconds from the notice (as another client that idles has it) to the row, and to the page."""
    notices, rows = _Notices(server), _Rows(product, account)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=parts.program("chromium"), args=list(ARGUMENTS))
        context = new_context(browser)
        context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(f"{product.url}/inbox/{account.id}")
        page.locator(".rows li").first.wait_for()
        page.evaluate(WATCH)
        page.wait_for_timeout(1500)
        for number in range(ARRIVALS):
            server.deliver(ADDRESS, _message(number))
            page.wait_for_timeout(1200)
        page.wait_for_timeout(1500)
        drawn: dict[str, float] = page.evaluate("window.drawn")
        browser.close()
    notices.over.set()
    rows.over.set()
    names = [f"Aankomst {number}" for number in range(ARRIVALS)]
    if len(notices.at) != ARRIVALS or set(names) - set(drawn) or set(names) - set(rows.at):
        raise RuntimeError(f"{len(notices.at)} notices, {len(rows.at)} rows, {len(drawn)} drawn")
    told = dict(zip(names, notices.at, strict=True))
    return (
        sorted((rows.at[name] - told[name]) * 1000 for name in names),
        sorted((drawn[name] - told[name]) * 1000 for name in names),
    )


def _message(number: int) -> bytes:
    return (
        f"From: Eva Smit <eva@klant.example>\r\nTo: {ADDRESS}\r\nSubject: Aankomst {number}\r\n"
        f"Message-ID: <aankomst{number}@klant.example>\r\n\r\nHallo.\r\n"
    ).encode()


class _Notices:
    """When a client that only idles hears EXISTS; seconds since 1970."""

    def __init__(self, server: Dovecot) -> None:
        self.at: list[float] = []
        self.over = threading.Event()
        raw = socket.create_connection(("127.0.0.1", server.imaps_port))
        self._line = server.client_context.wrap_socket(raw, server_hostname="localhost")
        for command, last in ((f'a LOGIN "{ADDRESS}" "{PASSWORD}"', b"a OK"), ("b EXAMINE INBOX", b"b OK")):
            self._say(command, last)
        self._say("c IDLE", b"+ ")
        threading.Thread(target=self._hear, daemon=True).start()

    def _say(self, command: str, last: bytes) -> None:
        self._line.sendall(command.encode() + b"\r\n")
        heard = b""
        while last not in heard:
            heard += self._line.recv(65_536)

    def _hear(self) -> None:
        while not self.over.is_set():
            if select.select([self._line], [], [], 0.2)[0] and b"EXISTS" in self._line.recv(65_536):
                self.at.append(time.time())


class _Rows:
    """When the row of a subject is first seen in the mailbox file, looked at each half millisecond."""

    def __init__(self, product: Soinbox, account: Account) -> None:
        self.at: dict[str, float] = {}
        self.over = threading.Event()
        self._mailbox = product.runtime.mailbox(account.id, account.generation)
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        version = -1
        while not self.over.wait(0.0005):
            now, current = time.time(), self._mailbox.data_version()
            if current != version:
                version = current
                with self._mailbox.read() as connection:
                    for row in connection.execute(
                        "SELECT subject FROM messages WHERE subject LIKE 'Aankomst %'"
                    ):
                        self.at.setdefault(row["subject"], now)


def _page_ms(product: Soinbox, cookie: dict[str, str], path: str) -> float:
    """The median of a page, asked for one after the other over one connection."""
    browser = Browser(product.port)

    def ask() -> None:
        page = browser.get(path, {"Cookie": f"{cookie['name']}={cookie['value']}"})
        need_rows(page.count(b'class="row-link"'), PAGE, page)

    try:
        return median_ms(REQUESTS, ask)
    finally:
        browser.close()


def _with_tabs(product: Soinbox, cookie: dict[str, str], path: str) -> tuple[float, float]:
    before = _web_memory(product)
    lines = []
    for _ in range(TABS):
        line = socket.create_connection(("127.0.0.1", product.port), timeout=10)
        line.sendall(
            f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{product.port}\r\n"
            f"Cookie: {cookie['name']}={cookie['value']}\r\n\r\n".encode()
        )
        if not line.recv(4096).startswith(b"HTTP/1.1 200"):
            raise RuntimeError("a stream was refused")
        lines.append(line)
    taken = _page_ms(product, cookie, path)
    each = (_web_memory(product) - before) / TABS / 1000
    for line in lines:
        line.close()
    time.sleep(1.0)
    return taken, each


def _with_backfills(
    product: Soinbox, server: Dovecot, cookie: dict[str, str], path: str
) -> tuple[float, int]:
    """The page while other accounts are fetched, and how many messages came meanwhile."""
    pattern = server.maildir("patroon@noordlicht.example", "INBOX")
    owner = pattern.stat()
    mailboxes.fill(pattern, BACKFILL, (owner.st_uid, owner.st_gid))
    made = []
    for number in range(BACKFILLS):
        address = f"nieuw{number}@noordlicht.example"
        maildir = server.maildir(address, "INBOX")
        for file in (pattern / "cur").iterdir():
            os.link(file, maildir / "cur" / file.name)
        made.append(_account(product, server, address, 0, add_user(product.runtime, address)))
    _await(lambda: sum(_stored(product, each) for each in made) > 0, 60)
    before = sum(_stored(product, each) for each in made)
    taken = _page_ms(product, cookie, path)
    after = sum(_stored(product, each) for each in made)
    if after >= BACKFILLS * BACKFILL:
        raise RuntimeError("the backfills ended before the measurement did")
    return taken, after - before


def _stored(product: Soinbox, account: Account) -> int:
    mailbox = product.runtime.mailbox(account.id, account.generation)
    with mailbox.read() as connection:
        inbox = folders.by_name(connection, "INBOX")
        if inbox is None:
            return 0
        return int(connection.execute("SELECT count(*) FROM messages").fetchone()[0])


def _web_memory(product: Soinbox) -> int:
    """Bytes of the web server's processes, the mailroom left out."""
    parent = psutil.Process(product.pid)
    return sum(
        process.memory_info().rss
        for process in parent.children(recursive=True)
        if "workers" not in " ".join(process.cmdline())
    )


def _mode(product: Soinbox, account: Account) -> str:
    with product.runtime.db.read() as connection:
        return accounts.status(connection, account.id, "imap").mode


def _await(holds: Any, within: float) -> None:
    end = time.monotonic() + within
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError(f"not within {within:.0f} s")
        time.sleep(0.05)
