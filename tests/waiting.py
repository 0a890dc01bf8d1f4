"""Tests wait for what they expect, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def until(
    condition: Callable[[], Answer], *, seconds: float, told: Callable[[], object] = lambda: ""
) -> Answer:
    """The first answer that is true; AssertionError with `told()` when none came in `seconds`."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < end, f"nothing within {seconds} s: {told()}"
        time.sleep(0.02)
    return answer
