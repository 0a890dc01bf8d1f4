"""The watch: what ends by an error is begun again, later each time, and that is known to the pages."""

import threading
from collections.abc import Iterator
from functools import partial

import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.runtime import Runtime
from soinbox_web.store import fallen
from soinbox_web.threads import Threads
from soinbox_web.workers import mailroom
from soinbox_web.workers.scheduler import Life, Scheduler, Wait, Woken
from soinbox_web.workers.watch import Watch
from tests.workers.conftest import Eventually


def test_a_worker_that_falls_is_begun_again_later_each_time(clock: SystemClock) -> None:
    watch, stop, begun = Watch(clock), threading.Event(), list[float]()

    def work() -> None:
        begun.append(clock.monotonic())
        if len(begun) == 3:
            stop.set()
        raise MemoryError

    watch.begin("janitor", work, stop).join(20)
    assert begun[1] - begun[0] >= 1 and begun[2] - begun[1] >= 2
    assert [(each.part, each.count) for each in watch.fallen()] == [("janitor", 3)]


def test_what_keeps_falling_is_told_with_the_heartbeat(runtime: Runtime) -> None:
    told = [fallen.Fallen("outbox", 2, runtime.clock.now()), fallen.Fallen("janitor", 1, runtime.clock.now())]
    assert mailroom._taken(runtime, "a", told)
    with runtime.db.read() as connection:
        assert [each.part for each in fallen.all(connection)] == ["outbox"], "once is no habit"
    assert mailroom._taken(runtime, "a")
    with runtime.db.read() as connection:
        assert fallen.all(connection) == []


class Refusing(Threads):
    """On a machine that begins no thread for now."""

    refuses = True

    def _adjust_thread_count(self) -> None:
        before = threading.Thread.start
        if self.refuses:
            threading.Thread.start = _refused  # type: ignore[method-assign]
        try:
            super()._adjust_thread_count()
        finally:
            threading.Thread.start = before  # type: ignore[method-assign]


def _refused(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_work_for_which_no_thread_begins_is_kept() -> None:
    pool, done = Refusing(2, "pool"), threading.Event()
    pool.submit(done.set)
    assert not done.wait(0.2)
    pool.catch_up()
    assert not done.wait(0.2)
    pool.refuses = False
    pool.catch_up()
    assert done.wait(5)
    pool.shutdown()


@pytest.fixture
def loop() -> Iterator[Scheduler]:
    stop = threading.Event()
    loop = Scheduler(SystemClock(), threads=2)
    thread = Watch(SystemClock()).begin("loop", partial(loop.run, stop), stop)
    yield loop
    stop.set()
    thread.join(5)
    loop.close()


def test_what_fails_after_a_piece_of_a_life_does_not_end_it(loop: Scheduler, eventually: Eventually) -> None:
    """Connections that cannot be given back, for example."""
    steps = list[Woken]()

    def life() -> Life:
        for _ in range(3):
            steps.append((yield Wait(0.01)))

    def after() -> None:
        raise OSError(5, "Input/output error")

    bell = loop.bell("a")
    loop.begin(bell, life(), after)
    eventually(lambda: bell.over)
    assert len(steps) == 3


@pytest.mark.parametrize("where", ["fileno", "waiting"])
def test_a_line_that_fails_holds_no_other_life_up(
    loop: Scheduler, eventually: Eventually, where: str
) -> None:
    class Line:
        def fileno(self) -> int:
            raise MemoryError if where == "fileno" else OSError

        @property
        def waiting(self) -> bool:
            if where == "waiting":
                raise MemoryError
            return False

    def life() -> Life:
        for _ in range(20):
            assert (yield Wait(60, Line())).readable

    bells = [loop.bell(name) for name in "abc"]
    for bell in bells:
        loop.begin(bell, life(), lambda: None)
    eventually(lambda: all(bell.over for bell in bells))


def test_a_loop_that_fell_goes_on_where_it_stood(eventually: Eventually) -> None:
    class Failing(SystemClock):
        failures = 2

        def monotonic(self) -> float:
            if threading.current_thread().name == "loop" and bell.waiting and Failing.failures:
                Failing.failures -= 1
                raise MemoryError
            return super().monotonic()

    def life() -> Life:
        yield Wait(0.1)
        yield Wait(0.1)

    stop, loop = threading.Event(), Scheduler(Failing(), threads=2)
    bell = loop.bell("a")
    thread = Watch(SystemClock()).begin("loop", partial(loop.run, stop), stop)
    loop.begin(bell, life(), lambda: None)
    eventually(lambda: bell.over, 30)
    assert not Failing.failures
    stop.set()
    thread.join(5)
    loop.close()
