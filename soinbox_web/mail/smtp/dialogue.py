"""SMTP's commands and replies on a capped wire (RFC 5321 section 4)."""

import re
from dataclasses import dataclass

from soinbox_web.mail.imap.client import refuse_breaks
from soinbox_web.mail.net.wire import Overflow, Wire

REPLY_LINE = 8_192
REPLY_LINES = 200

_REPLY = re.compile(rb"([2-5]\d\d)(-?)(?: ?)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply: its code and its lines, without line ends."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def raw(self) -> bytes:
        return b"\n".join(self.lines)

    @property
    def text(self) -> bytes:
        """The last line behind its code (a SASL challenge, RFC 4954 section 4)."""
        return self.lines[-1][4:]

    @property
    def ok(self) -> bool:
        return 200 <= self.code < 300


class Dialogue:
    """One question, one answer. Raises Overflow, TimeoutError, ConnectionError and other OSErrors."""

    def __init__(self, wire: Wire, seconds: float) -> None:
        self.wire = wire
        self._seconds = seconds

    def greeting(self, seconds: float) -> bytes:
        """The first line as it came when it is no SMTP greeting, else the whole greeting; b"" at the end."""
        self.wire.allow(seconds)
        first = self._line()
        lines = [first]
        while re.match(rb"\d{3}-", lines[-1]) and len(lines) < REPLY_LINES:
            lines.append(self._line())
        return b"\n".join(lines)

    def ask(self, command: bytes, *, seconds: float | None = None) -> Reply:
        refuse_breaks(command)
        self.wire.allow(self._seconds if seconds is None else seconds)
        self.wire.send(command + b"\r\n")
        return self.reply()

    def reply(self) -> Reply:
        """The next reply, within the deadline that runs."""
        lines: list[bytes] = []
        while len(lines) < REPLY_LINES:
            line = self._line()
            if not line:
                raise ConnectionResetError("the server hung up")
            found = _REPLY.fullmatch(line)
            if found is None:
                raise Overflow(f"not an SMTP reply: {line[:80]!r}")
            lines.append(line)
            if not found[2]:
                return Reply(int(found[1]), tuple(lines))
        raise Overflow(f"a reply of more than {REPLY_LINES} lines")

    def _line(self) -> bytes:
        return self.wire.line(REPLY_LINE).rstrip(b"\r\n")
