"""Locks of the operating system: the kernel lets go of them when their holder dies, in whatever way."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from soinbox_web.problems import Problem, StoreError


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Whether this lock is ours until the end of the block; somebody else's is not waited for.

    The file is removed afterwards, also the one that a dead holder left.
    """
    try:
        lock = path.open("ab")
    except OSError as error:
        raise unusable(path.parent, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        if not os.fstat(lock.fileno()).st_nlink:  # its last holder removed it just now
            yield False
            return
        try:
            yield True
        finally:
            path.unlink(missing_ok=True)


def unusable(place: Path, error: OSError) -> StoreError:
    """What to raise where the system refuses a folder or a file of the instance."""
    facts = {"path": str(place)}
    return StoreError(Problem("instance_unusable", evidence=error.strerror or "", facts=facts))
