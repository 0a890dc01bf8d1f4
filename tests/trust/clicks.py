"""Double clicks on *Send*: two posts of one form at the same moment, on two lines to the running product."""

import threading
import time
from collections import Counter
from collections.abc import Iterator

import httpx

from tests.journeys.plain_browser import PlainBrowser
from tests.servers.soinbox import Soinbox
from tests.trust.faults import Verdict
from tests.trust.sending_scene import ADDRESS, Scene, customer
from tests.trust.verifier import message_ids

PATIENCE = 60.0  # seconds; each mail is held for some 13 of them, so that it can be taken back


def doubled(scene: Scene, clicks: int = 20) -> Iterator[Verdict]:
    """As many drafts, each clicked twice; after all are sent, one verdict for each."""
    scene.restore("first")
    product = scene.product()
    try:
        product.start()
        drafts = [scene.written(product.runtime, number) for number in range(clicks)]
        browsers = [_signed_in(product, scene) for _ in range(2)]
        told = [_double_click(browsers, draft) for draft in drafts]
        until = time.monotonic() + PATIENCE
        while len(scene.smtp.messages) < clicks and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(1.0)  # in which a second one would come
        while len(scene.server.messages(ADDRESS, "Sent")) < clicks and time.monotonic() < until:
            time.sleep(0.1)
    finally:
        product.close()
    accepted = Counter(message.recipients for message in scene.smtp.messages)
    filed = Counter(message_ids(scene.server, ADDRESS).values())
    for number in range(clicks):
        verdict = Verdict(f"double click {number + 1}", code=" and ".join(map(str, told[number])))
        if accepted[customer(number),] != 1:
            verdict.wrong.append(f"sent {accepted[customer(number),]} times")
        if any(status >= 500 for status in told[number]):
            verdict.wrong.append(f"answered with {verdict.code}")
        yield verdict
    verdict = Verdict("their copies in Sent")
    if filed != {1: clicks}:
        verdict.wrong.append(f"not each is there once: {dict(filed)}")
    yield verdict


def _signed_in(product: Soinbox, scene: Scene) -> PlainBrowser:
    assert scene.member is not None
    browser = PlainBrowser(product.url)
    browser.carry(product.cookie(scene.member))
    return browser


def _double_click(browsers: list[PlainBrowser], draft: int) -> list[int]:
    """What each of the two posts was answered with, redirections followed."""
    together = threading.Barrier(len(browsers))
    statuses: list[int] = []

    def click(browser: PlainBrowser) -> None:
        together.wait()
        try:
            statuses.append(browser.send("Send", action=f"/drafts/{draft}").status_code)
        except httpx.HTTPError:
            statuses.append(599)

    for browser in browsers:
        browser.open(f"/drafts/{draft}")
    threads = [threading.Thread(target=click, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses
