"""What OBJECTID saves (RFC 8474): a thousand messages that another client moved, on Cyrus."""

import tempfile
import time
from pathlib import Path
from typing import Any

from bench import measures
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.net.wire import Wire
from soinbox_web.model.account import Account
from soinbox_web.model.server import Login
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime
from soinbox_web.services import fetching, sync
from tests import parts
from tests.real.accounts import add_user, connect_account
from tests.servers.cyrus import Cyrus

MESSAGES, SIZE = 1_000, 20_000
ADDRESS, PASSWORD = "anna@noordlicht.example", "lampje-voor-anna"


def run() -> dict[str, Any]:
    """Bytes and seconds until every text is here again, with and without OBJECTID; nothing without Cyrus."""
    if parts.program("cyrus") is None:
        return {"ratios": {}}
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="bench-moved-") as folder:
        ca = Authority()
        runtime = measures.instance(Path(folder), ca)
        try:
            with Cyrus(ca, ADDRESS, PASSWORD) as server:
                account = _filled(runtime, server)
                for name, target in (("with", "Een"), ("without", "Twee")):
                    _move_all(server, target)
                    figures[name] = _again(runtime, account, knows=name == "with")
        finally:
            runtime.close()
    saved = figures["without"]["bytes"] / max(1, figures["with"]["bytes"])
    quicker = figures["without"]["seconds"] / figures["with"]["seconds"]
    return {
        "messages": MESSAGES,
        **figures,
        "ratios": {
            "OBJECTID: times fewer bytes": [round(saved, 1), ">=", 1],
            "OBJECTID: times as fast": [round(quicker, 1), ">=", 1],
        },
    }


def _filled(runtime: Runtime, server: Cyrus) -> Account:
    with server.signed_in(ADDRESS) as client:
        for name in ("Een", "Twee"):
            client.create(name)
        for number in range(MESSAGES):
            head = f"Subject: Brief {number}\r\nMessage-ID: <{number}@klant.example>"
            text = "Zilver en licht in huis. " * (SIZE // 25)
            client.append("INBOX", "", None, f"{head}\r\n\r\n{text}\r\n".encode())  # type: ignore[arg-type]
    user = add_user(runtime, ADDRESS)
    account = connect_account(runtime, user, Login(server.host, server.port, "ssl", ADDRESS), PASSWORD)
    sync.sync_once(runtime, account.id)
    with sync.connect(runtime, account) as connection:
        _fetch_all(runtime, account, connection)
    return account


def _move_all(server: Cyrus, target: str) -> None:
    with server.signed_in(ADDRESS) as client:
        client.select({"Een": "INBOX", "Twee": "Een"}[target])
        client.uid("MOVE", "1:*", target)


def _again(runtime: Runtime, account: Account, *, knows: bool) -> dict[str, float]:
    """Synchronise and fetch what is missing; `knows`: OBJECTID is used."""
    sync.sync_once(runtime, account.id)
    with sync.connect(runtime, account) as connection:
        if not knows:
            offered = connection.client.capabilities
            connection.client.capabilities = tuple(each for each in offered if each != "OBJECTID")
        received = _counted(connection.client.wire)
        began = time.perf_counter()
        came = _fetch_all(runtime, account, connection)
        seconds = time.perf_counter() - began
    if came != MESSAGES:
        raise RuntimeError(f"{came} texts instead of {MESSAGES}")
    return {"bytes": sum(received), "seconds": round(seconds, 3)}


def _fetch_all(runtime: Runtime, account: Account, connection: ImapConnection) -> int:
    reader = fetching.Reader(runtime, account, connection)
    came = 0
    while some := fetching.fetch_some(reader, since=None):
        came += some
    return came


def _counted(wire: Wire) -> list[int]:
    """The sizes of what comes from now on."""
    sizes: list[int] = []
    receive = wire._received

    def counting() -> bytes:
        data = receive()
        sizes.append(len(data))
        return data

    wire._received = counting  # type: ignore[method-assign]
    return sizes
