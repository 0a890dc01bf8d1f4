"""One message never stops a mailbox: monsters of every kind, at every place, and all others are there."""

import contextlib

import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.model.account import Account
from soinbox_web.model.server import Login
from soinbox_web.problems import SoinboxError
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime
from soinbox_web.services import sync
from soinbox_web.store import skipped_messages
from tests.real.accounts import add_user, connect_account
from tests.trust.monsters import MONSTERS, NAMED, NEVER, MonsterServer

COUNT = 1_200
SIGN_INS = 10  # for each monster at most, which lies in two folders
PLACES = {"first": [1], "in the middle": [601], "last": [COUNT], "several": [1, 600, 601, 1150, COUNT]}


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


def account_at(runtime: Runtime, server: MonsterServer) -> Account:
    address = "anna@noordlicht.example"
    login = Login("localhost", server.port, "ssl", address)
    return connect_account(runtime, add_user(runtime, address), login, "lampje")


def stored(runtime: Runtime, account: Account) -> dict[int, str]:
    """The subjects that are here, by UID."""
    with runtime.mailbox(account.id, account.generation).read() as connection:
        rows = connection.execute(
            "SELECT uid, subject FROM messages m JOIN folders f ON f.id = m.folder_id WHERE f.name = 'INBOX'"
        )
        return {row["uid"]: row["subject"] for row in rows}


def set_aside(runtime: Runtime, account: Account) -> dict[int, str]:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        return {
            row["uid"]: row["subject"]
            for row in skipped_messages.listing(connection, 10_000)
            if row["folder"] == "INBOX"
        }


def synchronise(runtime: Runtime, account: Account, tries: int) -> None:
    """Until it ends well, as the mailroom would try again later."""
    for _ in range(tries):
        with contextlib.suppress(SoinboxError):
            sync.sync_once(runtime, account.id)
            return
    pytest.fail("it never ended well")


CASES = [(kind, "several") for kind in MONSTERS] + [
    (kind, place)
    for place in ("first", "in the middle", "last")
    for kind in ("100,000 commas, an ENVELOPE of 1.8 MB", "BYE in every way")
]  # each kind at each place: tests/trust/figures/isolation.py


@pytest.mark.parametrize(("kind", "place"), CASES)
def test_all_others_are_there(runtime: Runtime, ca: Authority, kind: str, place: str) -> None:
    monsters = dict.fromkeys(PLACES[place], MONSTERS[kind])
    with MonsterServer(ca.issue("localhost").server_context(), COUNT, monsters) as server:
        account = account_at(runtime, server)
        synchronise(runtime, account, SIGN_INS * len(monsters))
        spent, here, away = server.sign_ins, stored(runtime, account), set_aside(runtime, account)
        assert {uid: here.get(uid) for uid in range(1, COUNT + 1) if uid not in monsters} == {
            uid: f"Offerte {uid}" for uid in range(1, COUNT + 1) if uid not in monsters
        }
        if kind in NEVER:
            assert away == dict.fromkeys(monsters, "")
        elif kind in NAMED:
            assert away == {uid: f"Offerte {uid}" for uid in monsters}
        else:
            assert away == {} and {uid: here[uid] for uid in monsters} == {
                uid: f"Offerte {uid}" for uid in monsters
            }
        assert spent <= SIGN_INS * len(monsters)
        sync.sync_once(runtime, account.id)
        assert server.sign_ins == spent + 1, "it is remembered"
