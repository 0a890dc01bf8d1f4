"""`make film`: a mailbox of 100,000 messages opened on a cold instance, as a strip of pictures and times.

Set-up from the address, the first page, reading and searching while it fills, a page deep down, the end.
"""

import argparse
import base64
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench import mailboxes
from soinbox_web.rehearsal.autoconfig import client_config
from soinbox_web.rehearsal.behaviour import SmtpBehaviour
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.rehearsal.name_server import NameServer
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from tests import parts
from tests.browser.page import ARGUMENTS, new_context
from tests.servers.dovecot import Dovecot
from tests.servers.noordlicht import DOMAIN, HOST
from tests.servers.soinbox import Soinbox, on_loopback

STRIP = Path(__file__).parents[2] / "docs" / "pictures" / "hundred-thousand.png"
ADDRESS, PASSWORD = f"anna@{DOMAIN}", "lampje-voor-anna"
LONGEST = 600  # seconds until everything has to be here
STYLE = """
  body { margin: 0; padding: 16px; width: 1480px; font: 15px sans-serif; background: #eef1f0; color: #16211e }
  main { display: grid; grid-template-columns: repeat(3, 1fr); gap: 14px }
  figure { margin: 0; background: #fff; border-radius: 10px; padding: 8px }
  img { width: 100%; border-radius: 6px; display: block } figcaption { padding: 8px 2px 2px }
"""


@dataclass
class Film:
    """Pictures with what they show, and the seconds since the password was sent."""

    page: Page
    began: float = 0.0
    frames: list[tuple[str, bytes]] | None = None

    def shoot(self, words: str) -> None:
        self.frames = self.frames or []
        at = f"{time.monotonic() - self.began:.1f} s · " if self.began else ""
        print(f"{at}{words}", flush=True)
        self.frames.append((f"{at}{words}", self.page.screenshot(type="jpeg", quality=62)))


def main() -> int:
    parser = argparse.ArgumentParser(prog="film", description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--strip", type=Path, default=STRIP)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="film-") as folder, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=parts.program("chromium"), args=list(ARGUMENTS))
        frames = _shoot_all(Path(folder), browser, options.messages)
        _compose(browser, frames, options.strip)
        browser.close()
    return 0


def _shoot_all(folder: Path, browser: Browser, count: int) -> list[tuple[str, bytes]]:
    ca = Authority()
    server = Dovecot(ca, HOST, max_connections=20).start()
    server.add_user(ADDRESS, PASSWORD)
    maildir = server.maildir(ADDRESS, "INBOX")
    owner = maildir.stat()
    mailboxes.fill(maildir, count, (owner.st_uid, owner.st_gid))
    smtp = ScriptedSmtp(SmtpBehaviour(tls="implicit", certificate=ca.issue(HOST))).start()
    file = client_config(DOMAIN, HOST, server.imaps_port, HOST, smtp.port, "SSL")
    (folder / f"{DOMAIN}.xml").write_text(file)
    names = NameServer({(DOMAIN, "MX"): f"10 {HOST}.", (HOST, "A"): "127.0.0.1"}).start()
    product = Soinbox(
        folder / "instance",
        {
            **on_loopback(ca, folder),
            "DNS_SERVERS": f"{names.host}:{names.port}",
            "AUTOCONFIG_DIR": str(folder),
        },
    ).start()
    try:
        member = product.add_member(ADDRESS, "Anna de Vries")
        context = new_context(browser)
        context.add_cookies([product.cookie(member)])
        film = Film(context.new_page())
        film.page.set_default_timeout(60_000)
        _walk(film, product.url, count)
        assert film.frames is not None
        return film.frames
    finally:
        product.close()
        names.stop()
        smtp.stop()
        server.close()


def _walk(film: Film, url: str, count: int) -> None:
    page = film.page
    page.goto(f"{url}/setup")
    page.fill("#address", ADDRESS)
    page.get_by_role("button", name="Next").click()
    page.locator("#password").wait_for()
    film.shoot("The provider is known; one password to type")
    page.fill("#password", PASSWORD)
    film.began = time.monotonic()
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/inbox/*")
    page.locator(".rows li").nth(10).wait_for()
    film.shoot("The newest messages are there")
    page.locator(".rows li a").first.click()
    page.locator(".message-date").wait_for()
    page.wait_for_timeout(500)
    film.shoot("Reading while the rest arrives")
    page.wait_for_timeout(4000)
    film.shoot("Progress is told, the list stands still")
    page.locator(".search-words").fill("offerte klant")
    page.locator(".search-coverage, .rows li").first.wait_for()
    page.wait_for_timeout(1500)
    film.shoot("Searching meanwhile; what is not here is asked of the server")
    page.locator(".search-words").fill("")
    page.wait_for_timeout(800)
    end = time.monotonic() + LONGEST
    while page.locator(".list-progress").count():
        if time.monotonic() > end:
            raise RuntimeError("not complete in time")
        page.wait_for_timeout(250)
        if not page.locator(".list-progress").count():
            break
    film.shoot(f"All {count:,} are here")
    for _ in range(5):
        page.locator(".rows-end a", has_text="Older").click()
        page.wait_for_timeout(250)
    film.shoot("Paging down")
    page.locator(".search-words").fill("kamer")
    page.wait_for_timeout(1200)
    film.shoot("Searching all of it")


def _compose(browser: Browser, frames: list[tuple[str, bytes]], strip: Path) -> None:
    figures = "".join(
        f'<figure><img src="data:image/jpeg;base64,{base64.b64encode(shot).decode()}">'
        f"<figcaption>{words}</figcaption></figure>"
        for words, shot in frames
    )
    page = browser.new_page(viewport={"width": 1512, "height": 900})
    page.set_content(f"<style>{STYLE}</style><main>{figures}</main>")
    page.wait_for_timeout(500)
    strip.write_bytes(page.screenshot(full_page=True, type="png"))
    page.close()


if __name__ == "__main__":
    sys.exit(main())
