"""The bytes of one mail connection: lines and blocks, under a deadline and under caps."""

import contextlib
import re
import select
import socket
import ssl
from collections.abc import Callable

from soinbox_web.clock import Clock
from soinbox_web.mail.net.deflate import Deflate

CHUNK = 65_536
KEPT_ENDS = 4_096  # bytes at either end of a line that is too long


class Overflow(ConnectionError):
    """The other side sends more than a sane server would; the connection is of no further use."""


class LongLine(Overflow):
    """A line beyond its cap: its first and last bytes so far, and whether it is read to its end.

    Who can do without the line reads the rest past (`Wire.end_of_line`); the connection then goes on.
    """

    def __init__(self, line: bytes, limit: int) -> None:
        super().__init__(f"a line of more than {limit} bytes")
        self.head, self.tail, self.ended = line[:KEPT_ENDS], line[-KEPT_ENDS:], line.endswith(b"\n")


class Wire:
    """A socket with a buffer of its own.

    Every read and write ends at the deadline set by `allow`, however slowly bytes drip in (TimeoutError).
    A socket that somebody has set to non-blocking stays so (BlockingIOError, SSLWantReadError).
    """

    def __init__(self, sock: socket.socket, clock: Clock) -> None:
        self.sock = sock
        self._clock = clock
        self._deadline = self._end = self._patience = 0.0
        self._useful = False  # since the deadline was set last
        self._data = b""
        self._at = 0
        self._deflate: Deflate | None = None

    @property
    def encrypted(self) -> bool:
        return isinstance(self.sock, ssl.SSLSocket)

    @property
    def buffered(self) -> int:
        """Bytes that came and were not read yet."""
        return len(self._data) - self._at

    @property
    def waiting(self) -> bool:
        """Something came that was not read yet, and that poll cannot see."""
        unpacked = self.buffered or (self._deflate is not None and self._deflate.waiting)
        return bool(unpacked or (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()))

    def allow(self, seconds: float, altogether: float = 0.0) -> None:
        """Set the deadline of all that follows; `go_on` may put it off, to `altogether` seconds from now."""
        now = self._clock.monotonic()
        self._end = now + (altogether or seconds)
        self._patience, self._deadline = seconds, min(now + seconds, self._end)
        self._useful = False

    def go_on(self) -> None:
        """What follows has as long again as `allow` said, within what it allowed altogether."""
        self._useful = True

    def put_off(self, seconds: float) -> None:
        """What was allowed altogether lasts so much longer."""
        self._end += seconds

    def secure(self, sock: ssl.SSLSocket) -> None:
        """Go on over TLS; whatever was buffered in clear is forgotten."""
        self.sock = sock
        self._data, self._at = b"", 0

    def compress(self) -> None:
        """From here on both sides speak DEFLATE; what came already is packed."""
        self._deflate = Deflate(self._data[self._at :])
        self._data, self._at = b"", 0

    def line(self, limit: int) -> bytes:
        """The next line with its LF, or without it (b"") at the end. Raises LongLine beyond `limit`."""
        end = self._data.find(b"\n", self._at) + 1
        if end:
            line = self._data[self._at : end]
            self._at = end
        else:
            line = self._long_line(limit)
        if len(line) > limit:
            raise LongLine(line, limit)
        return line

    def end_of_line(self, most: int) -> tuple[bytes, int]:
        """Read past the rest of a line: its last bytes, its length. Raises Overflow beyond `most`."""
        tail, size = b"", 0
        while size <= most:
            part = self._long_line(0)  # what is here, at most a chunk
            size += len(part)
            tail = (tail + part[-KEPT_ENDS:])[-KEPT_ENDS:]
            if not part or part.endswith(b"\n"):
                return tail, size
        raise Overflow(f"more than {most} bytes beyond what a line may have")

    def pass_over(self, size: int) -> None:
        """Read past `size` bytes, of which nothing is kept."""
        while size > 0 and (part := self.block(min(size, CHUNK))):
            size -= len(part)

    def _long_line(self, limit: int) -> bytes:
        parts = [self._data[self._at :]]
        size = len(parts[0])
        self._data, self._at = b"", 0
        try:
            while size <= limit and (chunk := self._receive()):
                end = chunk.find(b"\n") + 1
                parts.append(chunk[:end] if end else chunk)
                if end:
                    self._data, self._at = chunk, end
                    break
                size += len(chunk)
        except OSError:
            self._data = b"".join(parts)  # so that a non-blocking reader finds it again
            raise
        return b"".join(parts)

    def matched(self, pattern: re.Pattern[bytes]) -> tuple[re.Match[bytes], bytes] | None:
        """What `pattern` matches from the next byte on, and the literal that its group `literal` announces.

        They are taken with the `)` and line end behind them. None when something else comes next: then
        nothing is taken. Waits only for the rest of an answer of which a part is here.
        """
        while True:
            if self._data.find(b"\n", self._at) < 0:
                if self.buffered > CHUNK or not self._gather(lambda new, size: b"\n" in new or size > CHUNK):
                    return None
                continue
            found = pattern.match(self._data, self._at)
            if found is None:
                return None
            begin = found.end()
            end = begin + int(found["literal"])
            if len(self._data) >= end + 3:
                if self._data[end : end + 3] != b")\r\n":
                    return None
                self._at = end + 3
                return found, self._data[begin:end]
            missing = end + 3 - self._at
            if not self._gather(lambda _, size, missing=missing: size >= missing):  # type: ignore[misc]
                return None

    def _gather(self, enough: Callable[[bytes, int], bool]) -> bool:
        """Read on until what came last and the length of all are enough; False at the end.

        In however small pieces it comes, nothing is looked at twice, and nothing is lost by an error.
        """
        parts, size = [self._data[self._at :]], self.buffered
        try:
            while chunk := self._receive():
                parts.append(chunk)
                size += len(chunk)
                if enough(chunk, size):
                    return True
            return False
        finally:
            self._data, self._at = b"".join(parts), 0

    def block(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end; memory grows with what came, not what was promised."""
        parts = [self._data[self._at : self._at + size]]
        self._at += len(parts[0])
        missing = size - len(parts[0])
        while missing and (chunk := self._receive()):
            parts.append(chunk[:missing])
            if len(chunk) > missing:
                self._data, self._at = chunk, missing
            missing -= len(parts[-1])
        return b"".join(parts)

    def send(self, data: bytes) -> None:
        self.sock.settimeout(self._remaining())
        self.sock.sendall(self._deflate.pack(data) if self._deflate else data)

    def readable(self, seconds: float) -> bool:
        """True as soon as something can be read; False after `seconds` of silence."""
        if self.waiting:
            return True
        poll = select.poll()
        poll.register(self.sock.fileno(), select.POLLIN)
        return bool(poll.poll(max(0.0, seconds) * 1000))

    def hang_up(self) -> None:
        """End the line, also under the feet of another thread that reads; whoever owns it closes it then.

        Closing it here would free its number: the other thread could read what comes on somebody else's line.
        """
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # SSLSocket's own would drop TLS first

    def close(self) -> None:
        """Hang up and let go of the socket; for the thread that reads it."""
        self.hang_up()
        self.sock.close()

    def _remaining(self) -> float:
        now = self._clock.monotonic()
        if self._useful:
            self._deadline, self._useful = min(now + self._patience, self._end), False
        remaining = self._deadline - now
        if remaining <= 0:
            raise TimeoutError("no complete answer in time")
        return remaining

    def _receive(self) -> bytes:
        return self._deflate.unpack(self._received) if self._deflate else self._received()

    def _received(self) -> bytes:
        if self.sock.gettimeout() != 0:
            self.sock.settimeout(self._remaining())
        return self.sock.recv(CHUNK)
