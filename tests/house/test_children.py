"""Children that die: a mailroom never ends the pages, a web server that cannot serve ends the product."""

import sys
import time
from pathlib import Path

import httpx
import pytest

from soinbox_web.children import Child
from soinbox_web.problems import StoreError
from soinbox_web.services import standing, upkeep
from tests.cast import ANNA
from tests.clock import HandClock
from tests.servers.soinbox import Soinbox, trusting

DIES = [sys.executable, "-c", "raise SystemExit(3)"]
LIVES = [sys.executable, "-c", "import time; time.sleep(600)"]


class Deaths:
    """A child that dies as often as one looks, on a clock turned by hand."""

    def __init__(self, clock: HandClock, *, vital: bool = False) -> None:
        self.clock = clock
        self.told: list[tuple[int, float]] = []
        tell = None if vital else lambda count, seconds: self.told.append((count, seconds))
        self.child = Child("mailroom", DIES, {}, clock, tell)

    def die(self) -> None:
        """Wait for its death, have it noted, and begin it again when it is time."""
        assert self.child._process is not None
        self.child._process.wait(30)
        self.child.look()
        seconds = self.told[-1][1] if self.told else 60.0
        self.clock.turn(seconds=seconds)
        self.child.look()


def test_a_mailroom_that_dies_again_and_again_is_begun_again_later_each_time(clock: HandClock) -> None:
    deaths = Deaths(clock)
    for _ in range(10):
        deaths.die()
    assert deaths.told == [(n, min(2.0 ** (n - 1), 60.0)) for n in range(1, 11)]
    deaths.child._process.wait(30)  # type: ignore[union-attr]


def test_a_web_server_that_cannot_begin_ends_the_product(clock: HandClock) -> None:
    deaths = Deaths(clock, vital=True)
    with pytest.raises(StoreError) as raised:
        for _ in range(5):
            deaths.die()
    assert raised.value.problem.code == "product_keeps_stopping"


SUPERVISED = """
import sys
from soinbox_web import processes
from soinbox_web.runtime import build
from soinbox_web.settings import from_environment
web = [sys.executable, "-m", "soinbox_web.cli", "web"]
dies = [sys.executable, "-c", "raise SystemExit(3)"]
processes.supervise({"mailroom": dies, "web": web}, build(from_environment()))
"""


@pytest.mark.timeout(180)
def test_pages_go_on_without_a_mailroom_and_say_so(tmp_path: Path, ca_file: Path) -> None:
    product = Soinbox(tmp_path / "instance", trusting(ca_file), code=SUPERVISED)
    try:
        anna = product.add_member(ANNA.address, ANNA.name, language="en", admin=True)
        product.start()
        kept = product.cookie(anna)
        cookies = {kept["name"]: kept["value"]}
        end = time.monotonic() + 120
        while not (found := standing.problems(product.runtime)) or int(found[0].facts["count"]) < 6:
            assert time.monotonic() < end
            time.sleep(0.2)
        for path in ("/", "/operator"):
            page = httpx.get(product.url + path, cookies=cookies, follow_redirects=True, timeout=60).text
            assert "A part of soinbox keeps stopping: mailroom." in page
        assert not upkeep.check(product.runtime.settings)["ok"]
        product.stop()
        assert standing.problems(product.runtime) == [] and upkeep.check(product.runtime.settings)["ok"]
    finally:
        product.close()
