"""How often pages ask the database: budgets that may shrink, and do not grow with the number of accounts."""

import sqlite3
from collections.abc import Iterator

import pytest

from soinbox_web.model.member import Member
from soinbox_web.runtime import Runtime, build
from soinbox_web.settings import Settings
from soinbox_web.store.database import Database
from tests import seed
from tests.client import SoinboxClient
from tests.clock import HandClock

SEEN: list[str] = []
FRAME = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")
# Statements with one account; the vector of the stream asks each mailbox file once more.
BUDGETS = {"list": 15, "body": 6, "status": 22, "persons": 12}


class Counted(Database):
    """Every statement is noted."""

    def _connect(self) -> sqlite3.Connection:
        connection = super()._connect()
        connection.set_trace_callback(SEEN.append)
        return connection


@pytest.fixture
def runtime(settings: Settings, clock: HandClock) -> Iterator[Runtime]:
    runtime = build(settings, clock, database=Counted)
    yield runtime
    runtime.close()


@pytest.mark.parametrize("accounts", [1, 5])
def test_pages_keep_to_their_budgets(
    runtime: Runtime, member: Member, signed_in: SoinboxClient, accounts: int
) -> None:
    made = [
        seed.account(runtime, member, "" if n == 0 else f"a{n}@noordlicht.example") for n in range(accounts)
    ]
    (key, *_) = seed.deliver(runtime, made[0], [seed.letter(f"Brief {n}") for n in range(60)])
    places = {
        "list": f"/inbox/{made[0].id}",
        "body": f"/messages/{key}/body",
        "status": f"/accounts/{made[0].id}/status",
        "persons": "/persons",
    }
    for name, path in places.items():
        signed_in.get(path)
        SEEN.clear()
        assert signed_in.get(path).status_code == 200
        asked = [statement for statement in SEEN if not statement.upper().startswith(FRAME)]
        assert len(asked) <= BUDGETS[name] + accounts - 1, f"{name}: {len(asked)}\n" + "\n".join(asked)
