"""A browser without a screen at a running product: one person's cookie, each answer with its headers."""

import http.client
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from soinbox_web.model.member import Member
from tests.servers.soinbox import Soinbox

_TOKEN = re.compile(r'name="csrf_token"[^>]* value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` have small names; the body is read as UTF-8 as far as it goes."""

    status: int
    headers: dict[str, str]
    text: str


class Asking:
    """Asks as `member`, or as nobody; a form carries the token that its page would hold.

    An answer that does not come within `patience` seconds, or not at all, has the status 0.
    """

    def __init__(self, product: Soinbox, member: Member | None = None, *, patience: float = 30) -> None:
        self._port, self._patience = product.port, patience
        cookie = product.cookie(member) if member else None
        self._cookie = f"{cookie['name']}={cookie['value']}" if cookie else ""
        page = self.ask("GET", "/personal-settings" if member else "/sign-in")
        if not member:
            self._cookie = page.headers.get("set-cookie", "").partition(";")[0]
        found = _TOKEN.search(page.text)
        self._token = found[1] if found else ""

    def submit(self, path: str, form: Mapping[str, str | list[str]]) -> Answer:
        body = urlencode({"csrf_token": self._token, **form}, doseq=True)
        return self.ask("POST", path, {"Content-Type": "application/x-www-form-urlencoded"}, body)

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: str = "") -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._patience)
        try:
            given = {"Cookie": self._cookie, **(headers or {})} if self._cookie else dict(headers or {})
            with suppress(BrokenPipeError, ConnectionResetError):  # an answer may come before all is sent
                connection.request(method, path, body or None, given)
            answer = connection.getresponse()
            endless = answer.headers.get("Content-Type", "").startswith("text/event-stream")
            content = answer.read1(2_000) if endless else answer.read()
            told = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, told, content.decode("utf-8", "replace"))
        except (OSError, http.client.HTTPException):
            return Answer(0, {}, "")
        finally:
            connection.close()
