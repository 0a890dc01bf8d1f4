"""Parsing where it can be killed: large messages are read by one of two child processes."""

import atexit
import dataclasses
import json
import os
import queue
import select
import struct
import subprocess
import sys
import threading
from datetime import datetime
from time import monotonic
from typing import Any

from soinbox_web.mail.mime.parse import parse, part_bytes, source_only
from soinbox_web.model.message import Attachment, Correspondent, ParsedMessage

SMALL = 256 * 1024  # bytes; smaller is read at once: the caps bound it to a few ms (tests print the figure)
SECONDS = 10.0
MEMORY = 512 * 1024 * 1024
WORKERS = 2
_WAIT = 30.0  # for a free worker
_LENGTH = struct.Struct(">I")
_HEAD = struct.Struct(">Ii")  # length of the message, and the part asked for
_WHOLE = -1


def parse_guarded(raw: bytes) -> ParsedMessage:
    """`parse` for any size and malice; `source_only` when reading it took too much. Never raises."""
    if len(raw) <= SMALL:
        return parse(raw)
    try:
        return _from_json(json.loads(_pool().ask(raw, _WHOLE)))
    except TimeoutError as error:
        return source_only(raw, str(error))


def part_guarded(raw: bytes, part: int) -> tuple[str, str, bytes]:
    """`part_bytes` for any size and malice; KeyError also when reading it took too much."""
    if len(raw) <= SMALL:
        return part_bytes(raw, part)
    if not 0 <= part < 1 << 31:
        raise KeyError(part)
    try:
        head, _, content = _pool().ask(raw, part).partition(b"\n")
    except TimeoutError as error:
        raise KeyError(part) from error
    if not head:
        raise KeyError(part)
    media_type, name = json.loads(head)
    return media_type, name, content


class _Pool:
    """Child processes, started when needed, given back after use, replaced when they died."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.idle: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(WORKERS):
            self.idle.put(None)

    def ask(self, raw: bytes, part: int) -> bytes:
        """A child's answer; TimeoutError with the reason in words when there is none."""
        try:
            child = self.idle.get(timeout=_WAIT)
        except queue.Empty:
            raise TimeoutError("too busy to read it now") from None
        try:
            child = child if child is not None and child.alive else _Child()
            return child.ask(raw, part)
        except (OSError, ValueError, EOFError) as error:
            if child is not None:
                child.close()
                child = None
            raise TimeoutError("reading it took too much time or memory") from error
        finally:
            self.idle.put(child)

    def close(self) -> None:
        if self.owner != os.getpid():
            return
        for _ in range(WORKERS):
            try:
                child = self.idle.get_nowait()
            except queue.Empty:
                return
            if child is not None:
                child.close()


class _Child:
    """One process: a length, a part and the message in; a length and the answer out."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "soinbox_web.mail.mime.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        assert self.process.stdin is not None
        os.set_blocking(self.process.stdin.fileno(), False)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def ask(self, raw: bytes, part: int) -> bytes:
        deadline = monotonic() + SECONDS
        self._write(_HEAD.pack(len(raw), part), deadline)
        self._write(raw, deadline)
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size, deadline))
        return self._read(length, deadline)

    def _write(self, raw: bytes, deadline: float) -> None:
        assert self.process.stdin is not None
        descriptor = self.process.stdin.fileno()
        left = memoryview(raw)
        while left:
            _, writable, _ = select.select([], [descriptor], [], max(0.0, deadline - monotonic()))
            if not writable:
                raise TimeoutError
            left = left[os.write(descriptor, left) :]

    def _read(self, size: int, deadline: float) -> bytes:
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        out = bytearray()
        while len(out) < size:
            readable, _, _ = select.select([descriptor], [], [], max(0.0, deadline - monotonic()))
            if not readable:
                raise TimeoutError
            piece = os.read(descriptor, min(size - len(out), 1024 * 1024))
            if not piece:
                raise EOFError
            out += piece
        return bytes(out)

    def close(self) -> None:
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    pass
        self.process.wait()


_lock = threading.Lock()
_current: _Pool | None = None


def _pool() -> _Pool:
    """The pool of this process: a forked child never shares its parent's."""
    global _current
    with _lock:
        if _current is None or _current.owner != os.getpid():
            _current = _Pool()
            atexit.register(_current.close)
        return _current


def _to_json(message: ParsedMessage) -> bytes:
    fields = dataclasses.asdict(message)
    fields["date"] = message.date.isoformat() if message.date else None
    return json.dumps(fields).encode("utf-8", "surrogatepass")


def _from_json(fields: dict[str, Any]) -> ParsedMessage:
    people = {
        name: tuple(Correspondent(*person) for person in fields[name])
        for name in ("sender", "reply_to", "to", "cc", "bcc")
    }
    return ParsedMessage(
        **{
            **fields,
            **people,
            "date": datetime.fromisoformat(fields["date"]) if fields["date"] else None,
            "attachments": tuple(Attachment(**attachment) for attachment in fields["attachments"]),
            "references": tuple(fields["references"]),
            "defects": tuple(fields["defects"]),
        }
    )


def _part_answer(raw: bytes, part: int) -> bytes:
    """Its type and name as a line of JSON, then its bytes; empty when there is none."""
    try:
        media_type, name, content = part_bytes(raw, part)
    except KeyError:
        return b""
    return json.dumps([media_type, name]).encode() + b"\n" + content


def _serve() -> None:
    """The child's loop; ends with its input."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    while head := stdin.read(_HEAD.size):
        length, part = _HEAD.unpack(head)
        raw = stdin.read(length)
        answer = _to_json(parse(raw)) if part == _WHOLE else _part_answer(raw, part)
        stdout.write(_LENGTH.pack(len(answer)) + answer)
        stdout.flush()


if __name__ == "__main__":
    _serve()
