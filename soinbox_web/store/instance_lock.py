"""The lock of an instance: whoever uses its files shares it, whoever replaces them has it alone.

The kernel lets go of it when its holder dies, in whatever way. Its file also tells that the instance was made
once: what is missing then is lost, and never made anew in silence.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from soinbox_web.problems import Problem, StoreError
from soinbox_web.store.locks import unusable

NAME = "in-use.lock"
_MADE = b"soinbox\n"
_LOCKS = Path("/proc/locks")
WAITS = (0.001, 0.01, 0.05)  # seconds; `in_use` has it alone for an instant


def share(instance: Path) -> FileIO:
    """Use the instance until the answer is closed; StoreError instance_restoring while it is replaced."""
    lock = _opened(instance)
    for wait in (*WAITS, None):
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            break
        except BlockingIOError as error:
            if wait is None:
                lock.close()
                raise StoreError(Problem("instance_restoring")) from error
            time.sleep(wait)
        except OSError as error:  # not every file system has locks
            lock.close()
            raise unusable(instance, error) from error
    return lock


@contextmanager
def alone(instance: Path) -> Iterator[FileIO]:
    """Nobody uses the instance until the block ends; StoreError instance_running tells who does."""
    with _opened(instance) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(Problem("instance_running", evidence=_users(lock))) from error
        except OSError as error:
            raise unusable(instance, error) from error
        yield lock


def in_use(instance: Path) -> bool:
    """Whether anything runs on the instance; nothing is made or changed by asking."""
    try:
        descriptor = os.open(instance / NAME, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:  # who runs it may open it
        return True
    with FileIO(descriptor) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def users(instance: Path) -> str:
    """Who else uses the instance, for a person to read; "" where that is not told."""
    with _opened(instance) as lock:
        return _users(lock)


def was_made(instance: Path) -> bool:
    """Whether this folder has been a whole instance before."""
    try:
        return bool((instance / NAME).stat().st_size)
    except FileNotFoundError:
        return False


def mark_made(lock: FileIO) -> None:
    """From now on the instance is one that was made."""
    if not os.fstat(lock.fileno()).st_size:
        os.write(lock.fileno(), _MADE)


def _opened(instance: Path) -> FileIO:
    try:
        descriptor = os.open(instance / NAME, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        return FileIO(descriptor, "r+")
    except OSError as error:
        raise unusable(instance, error) from error


def _users(lock: FileIO) -> str:
    """The programs that hold the lock, as Linux tells them; "" where it does not."""
    inode = os.fstat(lock.fileno()).st_ino
    try:
        rows = [line.split() for line in _LOCKS.read_text().splitlines()]
    except OSError:
        return ""
    holders = {int(row[4]) for row in rows if row[1] == "FLOCK" and row[5].rpartition(":")[2] == str(inode)}
    return ", ".join(_program(pid) for pid in sorted(holders - {os.getpid()}))


def _program(pid: int) -> str:
    """`soinbox web (1234)`: as it was started; a web server starts its workers by code of its own."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return str(pid)
    at = next((n for n, word in enumerate(words) if word.endswith(("soinbox", "soinbox_web.cli"))), None)
    command = "web" if at is None else " ".join(words[at + 1 : at + 2])
    return f"soinbox {command} ({pid})"
