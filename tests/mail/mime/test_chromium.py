"""Sanitised strings in a real browser without CSP or sandbox: no script runs, nothing foreign is fetched."""

from html import escape

import pytest

from soinbox_web.mail.mime.sanitize import safe_html
from tests.mail.mime.corpora import html_strings, present

pytestmark = [pytest.mark.browser, present]

_PAGE = 200  # strings on a page
_OWN = "http://page.invalid/"


def _visit(browser, bodies):
    """(scripts that ran, addresses asked for) over pages of `bodies`; no request leaves the browser."""
    ran, asked = [], []
    context = browser.new_context()
    page = context.new_page()
    page.expose_function("__ran", lambda what: ran.append(what))
    page.on("dialog", lambda dialog: (ran.append(dialog.type), dialog.dismiss()))
    page.on("console", lambda message: ran.append(message.text) if message.type == "log" else None)
    current = [""]

    def answer(route):
        url = route.request.url
        if url == _OWN:
            route.fulfill(content_type="text/html; charset=utf-8", body=current[0])
            return
        asked.append(url)
        route.abort()

    context.route("**/*", answer)
    hook = "for (const f of ['alert','confirm','prompt','print','open']) window[f] = () => window.__ran(f);"
    page.add_init_script(hook)
    for body in bodies:
        current[0] = f"<!DOCTYPE html><meta charset=utf-8><body>{body}"
        try:
            page.goto(_OWN, wait_until="load", timeout=10_000)
            page.mouse.move(200, 200)
            page.wait_for_timeout(150)
        except Exception as error:  # a hostile page may navigate away: that is counted as a request
            asked.append(str(error)[:80])
    context.close()
    return ran, asked


def test_sanitised_strings_run_and_fetch_nothing(chromium, capsys):
    cleaned = [safe.html for _, html in html_strings() if (safe := safe_html(html)) is not None]
    pages = ["<hr>".join(cleaned[start : start + _PAGE]) for start in range(0, len(cleaned), _PAGE)]
    ran, asked = _visit(chromium, pages)
    with capsys.disabled():
        print(f"\nChromium, {len(cleaned)} sanitised strings: {len(ran)} scripts, {len(asked)} fetches")
    assert ran == []
    assert asked == []


def test_the_raw_strings_do_run_and_fetch(chromium, capsys):
    """The control: without the sanitiser the same way of looking finds both."""
    raw = [html for name, html in html_strings() if name.startswith(("h5sc", "httpleaks", "own_mail"))][::12]
    frames = [f'<iframe srcdoc="{escape(html)}"></iframe>' for html in raw]
    pages = ["".join(frames[start : start + 10]) for start in range(0, len(frames), 10)]
    ran, asked = _visit(chromium, pages)
    with capsys.disabled():
        print(f"\nControl, {len(raw)} raw strings: {len(ran)} scripts, {len(asked)} fetches")
    assert ran
    assert asked
