"""The heartbeat of the mailroom: a locked database is outlived, another's lease ends the work."""

import sqlite3
import threading
import time

import pytest

from soinbox_web.runtime import Runtime
from soinbox_web.store import database, leases
from soinbox_web.store.database import Database
from soinbox_web.workers import mailroom


@pytest.fixture
def beating(runtime: Runtime, monkeypatch: pytest.MonkeyPatch):
    """A quick heartbeat of holder `a`: the event that is set when its work has to end."""
    monkeypatch.setattr(mailroom, "HEARTBEAT", 0.1)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    stop, working = threading.Event(), threading.Event()
    thread = threading.Thread(target=mailroom._beat, args=(runtime, "a", stop, working))
    thread.start()
    yield working
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_a_locked_database_is_outlived(runtime: Runtime, beating: threading.Event) -> None:
    other = sqlite3.connect(runtime.db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    time.sleep(1.0)
    other.execute("ROLLBACK")
    other.close()
    assert not beating.is_set()


def test_anothers_lease_ends_the_work(runtime: Runtime, beating: threading.Event) -> None:
    with runtime.db.write() as connection:
        connection.execute("DELETE FROM leases")
        leases.take(connection, mailroom.LEASE, "b", runtime.clock.now())
    assert beating.wait(5)


@pytest.mark.parametrize("error", [MemoryError(), OSError(28, "No space left on device")])
def test_an_error_of_any_kind_while_the_lease_is_taken_ends_nothing(
    runtime: Runtime, error: Exception
) -> None:
    class Failing(Database):
        def _connect(self) -> sqlite3.Connection:
            raise error

    runtime.db = Failing(runtime.settings.database_path)
    assert mailroom._taken(runtime, "a") is False
    assert mailroom._taken(runtime, "a", unknown=True) is True
