"""A process of its own that is flooded again and again: its memory after each failed try, as JSON lines."""

import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from soinbox_web.clock import SystemClock
from soinbox_web.model.account import Account
from soinbox_web.model.allow_list import AllowList
from soinbox_web.model.server import Login
from soinbox_web.problems import Problem, SoinboxError
from soinbox_web.runtime import Runtime, build
from soinbox_web.services import sync
from soinbox_web.settings import Settings
from tests.real.accounts import add_user, connect_account

THREADS = 4  # that take turns, as in the mailroom


def main(port: int, ca: Path, tries: int) -> None:
    """Synchronise with the server at `port`, `tries` times; the problem of each is kept, as post.py does."""
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder) / "instance"
        instance.mkdir(0o700)
        allowed = AllowList.parse("127.0.0.0/8,::1/128")
        settings = Settings(instance=instance, ca_file=ca, allow_hosts=allowed, ispdb_url="")
        runtime = build(settings, SystemClock())
        address = "anna@noordlicht.example"
        login = Login("localhost", port, "ssl", address)
        account = connect_account(runtime, add_user(runtime, address), login, "lampje")
        process = psutil.Process()
        kept: list[Problem | None] = []
        pools = [ThreadPoolExecutor(1) for _ in range(THREADS)]
        print(json.dumps({"rss": process.memory_info().rss}), flush=True)
        for number in range(tries):
            kept.append(pools[number % THREADS].submit(_try, runtime, account).result())
            code = kept[-1].code if kept[-1] else ""
            print(json.dumps({"rss": process.memory_info().rss, "code": code}), flush=True)
        runtime.close()


def _try(runtime: Runtime, account: Account) -> Problem | None:
    try:
        sync.sync_once(runtime, account.id)
    except SoinboxError as error:
        return error.problem
    return None


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
