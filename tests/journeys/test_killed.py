"""A product whose parts are killed leaves nothing behind, and starts again at the same port."""

import os
import signal
from collections.abc import Callable

import psutil
import pytest

from tests.servers.soinbox import Soinbox

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("part", ["serve", "web"])
def test_a_killed_part(product: Callable[..., Soinbox], part: str) -> None:
    soinbox = product()
    served = psutil.Process(soinbox.pid)
    family = [served, *served.children(recursive=True)]
    killed = served if part == "serve" else next(each for each in family[1:] if "web" in each.cmdline())
    orphans = killed.children(recursive=True)
    assert len(orphans) >= 2
    os.kill(killed.pid, signal.SIGKILL)
    _gone, alive = psutil.wait_procs(orphans, timeout=10)
    assert not alive, [each.cmdline() for each in alive]
    if part == "serve":
        soinbox.start()
    soinbox.wait()
