"""The watcher goes on, whatever it meets."""

import sqlite3
import threading
from collections.abc import Iterator

import pytest

from soinbox_web.clock import Clock
from soinbox_web.model.member import Member
from soinbox_web.runtime import Runtime
from soinbox_web.store import changes
from soinbox_web.web.watcher import Listener, Watcher


@pytest.fixture
def watcher(runtime: Runtime) -> Iterator[Watcher]:
    found = Watcher(runtime)
    yield found
    found.stop()


def changed(runtime: Runtime, clock: Clock, member: Member) -> None:
    with runtime.db.write() as connection:
        changes.record(connection, "draft", clock.now(), user_id=member.id)


def test_no_thread_now_is_no_reason_to_be_silent_later(
    runtime: Runtime, clock: Clock, member: Member, watcher: Watcher
) -> None:
    before = threading.stack_size(1 << 45)  # the system refuses every thread
    try:
        with pytest.raises(RuntimeError):
            watcher.join(Listener(member.id, lambda: None), "")
    finally:
        threading.stack_size(before)
    rung = threading.Event()
    watcher.join(Listener(member.id, rung.set), "")
    rung.clear()
    changed(runtime, clock, member)
    assert rung.wait(20)


def test_a_fault_that_nobody_thought_of_ends_no_stream(
    runtime: Runtime, clock: Clock, member: Member, watcher: Watcher
) -> None:
    faults = [sqlite3.ProgrammingError("a fault of ours")]
    rung = threading.Event()

    def ring() -> None:
        if faults:
            raise faults.pop()
        rung.set()

    listener = Listener(member.id, rung.set)
    watcher.join(listener, "")
    listener._ring = ring
    rung.clear()
    changed(runtime, clock, member)
    for _ in range(2):
        changed(runtime, clock, member)
        if rung.wait(10):
            break
    assert rung.is_set() and not faults
