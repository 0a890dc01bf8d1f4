"""What a thousand quiet accounts cost the mailroom: kilobytes and threads each, plain and with TLS."""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from soinbox_web.model.server import Login, Security
from soinbox_web.rehearsal import child
from soinbox_web.rehearsal.certificates import Authority
from tests.real.accounts import add_user, connect_account
from tests.servers.soinbox import Soinbox, on_loopback

GOALS: dict[Security, int] = {"none": 15, "ssl": 100}
SETTLED = 3.0  # seconds
PATIENCE = 300.0


def run(few: int = 100, many: int = 1_000) -> dict[str, Any]:
    """The price of one account more: memory between `few` and `many` of them, the fixed costs left out."""
    found: dict[str, Any] = {"kb_each": {}, "ratios": {}}
    for security, goal in GOALS.items():
        small, _ = _memory(few, security)
        large, threads = _memory(many, security)
        each = (large - small) / (many - few) / 1000
        name = "TLS" if security == "ssl" else "plain"
        found["kb_each"][name] = round(each, 1)
        found["ratios"][f"{many:,} idle accounts, {name}: kB each"] = [round(each, 1), "<=", goal]
        found["ratios"][f"{many:,} idle accounts, {name}: threads"] = [threads, "<=", 40]
    return found


def _memory(count: int, security: Security) -> tuple[int, int]:
    """Bytes and threads of the mailroom when `count` accounts idle."""
    with tempfile.TemporaryDirectory(prefix="bench-idle-") as name:
        folder, port, ca = Path(name), child.free_port(), Authority()
        files = [str(path) for path in ca.issue("localhost").write(folder, "quiet")]
        command = [sys.executable, "-m", "bench.quiet_server", str(port), *files[: 2 * (security == "ssl")]]
        server = child.spawn(command)
        product = Soinbox(
            folder / "instance",
            {**on_loopback(ca, folder), "ALLOW_PLAIN": f"localhost:{port}"},
            command="mailroom",
        )
        try:
            _add(product, count, port, security)
            product.start()
            process = psutil.Process(product.pid)
            end = time.monotonic() + PATIENCE
            while _listening(product) < count:
                if time.monotonic() > end:
                    raise RuntimeError(f"{_listening(product)} of {count} accounts idle")
                time.sleep(0.5)
            time.sleep(SETTLED)
            return process.memory_info().rss, process.num_threads()
        finally:
            product.close()
            child.end(server)


def _add(product: Soinbox, count: int, port: int, security: Security) -> None:
    runtime = product.runtime
    for number in range(count):
        address = f"lid{number}@noordlicht.example"
        user = add_user(runtime, address)
        connect_account(runtime, user, Login("localhost", port, security, address), "stil")


def _listening(product: Soinbox) -> int:
    with product.runtime.db.read() as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM account_status WHERE side = 'imap' AND mode <> ''"
        ).fetchone()
    return int(count)
