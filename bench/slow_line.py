"""A TCP proxy as fast as a line of so many bits a second, and what COMPRESS saves on it."""

import contextlib
import socket
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, Self

from bench import mailboxes, measures
from soinbox_web.mail.net.network import Network
from soinbox_web.model.account import Account
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime
from soinbox_web.services import sync
from tests.real.accounts import add_account, through
from tests.servers.dovecot import Dovecot
from tests.servers.mailbox import RealMailbox

MESSAGES = 5_000
MBITS = (20, 100, 1_000)
FAR_AWAY = 100  # Mbit/s that one connection across the internet may carry: there it must pay
PIECE = 16_384
ADDRESS, PASSWORD = "anna@noordlicht.example", "lampje-voor-anna"


class SlowLine:
    """Stands before `port` on loopback; each direction carries `mbit` megabits a second and no more."""

    def __init__(self, port: int, mbit: float) -> None:
        self._target, self._rate = port, mbit * 125_000
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                for source, sink in ((client, server), (server, client)):
                    sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        free = 0.0  # when the line has carried everything so far
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE):
                free = max(free, time.perf_counter()) + len(data) / self._rate
                time.sleep(max(0.0, free - time.perf_counter()))
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class _Line(Network):
    """All servers are as far as it is told."""

    far = False

    def is_far(self, sock: socket.socket) -> bool:
        return self.far


def run() -> dict[str, Any]:
    """Seconds and CPU for the envelopes of a mailbox, complete, with and without COMPRESS."""
    with tempfile.TemporaryDirectory(prefix="bench-slow-") as folder:
        ca = Authority()
        server = Dovecot(ca).start()
        try:
            server.add_user(ADDRESS, PASSWORD)
            maildir = server.maildir(ADDRESS, "INBOX")
            owner = maildir.stat()
            mailboxes.fill(maildir, MESSAGES, (owner.st_uid, owner.st_gid))
            runtime = measures.instance(Path(folder), ca)
            account = add_account(runtime, RealMailbox(ADDRESS, PASSWORD, server, None))  # type: ignore[arg-type]
            try:
                measures.everything(runtime, account)  # fills the server's own cache
                figures = {}
                for mbit in MBITS:
                    with SlowLine(server.imaps_port, mbit) as line:
                        account = through(runtime, account, line)
                        figures[str(mbit)] = _measure(runtime, account)
            finally:
                runtime.close()
        finally:
            server.close()
    return {
        "messages": MESSAGES,
        "mbit": figures,
        "ratios": {
            f"envelopes at {mbit} Mbit/s: times faster with COMPRESS": [
                round(found["plain"]["seconds"] / found["compressed"]["seconds"], 2),
                ">=",
                1,
            ]
            for mbit, found in figures.items()
            if int(mbit) <= FAR_AWAY
        },
    }


def _measure(runtime: Runtime, account: Account) -> dict[str, dict[str, float]]:
    found = {}
    for name, far in (("plain", False), ("compressed", True)):
        taken = measures.best(3, partial(_everything, runtime, account, far))
        found[name] = {"seconds": round(taken.wall, 2), "cpu": round(taken.cpu, 2)}
    return found


def _everything(runtime: Runtime, account: Account, far: bool) -> None:
    measures.fresh(runtime, account)
    network = _Line(runtime.settings, runtime.clock)
    network.far = far
    with sync.connect(runtime, account, network) as connection:
        sync.synchronise(sync.open_session(runtime, account, connection))
