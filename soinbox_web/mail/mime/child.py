"""A reading child and its parent's end of it: a job in, an answer out, within a time the kernel keeps."""

import json
import os
import select
import signal
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, BinaryIO

MEMORY = 512 * 1024 * 1024
WALL = 5.0  # times the seconds of CPU that a job may take: a busy machine kills no honest mail
LARGEST_VALUE = 4_000_000  # bytes of JSON
LARGEST_BLOBS = 100_000_000
NO_TIME = -signal.SIGPROF  # exit codes
NO_MEMORY = 3
TOO_LARGE = 4
_HEAD = struct.Struct(">IId")  # lengths of the job's words and of the bytes to read, seconds of CPU
_LENGTH = struct.Struct(">BIQ")  # what follows this piece, length of its JSON and of the bytes behind it
_LAST, _MORE, _MORE_ANEW = range(3)


@dataclass(slots=True)
class Told:
    """What a job has answered so far: the values of its pieces united, their bytes in order."""

    value: Any = None
    blobs: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, value: Any, blobs: list[bytes], size: int) -> None:
        self.value = {**self.value, **value} if isinstance(self.value, dict) else value
        self.blobs += blobs
        self.size += size


class Broken(Exception):
    """No whole answer came; `code` tells how the child ended (subprocess.Popen.returncode)."""

    def __init__(self, code: int | None = None, told: Told | None = None) -> None:
        super().__init__(code)
        self.code, self.told = code, told or Told()


class Slow(Broken):
    """The child is not heard of, or somebody killed it: a machine may be that busy, or so short of memory, so
    it says nothing about what was read.
    """


class Child:
    """One process. It ends when its input does, so also with its parent, however that one ends."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "soinbox_web.mail.mime.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin.fileno(), self.process.stdout.fileno()
        os.set_blocking(self.stdin, False)
        try:
            self._read(1, monotonic() + 60)  # ready: what it takes to begin is no job's time
        except Broken:
            self.close()
            raise

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def ask(self, job: str, raw: bytes, given: Any, seconds: float) -> Told:
        """The job's whole answer. Raises Broken with what came of it; then this child is of no more use."""
        told = Told()
        try:
            deadline = monotonic() + seconds * WALL
            words = json.dumps([job, given]).encode()
            self._write(_HEAD.pack(len(words), len(raw), seconds) + words, deadline)
            self._write(raw, deadline)
            follows = _MORE
            while follows != _LAST:
                follows, length, beside = _LENGTH.unpack(self._read(_LENGTH.size, deadline))
                if length > LARGEST_VALUE or told.size + length + beside > LARGEST_BLOBS:
                    raise Broken(TOO_LARGE)
                value, sizes = json.loads(self._read(length, deadline))
                told.add(value, [self._read(size, deadline) for size in sizes], length + beside)
                if follows == _MORE_ANEW:
                    deadline = monotonic() + seconds * WALL
        except Broken as error:
            error.told = told
            raise
        except (OSError, ValueError) as error:
            raise Broken(self._ended(), told) from error
        return told

    def _write(self, raw: bytes, deadline: float) -> None:
        left = memoryview(raw)
        while left:
            _wait(self.stdin, select.POLLOUT, deadline)
            try:
                left = left[os.write(self.stdin, left) :]
            except BrokenPipeError as error:
                raise self._broken() from error

    def _read(self, size: int, deadline: float) -> bytes:
        out = bytearray()
        while len(out) < size:
            _wait(self.stdout, select.POLLIN, deadline)
            piece = os.read(self.stdout, min(size - len(out), 1024 * 1024))
            if not piece:
                raise self._broken()
            out += piece
        return bytes(out)

    def _broken(self) -> Broken:
        code = self._ended()
        return Slow(code) if code == -signal.SIGKILL else Broken(code)

    def _ended(self) -> int | None:
        try:
            return self.process.wait(1.0)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:
                pass
        self.process.wait()


def _wait(descriptor: int, event: int, deadline: float) -> None:
    """By poll: select fails where a process has more than a thousand descriptors."""
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, deadline - monotonic()) * 1000):
        raise Slow


def serve(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """The child's life. Beyond its seconds of CPU the kernel ends it, whatever code it is in."""
    import resource

    from soinbox_web.mail.mime.jobs import JOBS, warm_up

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for told in (signal.SIGINT, signal.SIGTERM):  # all of a service hears them; it ends with its parent
        signal.signal(told, signal.SIG_IGN)
    warm_up()
    stdout.write(b"+")
    stdout.flush()
    while head := stdin.read(_HEAD.size):
        words_length, length, seconds = _HEAD.unpack(head)
        job, given = json.loads(stdin.read(words_length))
        raw = stdin.read(length)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        for answer in JOBS[job](raw, given):
            value = json.dumps([answer.value, [len(blob) for blob in answer.blobs]]).encode()
            if answer.last or answer.anew:
                signal.setitimer(signal.ITIMER_PROF, 0 if answer.last else seconds)
            follows = _LAST if answer.last else _MORE_ANEW if answer.anew else _MORE
            stdout.write(_LENGTH.pack(follows, len(value), sum(map(len, answer.blobs))) + value)
            for blob in answer.blobs:
                stdout.write(blob)
            stdout.flush()


if __name__ == "__main__":
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except MemoryError:
        os._exit(NO_MEMORY)
