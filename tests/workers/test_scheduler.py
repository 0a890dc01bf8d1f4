"""The loop: lives that wait cost no thread, those of one server share a part, nothing that wakes is lost."""

import socket
import threading
import time
from collections.abc import Iterator
from functools import partial

import psutil
import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.workers.scheduler import Bell, Life, Scheduler, Wait
from tests.workers.conftest import Eventually


class Line:
    """A socket that a life listens to."""

    def __init__(self) -> None:
        self.here, self.there = socket.socketpair()

    def fileno(self) -> int:
        return self.here.fileno()

    @property
    def waiting(self) -> bool:
        return False


@pytest.fixture
def loop() -> Iterator[Scheduler]:
    stop = threading.Event()
    loop = Scheduler(SystemClock(), threads=6, of_one_server=2)
    thread = threading.Thread(target=loop.run, args=(stop,), daemon=True)
    thread.start()
    yield loop
    stop.set()
    thread.join(5)
    loop.close()


def begin(
    loop: Scheduler, life: Life, lane: str = "a", bell: Bell | None = None, user: int | None = None
) -> Bell:
    bell = bell or loop.bell(lane, user)
    loop.begin(bell, life, lambda: None)
    return bell


def test_a_thousand_lives_wait_in_one_thread(loop: Scheduler, eventually: Eventually) -> None:
    lines = [Line() for _ in range(400)]
    heard: list[int] = []

    def life(number: int, line: Line) -> Life:
        woken = yield Wait(60, line)
        assert woken.readable and not woken.rung
        heard.append(number)

    for number, line in enumerate(lines):
        begin(loop, life(number, line), lane=f"{number}")
    time.sleep(0.3)
    assert sum(thread.name.startswith("mailroom") for thread in threading.enumerate()) <= 6
    for number in (7, 390, 0):
        lines[number].there.send(b"x")
        eventually(lambda number=number: number in heard)
    assert sorted(heard) == [0, 7, 390]
    for line in lines:
        line.here.close()
        line.there.close()


def test_servers_that_hang_take_a_part_of_the_threads_only(loop: Scheduler, eventually: Eventually) -> None:
    release, done = threading.Event(), threading.Event()

    def hanging() -> Life:
        release.wait(10)
        yield Wait(0)

    def healthy() -> Life:
        yield Wait(0)
        done.set()

    stuck = [begin(loop, hanging(), lane="dead.example") for _ in range(20)]
    begin(loop, healthy(), lane="well.example")
    assert done.wait(2), "an account of another server goes on"
    release.set()
    eventually(lambda: all(bell.over for bell in stuck))


@pytest.mark.parametrize("servers", [3, 6, 12])
def test_a_user_with_many_servers_that_hang_takes_half_of_the_threads(
    loop: Scheduler, eventually: Eventually, servers: int
) -> None:
    release, done = threading.Event(), threading.Event()

    def hanging() -> Life:
        release.wait(30)
        yield Wait(0)

    def healthy() -> Life:
        yield Wait(0)
        done.set()

    stuck = [begin(loop, hanging(), f"{n % servers}.example", user=1) for n in range(5 * servers)]
    well = begin(loop, healthy(), "well.example", user=2)
    shared = begin(loop, healthy(), "0.example", user=3)
    assert done.wait(5), "an account of another user goes on"
    release.set()
    eventually(lambda: all(bell.over for bell in (*stuck, well, shared)))
    eventually(lambda: not loop._lanes and not loop._queued)


def test_a_bell_that_rings_during_work_is_heard_at_the_next_wait(
    loop: Scheduler, eventually: Eventually
) -> None:
    at_work, go_on = threading.Event(), threading.Event()
    rung: list[bool] = []

    def life() -> Life:
        at_work.set()
        go_on.wait(5)
        rung.append((yield Wait(60)).rung)
        rung.append((yield Wait(0.05)).rung)

    bell = begin(loop, life())
    assert at_work.wait(2)
    bell.ring()
    go_on.set()
    eventually(lambda: bell.over)
    assert rung == [True, False]


def test_times_are_kept_in_order(loop: Scheduler, eventually: Eventually) -> None:
    ended: list[float] = []

    def life(seconds: float) -> Life:
        yield Wait(seconds)
        ended.append(seconds)

    bells = [begin(loop, life(seconds), lane=f"{seconds}") for seconds in (0.3, 0.1, 0.2)]
    eventually(lambda: all(bell.over for bell in bells))
    assert ended == [0.1, 0.2, 0.3]


def test_a_line_that_is_cut_wakes(loop: Scheduler, eventually: Eventually) -> None:
    line = Line()

    def life() -> Life:
        woken = yield Wait(60, line)
        assert woken.readable

    bell = begin(loop, life())
    time.sleep(0.1)
    line.there.close()
    eventually(lambda: bell.over)
    line.here.close()


def test_a_life_that_fails_ends_alone_and_gives_its_place_back(
    loop: Scheduler, eventually: Eventually
) -> None:
    def failing() -> Life:
        yield Wait(0)
        raise ValueError("a fault of ours")

    def quiet() -> Life:
        yield Wait(0.01)

    bells = [begin(loop, failing()) for _ in range(10)] + [begin(loop, quiet()) for _ in range(10)]
    eventually(lambda: all(bell.over for bell in bells))


def test_nothing_is_left_of_lives_that_ended(loop: Scheduler, eventually: Eventually) -> None:
    def life(line: Line) -> Life:
        yield Wait(60, line)

    before = psutil.Process().num_fds()
    for _ in range(200):
        line = Line()
        bell = begin(loop, life(line))
        bell.ring()
        eventually(partial(getattr, bell, "over"))
        line.here.close()
        line.there.close()
    assert psutil.Process().num_fds() <= before + 2
    assert not loop._lines and not loop._lanes and not loop._queued
