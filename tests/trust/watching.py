"""Chromium in which nothing goes unseen: every script that was compiled, every host that was looked up.

Scripts are told by the debugger, which hears of each one before its first step; whom the browser looked for
by its own record of the network, which holds prefetched names and connections made ahead as well. All hosts
but 127.0.0.1 lead to a port of ours, so that nothing leaves the machine. A lasting profile is needed: a
private one never connects ahead.
"""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests import parts
from tests.browser.page import ARGUMENTS

_OFF = (
    "HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,NetworkTimeServiceQuerying,OptimizationHints,"
    "IsolateSandboxedIframes"  # one process for all frames: one debugger hears of all their scripts
)
_BROWSERS_OWN = ("null", "https://google.com", "https://googleapis.com", "https://gvt1.com")


@dataclass
class Seen:
    """What happened while one thing was looked at."""

    name: str
    began: float
    ended: float = 0.0
    scripts: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)  # why a page did not come
    asked: list[str] = field(default_factory=list)  # foreign addresses; known when the browser has ended
    ahead: list[str] = field(default_factory=list)  # look-ups of foreign names, connections made ahead too


class Nowhere:
    """A port of ours that stands for every host there is: it takes each call and says nothing."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0), backlog=500)
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._server.accept()
            except OSError:
                return
            caller.close()


class Watching:
    """One Chromium with one page; `looking(name)` tells what happened meanwhile."""

    def __init__(
        self, folder: Path, context: BrowserContext, own_port: int, javascript: bool, settle: float
    ) -> None:
        self.context, self._own_port, self._settle = context, own_port, settle
        self.page: Page = context.pages[0] if context.pages else context.new_page()
        self.page.set_default_timeout(15_000)
        self.seen: list[Seen] = []
        self._record = folder / "network.json"
        self._ours: set[str] = set()  # what Playwright itself runs, by its digest
        self._learning = False
        if javascript:
            debugger = context.new_cdp_session(self.page)
            debugger.on("Debugger.scriptParsed", self._script)
            debugger.send("Debugger.enable")
        context.on("page", lambda page: None if page == self.page else self._popup(page))

    def learn(self, url: str, run: str) -> Self:
        """On a page without scripts, whatever runs is ours; afterwards anything else is not."""
        self._learning = True
        self.page.goto(url)
        for frame in self.page.frames:
            frame.evaluate(run)
        self.page.wait_for_timeout(300)
        self._learning = False
        return self

    @contextmanager
    def looking(self, name: str) -> Iterator[Seen]:
        self.seen.append(Seen(name, time.time()))
        yield self.seen[-1]
        self.page.wait_for_timeout(self._settle * 1000)
        self.seen[-1].ended = time.time()

    def _script(self, event: dict[str, Any]) -> None:
        told = event.get("executionContextAuxData") or {}
        if not told.get("isDefault"):
            return
        if self._learning:
            self._ours.add(event["hash"])
        elif self.seen and event["hash"] not in self._ours and not self._products(event["url"]):
            self.seen[-1].scripts.append(f"{event['url'][-60:]}:{event['startLine']}")

    def _products(self, url: str) -> bool:
        """The product's own files, and the browser's own page of an error."""
        if url.startswith("chrome-error:"):
            return True
        return urlsplit(url).path.startswith("/static/") and urlsplit(url).port == self._own_port

    def _popup(self, page: Page) -> None:
        with suppress(Exception):
            page.close()

    def read_network(self) -> None:
        """Who was looked for, told to the `Seen` in whose time it was; only after the browser has ended."""
        record = json.loads(self._record.read_text())
        offset = record["constants"]["timeTickOffset"]
        names = {number: name for name, number in record["constants"]["logEventTypes"].items()}
        for event in record["events"]:
            kind, host = self._foreign(names[event["type"]], event.get("params", {}))
            if host:
                at = (int(event["time"]) + offset) / 1000
                owner = next((each for each in reversed(self.seen) if each.began <= at), None)
                if owner is not None:
                    (owner.asked if kind == "asked" else owner.ahead).append(host)

    def _foreign(self, kind: str, told: dict[str, Any]) -> tuple[str, str]:
        """What was done, and the address; ("", "") for what the product serves or the browser does itself."""
        if kind == "HOST_RESOLVER_MANAGER_REQUEST" and "host" in told:
            site = str(told.get("network_anonymization_key", "")).split(" ")[0]
            if urlsplit(told["host"]).port != self._own_port and site not in _BROWSERS_OWN:
                return "ahead", f"{told['host']} for {site}"
        if kind == "URL_REQUEST_START_JOB" and told.get("initiator", "not an origin") != "not an origin":
            asked = urlsplit(told.get("url", ""))
            own = asked.hostname == "127.0.0.1" and asked.port == self._own_port
            if asked.scheme in ("http", "https", "ws", "wss", "ftp") and not own:
                return "asked", told["url"][:120]
        return "", ""


@contextmanager
def watching(
    folder: Path, own_port: int, *, javascript: bool = True, settle: float = 0.15
) -> Iterator[Watching]:
    """A watched Chromium for a product at `own_port`; its `seen` is complete when the block has ended.

    `settle`: seconds for what a page does after it was loaded.
    """
    nowhere = Nowhere()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with sync_playwright() as playwright:
            context = playwright.chromium.launch_persistent_context(
                folder / "profile",
                executable_path=parts.program("chromium"),
                java_script_enabled=javascript,
                viewport={"width": 1280, "height": 900},
                args=[
                    *ARGUMENTS,
                    "--disable-domain-reliability",
                    "--disable-client-side-phishing-detection",
                    "--disable-site-isolation-trials",
                    f"--disable-features={_OFF}",
                    f"--host-resolver-rules=MAP * 127.0.0.1:{nowhere.port}, EXCLUDE 127.0.0.1",
                    f"--log-net-log={folder / 'network.json'}",
                ],
            )
            watched = Watching(folder, context, own_port, javascript, settle)
            try:
                yield watched
            finally:
                with suppress(Exception):
                    context.close()
        watched.read_network()
    finally:
        nowhere.close()
