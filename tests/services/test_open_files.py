"""Many accounts need many open files; running out of them is no damage, and none is kept for nothing."""

import contextlib
import gc
import resource
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from soinbox_web.model.account import Account
from soinbox_web.model.listing import Query
from soinbox_web.model.member import Member
from soinbox_web.problems import StoreError
from soinbox_web.runtime import FILES, Runtime, build
from soinbox_web.services import accounts as services
from soinbox_web.services import reading, sync
from soinbox_web.store import accounts
from tests import seed
from tests.clock import HandClock


@contextmanager
def allowed(number: int) -> Iterator[None]:
    """This process may open so many files for a while."""
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)


def test_as_many_files_may_be_open_as_the_system_allows(runtime: Runtime) -> None:
    with allowed(1024):
        build(runtime.settings, runtime.clock).close()
        now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert now >= (FILES if most == resource.RLIM_INFINITY else min(FILES, most))


def test_a_mailbox_is_not_thrown_away_for_want_of_open_files(runtime: Runtime, member: Member) -> None:
    account = seed.account(runtime, member)
    with ThreadPoolExecutor(1) as pool, contextlib.ExitStack() as held:
        pool.submit(lambda: runtime.db.connection().execute("SELECT 1")).result()
        held.enter_context(allowed(len(list(Path("/proc/self/fd").iterdir())) + 20))
        with contextlib.suppress(OSError):
            while True:
                held.enter_context(Path("/dev/null").open())
        unfit = pool.submit(sync.discard_unfit, runtime, account.id, thorough=True)
        with pytest.raises(StoreError):
            unfit.result()
    with runtime.db.read() as connection:
        assert accounts.read(connection, account.id).generation == account.generation


def test_what_another_process_deleted_is_let_go_of(
    runtime: Runtime, member: Member, colleague: Member, clock: HandClock
) -> None:
    replaced, removed = seed.account(runtime, member), seed.account(runtime, colleague)
    web = build(runtime.settings, clock)

    def look(user: Member, account: Account) -> list[int]:
        """Six threads read it at once."""
        together = threading.Barrier(6)

        def read(_: int) -> int:
            together.wait(5)
            return reading.listing(web, user.id, account.id, Query()).count

        return list(pool.map(read, range(6)))

    with ThreadPoolExecutor(6) as pool:
        look(member, replaced)
        look(colleague, removed)
        with runtime.db.write() as connection:
            accounts.next_generation(connection, replaced, clock.now())
        runtime.forget_mailbox(replaced.id, replaced.generation)
        services.remove(runtime, removed.id)
        look(member, replaced)
        gc.collect()
        open_now = [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    instance = str(runtime.settings.instance)
    assert [name for name in open_now if instance in name and "(deleted)" in name] == []
    web.close()
