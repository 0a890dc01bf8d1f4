"""Many accounts need many open files; running out of them is no damage."""

import contextlib
import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from soinbox_web.model.member import Member
from soinbox_web.problems import StoreError
from soinbox_web.runtime import FILES, Runtime, build
from soinbox_web.services import sync
from soinbox_web.store import accounts
from tests import seed


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
