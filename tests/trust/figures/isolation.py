"""One message never stops a mailbox: for each kind of monster, the seconds until all others are there."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from soinbox_web.clock import SystemClock
from soinbox_web.model.account import Account
from soinbox_web.model.allow_list import AllowList
from soinbox_web.problems import SoinboxError
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime, build
from soinbox_web.services import sync
from soinbox_web.settings import Settings
from tests.trust import memory
from tests.trust.monsters import MONSTERS, MonsterServer
from tests.trust.test_isolation import COUNT, PLACES, SIGN_INS, account_at, set_aside, stored


def figures(every: int) -> list[dict[str, Any]]:
    """Each kind at each place, among 1,200 messages in each of two folders; every `every`-th case."""
    cases = [(kind, place) for kind in MONSTERS for place in PLACES][::every]
    ca, wrong, sign_ins = Authority(), 0, [0]
    seconds: dict[tuple[str, str], float] = {}
    with tempfile.TemporaryDirectory() as folder:
        anchor = ca.write_anchor(Path(folder) / "ca.pem")
        for number, (kind, place) in enumerate(cases):
            with _fresh(Path(folder) / str(number), anchor) as runtime:
                lost, took, spent = _case(runtime, ca, kind, place)
            print(f"{took:6.1f} s, {spent:2} sign-ins, {lost} lost: {kind}, {place}", flush=True)
            wrong += bool(lost) or spent > SIGN_INS * len(PLACES[place])
            seconds[kind, place] = took
            sign_ins.append(spent)
        found = [_memory(ca, anchor, name) for name in memory.FLOODS[::every]]
    return [
        {
            "figure": "T5 one message never stops a mailbox",
            "runs": len(cases),
            "wrong": wrong,
            "goal": "all other messages there",
            "met": wrong == 0,
            "mail_again": {f"{kind}, {place}": round(took, 1) for (kind, place), took in seconds.items()},
            "most_sign_ins": max(sign_ins),
        },
        {
            "figure": "T5 memory after failed tries at flooding servers",
            "runs": len(found),
            "wrong": sum(map(bool, (memory.wrong(each) for each in found))),
            "goal": "at most 300 MB, given back",
            "met": not any(memory.wrong(each) for each in found),
            "memory_mb": {
                name: [round(each / 1e6) for each in curve]
                for name, curve in zip(memory.FLOODS[::every], found, strict=True)
            },
        },
    ]


def _case(runtime: Runtime, ca: Authority, kind: str, place: str) -> tuple[int, float, int]:
    """How many honest messages are not there, after how long, for how many sign-ins."""
    monsters = dict.fromkeys(PLACES[place], MONSTERS[kind])
    began = time.monotonic()
    with MonsterServer(ca.issue("localhost").server_context(), COUNT, monsters) as server:
        account = account_at(runtime, server)
        for _ in range(SIGN_INS * len(monsters)):
            if _ends_well(runtime, account):
                break
        took = time.monotonic() - began
        honest = set(range(1, COUNT + 1)) - set(monsters)
        told = {*stored(runtime, account), *set_aside(runtime, account)}
        lost = len(honest - set(stored(runtime, account))) + len(set(monsters) - told)
        return lost, took, server.sign_ins


def _ends_well(runtime: Runtime, account: Account) -> bool:
    try:
        sync.sync_once(runtime, account.id)
    except SoinboxError:
        return False
    return True


def _memory(ca: Authority, anchor: Path, name: str) -> list[int]:
    found = memory.curve(ca.issue("localhost").server_context(), anchor, name, 20)
    print(f"{[round(each / 1e6) for each in found]} MB: {name}", flush=True)
    return found


@contextmanager
def _fresh(instance: Path, anchor: Path) -> Iterator[Runtime]:
    instance.mkdir(0o700)
    allowed = AllowList.parse("127.0.0.0/8,::1/128")
    settings = Settings(instance=instance, ca_file=anchor, allow_hosts=allowed, ispdb_url="")
    runtime = build(settings, SystemClock())
    try:
        yield runtime
    finally:
        runtime.close()
