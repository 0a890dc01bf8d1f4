"""A mailroom at work in threads, on the machine's clock."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.runtime import Runtime
from soinbox_web.workers.supervisor import Supervisor

Eventually = Callable[..., float]


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def supervisor(runtime: Runtime) -> Iterator[Supervisor]:
    """A supervisor that runs until the test ends."""
    stop = threading.Event()
    supervisor = Supervisor(runtime)
    thread = threading.Thread(target=supervisor.run, args=(stop,), daemon=True)
    thread.start()
    yield supervisor
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


@pytest.fixture
def eventually() -> Eventually:
    """Wait until something holds; the seconds it took. Fails after `within` seconds."""

    def wait(holds: Callable[[], object], within: float = 5.0) -> float:
        begin = time.monotonic()
        while not holds():
            if time.monotonic() - begin > within:
                pytest.fail(f"not within {within} s")
            time.sleep(0.01)
        return time.monotonic() - begin

    return wait
