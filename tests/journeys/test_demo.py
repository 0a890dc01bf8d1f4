"""`soinbox demo` as a newcomer runs it: it starts, its mail is read, and nothing of it is left behind."""

import http.cookiejar
import re
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator

import psutil
import pytest

from soinbox_web.rehearsal import child
from tests.cast import ANNA, CUSTOMER

PATIENCE = 60


class Demo:
    """The command, running, and a simple browser."""

    def __init__(self) -> None:
        self.url = f"http://127.0.0.1:{child.free_port()}"
        port = self.url.rpartition(":")[2]
        command = [sys.executable, "-m", "soinbox_web.cli", "demo", "--port", port]
        self.process = child.spawn(command, output=subprocess.PIPE)
        assert self.process.stdout
        self.said = ""
        while "Ctrl-C" not in self.said:
            line = self.process.stdout.readline().decode()
            assert line, f"the demo ended:\n{self.said}"
            self.said += line
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._browser = urllib.request.build_opener(jar)

    def get(self, path: str, form: dict[str, str] | None = None) -> str:
        data = urllib.parse.urlencode(form).encode() if form else None
        with self._browser.open(self.url + path, data, timeout=20) as response:
            text: str = response.read().decode()
        return text

    def sign_in(self) -> None:
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get("/sign-in"))
        assert token
        form = {"csrf_token": token[1], "address": ANNA.address, "password": ANNA.password}
        self.get("/sign-in", form)

    def family(self) -> list[psutil.Process]:
        """Every process that it has started."""
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def demo() -> Iterator[Demo]:
    demo = Demo()
    yield demo
    child.end(demo.process, patience=20)
    assert demo.process.stdout
    demo.process.stdout.close()


def test_mail_is_read_and_nothing_is_left(demo: Demo) -> None:
    assert demo.url in demo.said
    assert f"{ANNA.address}" in demo.said
    assert "expired-certificate@misbehaves.example" in demo.said
    demo.sign_in()
    until = time.monotonic() + PATIENCE
    while CUSTOMER.name not in (page := demo.get("/inbox")):
        assert time.monotonic() < until, page[-3000:]
        time.sleep(0.2)
    family = demo.family()
    assert len(family) >= 3  # serve, mailroom, web
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(20) == 0
    _gone, alive = psutil.wait_procs(family, timeout=5)
    assert not alive


def test_nothing_survives_a_killed_demo(demo: Demo) -> None:
    family = demo.family()
    demo.process.send_signal(signal.SIGKILL)
    _gone, alive = psutil.wait_procs(family, timeout=20)
    assert not alive, [process.cmdline() for process in alive]
