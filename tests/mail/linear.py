"""Whether what reading costs grows as the input does: of twice the bytes at most 2.5 times the CPU."""

import gc
import time
from collections.abc import Callable
from typing import Any

import pytest

TIMES = 2.5
FLOOR = 0.004  # seconds; what is below is lost in the noise of a machine
ROUNDS = 5


def cost(read: Callable[[Any], object], given: Any) -> float:
    """Seconds of CPU, the best of some rounds."""
    best = 1e9
    gc.collect()
    gc.freeze()  # what the tests hold is no part of the cost of looking for what can be let go
    for _ in range(ROUNDS):
        begun = time.process_time()
        read(given)
        best = min(best, time.process_time() - begun)
    gc.unfreeze()
    return best


def assert_linear(read: Callable[[Any], object], make: Callable[[int], Any], size: int) -> None:
    """Two doublings: a machine that is busy for a moment is not taken for a curve."""
    seconds = []
    for _ in range(3):
        seconds = [max(FLOOR, cost(read, make(size * factor))) for factor in (1, 2, 4)]
        if seconds[1] <= TIMES * seconds[0] and seconds[2] <= TIMES * seconds[1]:
            return
    pytest.fail(f"{[round(each * 1000, 1) for each in seconds]} ms for one, two and four times {size}")
