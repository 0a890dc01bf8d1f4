"""The mailroom goes around messages that break a connection or our caps, by itself and soon."""

import pytest

from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime
from soinbox_web.services import skipped_messages, triage
from soinbox_web.store import accounts
from soinbox_web.workers.supervisor import Supervisor
from tests.real.accounts import tell
from tests.trust.monsters import MONSTERS, MonsterServer
from tests.trust.test_isolation import account_at, set_aside, stored
from tests.workers.conftest import Eventually

pytestmark = pytest.mark.timeout(180)
COUNT = 700
KINDS = ("100,000 commas, an ENVELOPE of 1.8 MB", "an ENVELOPE of 70 MB", "BYE in every way")


@pytest.mark.parametrize("kind", KINDS)
def test_everything_else_is_there_soon(
    runtime: Runtime, supervisor: Supervisor, eventually: Eventually, ca: Authority, kind: str
) -> None:
    with MonsterServer(ca.issue("localhost").server_context(), COUNT, {350: MONSTERS[kind]}) as server:
        account = account_at(runtime, server)
        tell(runtime, account)
        took = eventually(
            lambda: len(stored(runtime, account)) + len(set_aside(runtime, account)) == COUNT, within=120
        )
        print(f"{took:.1f} s, {server.sign_ins} sign-ins")
        assert set(range(1, COUNT + 1)) - {350} <= set(stored(runtime, account))
        with runtime.db.read() as connection:
            assert accounts.read(connection, account.id).imap_status.problem is None


def test_its_source_is_shown_and_it_is_deleted(
    runtime: Runtime, supervisor: Supervisor, eventually: Eventually, ca: Authority
) -> None:
    monsters = {2: MONSTERS["a monster in every way"]}
    with MonsterServer(ca.issue("localhost").server_context(), 3, monsters) as server:
        account = account_at(runtime, server)
        tell(runtime, account)
        eventually(lambda: skipped_messages.listing(runtime, account.user_id, account.id), within=20)
        found = skipped_messages.listing(runtime, account.user_id, account.id)[0]
        eventually(
            lambda: skipped_messages.source(runtime, account.user_id, found.key) == b"Subject: Bron\r\n", 20
        )
        triage.act(runtime, account.user_id, [found.key], "delete")
        left = [one.key for one in skipped_messages.listing(runtime, account.user_id, account.id)]
        assert found.key not in left
