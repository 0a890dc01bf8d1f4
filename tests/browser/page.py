"""A page in Chromium that remembers everything that went wrong on it."""

from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_VIOLATIONS = """
window.__violations = [];
document.addEventListener('securitypolicyviolation', (event) => window.__violations.push(
  `${event.violatedDirective}: ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`));
"""
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def new_context(
    browser: Browser,
    *,
    language: str = "en",
    javascript: bool = True,
    phone: bool = False,
    dark: bool = False,
) -> BrowserContext:
    """A fresh browser profile: its language, its width, in Amsterdam, with nothing moving."""
    return browser.new_context(
        viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 900},
        has_touch=phone,
        is_mobile=phone,
        device_scale_factor=2 if phone else 1,
        java_script_enabled=javascript,
        locale="nl-NL" if language == "nl" else "en-GB",
        timezone_id="Europe/Amsterdam",
        reduced_motion="reduce",
        color_scheme="dark" if dark else "light",
        ignore_https_errors=True,  # other servers' pages have certificates of the tests' own authority
    )


class Watched:
    """A Playwright page (`page`) of the product at `url`, with its complaints collected.

    `complaints` holds console errors, uncaught exceptions, CSP violations and answers from 500 up.
    """

    def __init__(self, context: BrowserContext, url: str, *, javascript: bool) -> None:
        self.url = url
        self.javascript = javascript
        self.complaints: list[str] = []
        self.context = context
        if javascript:
            context.add_init_script(_VIOLATIONS)
        self.page: Page = context.new_page()
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        self.page.on("response", self._on_response)
        self.page.set_default_timeout(10_000)

    def goto(self, path: str) -> Page:
        """Open a place of the product."""
        self.page.goto(self.url + path, wait_until="load")
        return self.page

    def check(self) -> None:
        """Nothing went wrong so far, and what is shown is accessible."""
        self.check_quiet()
        self.check_accessible()

    def check_quiet(self) -> None:
        """No console error, no exception, no CSP violation, no fault of the server."""
        if self.javascript:
            self.complaints += [f"CSP: {one}" for one in self.page.evaluate("window.__violations || []")]
        assert not self.complaints, f"{self.page.url}:\n" + "\n".join(self.complaints)

    def check_accessible(self) -> None:
        """No violation found by axe-core on the page as it stands (needs JavaScript; otherwise nothing)."""
        if not self.javascript:
            return
        results: dict[str, Any] = Axe().run(self.page, options=_RULES).response
        violations = [
            f"{one['id']} ({one['impact']}): {one['help']}\n    {node['html'][:200]}"
            for one in results["violations"]
            for node in one["nodes"]
        ]
        assert not violations, f"{self.page.url}:\n" + "\n".join(violations)

    def shot(self, path: Path) -> None:
        """A picture of the whole page, with moving things at rest."""
        self.page.screenshot(path=path, full_page=True, animations="disabled", caret="hide")

    def _on_console(self, message: ConsoleMessage) -> None:
        refused = "the server responded with a status of 4" in message.text  # 422 and 404 are answers
        if message.type == "error" and not refused:
            self.complaints.append(f"console: {message.text}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status} for {response.request.method} {response.url}")
