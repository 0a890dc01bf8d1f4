"""Actions that a dead process had claimed are open again; those of one that lives are left to it."""

from soinbox_web.model.member import Member
from soinbox_web.model.message import MessageKey
from soinbox_web.runtime import Runtime, build
from soinbox_web.services import acting
from soinbox_web.store import actions, locks
from tests import seed


def test_what_is_claimed_is_open_again_once_its_process_is_dead(runtime: Runtime, member: Member) -> None:
    account = seed.account(runtime, member)
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        key = MessageKey(account.id, "INBOX", 7, 1)
        action = actions.add(connection, member.id, "flag", key, now, arguments={"add": ["\\Seen"]})
        assert actions.claim(connection, action, "soinbox sync")

    def due() -> list[int]:
        acting.recover(starting)
        with runtime.db.read() as connection:
            return [each.id for each in actions.due(connection, account.id, now)]

    starting = build(runtime.settings, runtime.clock)  # a mailroom that starts
    try:
        with locks.held(runtime.settings.instance / f"pushing-{account.id}.lock"):
            assert due() == []
        assert due() == [action]
    finally:
        starting.close()
