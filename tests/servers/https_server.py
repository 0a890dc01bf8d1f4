"""An https server for tests on port 443 of a loopback address of its own: pages by host and path."""

import os
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from soinbox_web.rehearsal.certificates import Identity


@dataclass(frozen=True, slots=True)
class Page:
    """One answer; `before` runs before it is sent (to wait, for example)."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], object] = lambda: None


class HttpsServer:
    """Serves `pages[(host, path)]`, paths without their query; `asked` are the full URLs in order.

    Needs the right to listen on port 443. `identity` None serves plain http.
    """

    def __init__(
        self, identity: Identity | None, pages: Mapping[tuple[str, str], Page] | None = None, port: int = 443
    ) -> None:
        self.pages = dict(pages or {})
        self.asked: list[str] = []
        self.cookies: list[str] = []
        self._server = _listen(self, port)
        self.address, self.port = self._server.server_address[:2]
        if identity is not None:
            context = identity.server_context()
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> "HttpsServer":
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2)

    def __enter__(self) -> "HttpsServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: HttpsServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up or refuses the certificate is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        owner = self.server.owner
        host = self.headers.get("Host", "").partition(":")[0]
        owner.asked.append(f"{host}{self.path}")
        owner.cookies.append(self.headers.get("Cookie", ""))
        page = owner.pages.get((host, self.path.partition("?")[0]), Page(status=404))
        page.before()
        self.send_response(page.status)
        for name, value in {"Content-Length": str(len(page.body)), **page.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page.body)

    def log_message(self, *_: object) -> None:
        """Silent."""


def _listen(owner: HttpsServer, port: int) -> _Server:
    pick = random.Random(os.urandom(8))
    for _ in range(50):
        address = f"127.{pick.randint(2, 254)}.{pick.randint(2, 254)}.{pick.randint(2, 254)}"
        try:
            server = _Server((address, port), _Handler)
        except PermissionError:
            raise
        except OSError:
            continue
        server.owner = owner
        return server
    raise OSError("no loopback address has the port free")


def may_listen_on_443() -> bool:
    try:
        _Server(("127.255.255.253", 443), _Handler).server_close()
    except PermissionError:
        return False
    except OSError:
        return True
    return True
