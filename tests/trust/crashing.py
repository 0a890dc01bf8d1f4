"""Killed at step n: a process that works on a mailbox, and a counter that ends it with SIGKILL.

A step is whatever the outside can see: bytes sent to or read from the server, and the begin, the last moment
and the end of each write. They are counted by the socket class of TLS contexts and by a Database of our own.
"""

import os
import signal
import sqlite3
import ssl
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from soinbox_web.runtime import Runtime
from soinbox_web.store.database import Database


class Steps:
    """Counts; at step `last` the process gets this signal: gone, or stopped where it stands."""

    def __init__(self, last: int = 0, by: signal.Signals = signal.SIGKILL) -> None:
        self.count = 0
        self._last = last
        self._by = by

    def step(self) -> None:
        self.count += 1
        if self.count == self._last:
            os.kill(os.getpid(), self._by)


def count_sockets(steps: Steps) -> None:
    """Count what goes over TLS from now on; for a child process only: it cannot be taken back."""

    class Socket(ssl.SSLSocket):
        def recv(self, *arguments: Any) -> bytes:
            data = super().recv(*arguments)
            steps.step()
            return data

        def sendall(self, data: Any, flags: int = 0) -> None:
            steps.step()
            super().sendall(data, flags)
            steps.step()

    ssl.SSLContext.sslsocket_class = Socket


def counted(steps: Steps, base: type[Database] = Database) -> type[Database]:
    """A database that counts when a write begins, before it is committed and after."""

    class Counted(base):  # type: ignore[valid-type, misc]
        @contextmanager
        def write(self) -> Iterator[sqlite3.Connection]:
            inner = self.connection().in_transaction
            if not inner:
                steps.step()
            with super().write() as connection:
                yield connection
                if not inner:
                    steps.step()
            if not inner:
                steps.step()

    return Counted


Build = Callable[[type[Database]], Runtime]
Work = Callable[[Runtime], None]


def in_child(build: Build, work: Work, last: int = 0, database: type[Database] = Database) -> int:
    """Run `work` in a child process and kill it at step `last`; how many steps it came to.

    0 means that it was killed; RuntimeError when it ended in another way than by the kill or by itself.
    """
    child, read = _begun(build, work, Steps(last), database)
    return _ended(child, read)


@contextmanager
def stopped_in_child(build: Build, work: Work, at: int) -> Iterator[None]:
    """Run `work` in a child process that stands still at step `at` while the block runs, then goes on."""
    child, read = _begun(build, work, Steps(at, signal.SIGSTOP), Database)
    _, status = os.waitpid(child, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        raise RuntimeError(f"the child ended before step {at}")
    try:
        yield
    finally:
        os.kill(child, signal.SIGCONT)
        _ended(child, read)


def _begun(build: Build, work: Work, steps: Steps, database: type[Database]) -> tuple[int, int]:
    """Its process id, and the pipe on which it tells its steps."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(read)
            count_sockets(steps)
            runtime = build(counted(steps, database))
            work(runtime)
            runtime.close()
            os.write(write, str(steps.count).encode())
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(write)
    return child, read


def _ended(child: int, read: int) -> int:
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read()
    _, ended = os.waitpid(child, 0)
    if os.WIFSIGNALED(ended) and os.WTERMSIG(ended) == signal.SIGKILL:
        return 0
    if os.waitstatus_to_exitcode(ended) != 0:
        raise RuntimeError(f"the child ended with {os.waitstatus_to_exitcode(ended)}")
    return int(told)
