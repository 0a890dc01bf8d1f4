"""Threads shared between clients: parts, turns, and queues that end."""

import threading
from collections.abc import Callable

import pytest

from soinbox_web.fair import FairPool, Full


def holding(pool: FairPool, client: str, count: int, until: threading.Event) -> list[threading.Event]:
    """So many jobs of one client that hold a thread; each sets its event when it has one."""
    begun = [threading.Event() for _ in range(count)]

    def hold(mine: threading.Event) -> None:
        mine.set()
        until.wait(30)

    for each in begun:
        pool.submit(client, hold, each)
    return begun


@pytest.fixture
def over() -> threading.Event:
    return threading.Event()


@pytest.mark.parametrize("jobs", [8, 16, 80])
def test_one_client_has_half_at_most(jobs: int, over: threading.Event) -> None:
    pool = FairPool(8, "test")
    begun = holding(pool, "greedy", jobs, over)
    assert pool.submit("other", lambda: "served").result(10) == "served"
    assert sum(each.is_set() for each in begun) == 4
    over.set()
    assert all(each.wait(10) for each in begun)


def test_groups_have_their_part_too(over: threading.Event) -> None:
    pool = FairPool(8, "test")
    begun = [threading.Event() for _ in range(6)]

    def hold(mine: threading.Event) -> None:
        mine.set()
        over.wait(30)

    for number, each in enumerate(begun):
        pool.submit(number, hold, each, shares={"one host": 2})
    assert pool.submit(0, lambda: "served", shares={"other host": 2}).result(10) == "served"
    assert sum(each.is_set() for each in begun) == 2
    over.set()
    assert all(each.wait(10) for each in begun)


def test_clients_that_wait_take_turns(over: threading.Event) -> None:
    pool, order = FairPool(1, "test"), list[str]()
    holding(pool, "first", 1, over)
    say: Callable[[str], None] = order.append
    told = [pool.submit("greedy", say, "greedy") for _ in range(5)]
    told += [pool.submit("other", say, "other")]
    over.set()
    for each in told:
        each.result(10)
    assert order.index("other") <= 1


def test_a_full_queue_is_told_and_what_was_given_up_makes_room(over: threading.Event) -> None:
    pool = FairPool(2, "test", waiting=3)
    holding(pool, "greedy", 1, over)
    waiting = [pool.submit("greedy", int) for _ in range(3)]
    with pytest.raises(Full):
        pool.submit("greedy", int)
    assert waiting[0].cancel()
    assert not pool.submit("greedy", int).done()
    over.set()


def test_a_fault_gives_its_thread_back() -> None:
    pool = FairPool(1, "test")
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            pool.submit("one", lambda: 1 // 0).result(10)
    assert pool.submit("one", int).result(10) == 0


def test_a_pool_whose_first_threads_could_not_begin_works_later() -> None:
    """A page that was opened while the system had no threads left has its turn when it has."""
    pool = FairPool(4, "test")
    before = threading.stack_size(1 << 45)  # the system refuses every thread
    try:
        jobs = [pool.submit(f"client {number}", lambda: "done") for number in range(8)]
    finally:
        threading.stack_size(before)
    assert pool.submit("one more", lambda: "done").result(30) == "done"
    assert [job.result(30) for job in jobs] == ["done"] * 8
