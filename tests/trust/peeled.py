"""The product's own pages of hostile HTML, with each layer that guards them taken off at will.

Layers are taken off outside the product: this is a WSGI application around it that only the tests have.
"""

import html
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from werkzeug.serving import WSGIRequestHandler, make_server

from soinbox_web.app import create_app
from soinbox_web.model.message import MessageKey
from soinbox_web.runtime import build
from soinbox_web.services import members
from soinbox_web.settings import Settings
from tests import seed
from tests.client import new_session, session_cookie

LAYERS = ("sanitiser", "policy", "frame", "escaping")
_FRAME = re.compile(rb'<iframe class="message-frame"[^>]*></iframe>')
_SANDBOX = re.compile(r' sandbox="[^"]*"')
_SRC = re.compile(r' src="[^"]*"')
_POLICY = "Content-Security-Policy"


class Peeled:
    """Wraps the product; `layers` are those that still stand. `/batch?key=…` shows many bodies at once.

    `sanitiser`: the HTML of a body is put in raw again. `policy`: both policies are left out, the body's and
    that of the page around it. `frame`: the frame loses its sandbox. `escaping`: what pages show of others'
    words is markup again.
    """

    def __init__(self, app: Any, raw: dict[str, str]) -> None:
        self._app, self._raw = app, raw
        self.layers = frozenset(LAYERS)
        self.frame, self.page_policy = "", ""

    def learn(self, page: bytes, policy: str) -> None:
        """The frame and the policy of the product's own page of a message."""
        self.frame, self.page_policy = _FRAME.findall(page)[0].decode(), policy

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/batch":
            return self._batch(parse_qs(environ["QUERY_STRING"])["key"], start_response)
        told: list[Any] = []
        answer = self._app(environ, lambda status, headers, *_: told.extend((status, headers)))
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        status, headers = told
        where = environ["PATH_INFO"].split("/")
        if "sanitiser" not in self.layers and where[-1] in ("body", "print") and status.startswith("200"):
            body = self._raw_again(body, where[2])
        if "escaping" not in self.layers and ("Content-Type", "text/html; charset=utf-8") in headers:
            body = html.unescape(body.decode()).encode("utf-8", "replace")
        if "policy" not in self.layers:
            headers = [pair for pair in headers if pair[0] != _POLICY]
        headers = [pair for pair in headers if pair[0].lower() != "content-length"]
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def _raw_again(self, body: bytes, key: str) -> bytes:
        head = body.partition(b"<body>")[0]
        return b"%b<body>%b</body></html>" % (head, self._raw[key].encode("utf-8", "replace"))

    def _batch(self, keys: Sequence[str], start_response: Any) -> list[bytes]:
        frame = self.frame if "frame" in self.layers else _SANDBOX.sub("", self.frame)
        sources = (html.escape(f"/messages/{key}/body") for key in keys)
        frames = "".join(_SRC.sub(f' src="{source}"', frame) for source in sources)
        headers = [("Content-Type", "text/html; charset=utf-8")]
        if "policy" in self.layers:
            headers.append((_POLICY, self.page_policy))
        start_response("200 OK", headers)
        return [f"<!doctype html><title>frames</title><body>{frames}".encode()]


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass


class Wall:
    """The product in this process at `port` with one member signed in and one message for each HTML text."""

    def __init__(self, folder: Path, messages: dict[str, bytes], raw: dict[str, str]) -> None:
        nobody = (("127.0.0.1", 9),)  # names are looked up nowhere
        self.runtime = build(Settings(instance=folder / "instance", ispdb_url="", dns_servers=nobody))
        self.app = create_app(self.runtime.settings, self.runtime)
        self.member = members.add(
            self.runtime, "anna@noordlicht.example", "Anna", "licht aan in huis", True, language="en",
            timezone="Europe/Amsterdam",
        )  # fmt: skip
        self.account = seed.account(self.runtime, self.member)
        names, batch = list(messages), 200
        self.keys: dict[str, MessageKey] = {}
        for start in range(0, len(names), batch):
            some = names[start : start + batch]
            keys = seed.deliver(self.runtime, self.account, [messages[name] for name in some])
            self.keys.update(zip(some, keys, strict=True))
        self.peeled = Peeled(self.app, {str(self.keys[name]): text for name, text in raw.items()})
        self._server = make_server("127.0.0.1", 0, self.peeled, threaded=True, request_handler=_Quiet)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def cookie(self) -> Any:
        """The session of the member, as Playwright wants it."""
        value = session_cookie(self.app, self.runtime, self.member)
        return {"name": str(self.app.config["SESSION_COOKIE_NAME"]), "value": value, "url": self.url}

    def session(self) -> dict[str, Any]:
        """What a new session of the member holds."""
        return new_session(self.runtime, self.member)

    def learn(self, name: str) -> None:
        """Take over the frame of the product's own page of a message."""
        client = self.app.test_client()
        with client.session_transaction() as session:
            session.update(self.session())
        page = client.get(f"/messages/{self.keys[name]}")
        self.peeled.learn(page.data, page.headers[_POLICY])

    def batch_url(self, names: Sequence[str]) -> str:
        return f"{self.url}/batch?" + "&".join(f"key={self.keys[name]}" for name in names)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.runtime.close()


@contextmanager
def wall(folder: Path, messages: dict[str, bytes], raw: dict[str, str]) -> Iterator[Wall]:
    """Runs until the block ends."""
    made = Wall(folder, messages, raw)
    try:
        yield made
    finally:
        made.close()


def as_mail(text: str, subject: str = "Vector") -> bytes:
    """A message with this HTML and nothing else."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "Eva <eva@klant.example>", "anna@noordlicht.example"
    message["Subject"], message["Date"] = subject, "Mon, 23 Nov 2026 08:15:00 +0000"
    message.set_content(text.encode("utf-8", "replace").decode(), subtype="html", cte="base64")
    return message.as_bytes()
