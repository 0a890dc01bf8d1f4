"""Told to stop: by a signal, however many come and whatever they interrupt; by a parent that is gone."""

import ctypes
import os
import signal
import threading
from types import FrameType

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def stop_with_parent(parent: int | None = None, by: signal.Signals = signal.SIGTERM) -> None:
    """From now on the kernel sends this process a signal when the one that began it is gone (Linux only).

    `parent` is that one's id, for a process that may have lost it already.
    """
    if hasattr(_LIBC, "prctl"):
        _LIBC.prctl(_PR_SET_PDEATHSIG, by)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), by)


def stop_on(stop: threading.Event, *numbers: signal.Signals) -> None:
    """Set `stop` at the first of these signals; call it in the main thread.

    A thread of its own sets it: a handler runs between any two steps of the main thread, which may hold the
    event's lock at that moment, in `wait` or in a handler that was interrupted itself.
    """
    heard: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        if not heard:  # two may see this; that does no harm
            heard.append(number)
            threading.Thread(target=stop.set, name="stopping", daemon=True).start()

    for number in numbers:
        signal.signal(number, handle)
