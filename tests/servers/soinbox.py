"""The whole product as child processes on a temporary instance: web server and mailroom."""

import http.client
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from flask import Flask

from soinbox_web.app import create_app
from soinbox_web.model.member import Member
from soinbox_web.rehearsal import child
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import build
from soinbox_web.services import members
from soinbox_web.settings import child_environment, from_environment
from tests.client import session_cookie

COMMAND = "serve"


def on_loopback(ca: Authority, folder: Path) -> dict[str, str]:
    """Settings that reach test servers only; the authority's anchor is written into the folder."""
    return trusting(ca.write_anchor(folder / "ca.pem"))


def trusting(anchor: Path) -> dict[str, str]:
    """Settings that reach test servers only."""
    return {
        "CA_FILE": str(anchor),
        "ALLOW_HOSTS": "127.0.0.0/8,::1/128,https://127.0.0.0/8,https://::1/128",
        "ISPDB_URL": "",
    }


class Soinbox:
    """`soinbox serve` (or `web`, `mailroom`, or Python `code`) on `url`.

    `runtime` is another view of the same instance.
    `variables` are SOINBOX_ settings without their prefix; "{url}" in one stands for `url`.
    """

    def __init__(
        self, instance: Path, variables: Mapping[str, str], *, command: str = COMMAND, code: str = ""
    ) -> None:
        self.port = child.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environ = {f"SOINBOX_{name}": value.replace("{url}", self.url) for name, value in variables.items()}
        self.settings = from_environment(environ, instance=instance, host="127.0.0.1", port=self.port)
        self.runtime = build(self.settings)
        self.app: Flask = create_app(self.settings, self.runtime)
        self._environ = {**child_environment(self.settings), **environ}
        self._command = command
        self._code = code
        self._log = instance / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start and wait until pages are served; raises RuntimeError with the log when they are not."""
        with self._log.open("ab") as log:
            called = ["-c", self._code] if self._code else ["-m", "soinbox_web.cli", self._command]
            command = [sys.executable, *called]
            self._process = child.spawn(command, environment=self._environ, output=log)
        if self._command != "mailroom":
            self.wait()
        return self

    def stop(self) -> None:
        if self._process is not None:
            child.end(self._process, patience=15)
            self._process = None

    def kill(self) -> None:
        """End all its processes at once."""
        if self._process is not None:
            child.kill(self._process)
            self._process = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def close(self) -> None:
        self.stop()
        self.runtime.close()

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def add_member(self, address: str, name: str, *, language: str = "en", admin: bool = False) -> Member:
        """A new user with the password `licht aan in huis`."""
        return members.add(
            self.runtime,
            address,
            name,
            "licht aan in huis",
            admin,
            language=language,
            timezone="Europe/Amsterdam",
        )

    def cookie(self, member: Member) -> dict[str, str]:
        """A signed-in session, as Playwright's `add_cookies` wants it."""
        name = str(self.app.config["SESSION_COOKIE_NAME"])
        return {"name": name, "value": session_cookie(self.app, self.runtime, member), "url": self.url}

    def wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + 40
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/sign-in")
                if connection.getresponse().status < 500:
                    return
            except OSError:
                pass
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"soinbox does not start:\n{self.log()}")
            time.sleep(0.05)
