"""imaplib on a wire of ours: every line, literal, answer and second is capped, and refusals are kept."""

import imaplib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import imap_tools  # noqa: F401  (sets imaplib's line limit for the whole process, see below)

from soinbox_web.mail.net.wire import LongLine, Overflow, Wire
from soinbox_web.problems import Field, InputError, Problem

vars(imaplib)["_MAXLINE"] = 1_000_000  # what imaplib itself says
vars(imaplib)["Commands"] |= {"ID": ("NONAUTH", "AUTH", "SELECTED"), "COMPRESS": ("AUTH",)}

ImapError = imaplib.IMAP4.error  # noqa: TID251  (its names, for the files that may not touch imaplib)
ImapAbort = imaplib.IMAP4.abort  # noqa: TID251

GREETING_LINE = 8_192
LINE = 65_536
LONG_LINES = {
    "FETCH": 1_000_000,
    "IDLE": 1_000_000,
    "SEARCH": 12_000_000,
    "EXAMINE": 12_000_000,
}  # UIDs of a million
LITERAL = 50_000_000  # of a FETCH; elsewhere it is as long as a line
PIECE = 500_000  # of a literal, that is something useful by itself
KEPT = LITERAL + 2_000_000  # bytes of the answers to one command, as far as they are kept
FEW = {"CAPABILITY", "AUTHENTICATE", "LOGIN", "ID", "STARTTLS", "ENABLE", "COMPRESS", "LOGOUT"}
KEPT_OF_FEW = 2_000_000  # bytes of the answers to those
PASSED = 60_000_000  # bytes of the answers to one command that are read past, since they break a cap
EACH = 100  # bytes that a kept line takes besides what it says
EACH_PASSED = 20  # and one that is only read past
WORK = {"APPEND", "COPY", "MOVE", "STORE", "EXPUNGE"}  # at which a server may say `* OK` now and then
EVIDENCE_LINES, EVIDENCE_LINE = 20, 2_000
SLOWEST = 20_000  # bytes a second of a message, in either direction, that still count as alive

_REFUSAL = re.compile(rb"(\*|[A-Za-z0-9]+) (NO|BAD|BYE)\b|\* OK \[ALERT\]", re.IGNORECASE)
_ATOM = re.compile(rb"[!-~]{1,100}")
BREAK = re.compile(rb"[\r\n\0]")


class LongLiteral(Overflow):
    """A literal beyond its cap, of which nothing was read yet; see LongLine."""

    def __init__(self, size: int) -> None:
        super().__init__(f"a literal of {size} bytes")
        self.size = size


@lru_cache(maxsize=64)
def _capabilities(told: bytes) -> tuple[str, ...]:
    """The same ones for every account of a server: a thousand of them idle at once."""
    return tuple(dict.fromkeys(word.decode() for word in told.upper().split() if _ATOM.fullmatch(word)))


def refuse_breaks(*words: str | bytes, field: Field | None = None) -> None:
    """Raise InputError control_character when a word could end a command and begin another."""
    for word in words:
        if BREAK.search(word.encode("utf-8", "surrogatepass") if isinstance(word, str) else word):
            raise InputError(Problem("control_character", field=field))


class ImapClient(imaplib.IMAP4):  # noqa: TID251
    """The client under `imap_tools`; `refusals` holds the NO, BAD, BYE and ALERT lines of the last command.

    A command has `command_seconds` altogether, and what its literals take on a slow line; and
    `prompt_seconds` until something useful comes (`go_on`).
    These and `literal_limit` may be changed between commands. Raises Overflow, TimeoutError and other
    OSErrors besides imaplib's own errors.
    """

    def __init__(self, wire: Wire, *, command_seconds: float = 60.0, prompt_seconds: float = 60.0) -> None:
        self.wire = wire
        self.command_seconds = command_seconds
        self.prompt_seconds = prompt_seconds
        self.at_work = self._unhurried = False
        self.literal_limit = LITERAL
        self.refusals: list[bytes] = []
        self.capabilities: tuple[str, ...] = ()
        self._reply: Callable[[bytes], bytes] | None = None
        self._line_limit = self._literal_limit = GREETING_LINE
        self._left, self._passable = KEPT, PASSED
        super().__init__()

    # What imaplib asks of its transport.

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        self.sock = self.wire.sock

    def _connect(self) -> None:
        """Nothing is read here: the greeting is judged by `ImapConnection`."""
        self.tagpre: bytes = b"s"  # type: ignore[assignment]
        self.tagre = re.compile(rb"(?P<tag>s\d+) (?P<type>[A-Z]+) (?P<data>.*)", re.ASCII)  # type: ignore[arg-type]
        self.state = "NONAUTH"

    def read(self, size: int) -> bytes:
        if size > min(self._literal_limit, self._left):
            raise LongLiteral(size)
        self.spend(size)
        self.wire.put_off(size / SLOWEST)
        parts = []
        while size > 0:
            parts.append(self.wire.block(min(size, PIECE)))
            size -= PIECE
            if len(parts[-1]) == PIECE:
                self.wire.go_on()
            elif len(parts[-1]) < PIECE + min(size, 0):
                raise self.abort("socket error: EOF")
        return b"".join(parts)

    def readline(self) -> bytes:
        line = self.wire.line(self._line_limit)
        self.spend(len(line) + EACH)
        return line

    def pass_over(self, error: LongLine | LongLiteral) -> bytes:
        """Read past what is too long, to the end of its line, or of the line behind it: the last bytes.

        Raises Overflow where that would be too much, LongLine for the line behind a literal.
        """
        if isinstance(error, LongLiteral):
            if not self._may_pass(error.size):
                raise Overflow(f"{error}, too many to read past")
            self.wire.pass_over(error.size)
            return self.readline()
        if error.ended:
            return error.tail
        tail, size = self.wire.end_of_line(self._passable)
        if not self._may_pass(size):
            raise Overflow(f"{error}, too many to read past")
        return tail

    def _may_pass(self, size: int) -> bool:
        self._passable -= size
        return self._passable >= 0

    def forget(self, size: int) -> None:
        """What was counted as kept is not. Raises Overflow when that is more than a sane server says."""
        self._left += size + EACH
        if not self._may_pass(size + EACH_PASSED):
            raise Overflow(f"more than {PASSED} bytes of no use in answer to one command")

    def send(self, data: bytes) -> None:  # type: ignore[override]
        self.wire.send(data)

    def shutdown(self) -> None:
        self.wire.close()

    def secure(self) -> None:
        """Go on over TLS: the wire has been secured, what was said in clear is forgotten."""
        self.sock = self.wire.sock
        self.untagged_responses = {}
        self.refusals = []

    # One command.

    def _command(self, name: str, *args: Any) -> Any:
        words = [arg.encode() if isinstance(arg, str) else arg for arg in args if arg is not None]
        refuse_breaks(*words)
        self.expect(words[0].decode("ascii", "replace") if name == "UID" and words else name)
        self.refusals = []
        kept = ("BYE", "READ-ONLY")
        self.untagged_responses = {k: v for k, v in self.untagged_responses.items() if k in kept}
        return super()._command(name, *words)  # type: ignore[misc]

    def expect(self, verb: str) -> None:
        """Set the caps and the deadline of the answers to a command."""
        upload = len(self.literal) if isinstance(self.literal, bytes) else 0
        sending = upload / SLOWEST
        self.at_work = verb in WORK or self._unhurried
        self.wire.allow(self.prompt_seconds + sending, self.command_seconds + sending)
        self._line_limit = LONG_LINES.get(verb, LINE)
        self._literal_limit = self.literal_limit if verb == "FETCH" else LINE
        self._left, self._passable = KEPT_OF_FEW if verb in FEW else KEPT, PASSED

    def spend(self, size: int) -> None:
        """Count what is kept of the answers. Raises Overflow when that is more than a sane server says."""
        self._left -= size
        if self._left < 0:
            raise Overflow(f"more than {KEPT} bytes in answer to one command")

    def go_on(self) -> None:
        """The last answer was of use and is handed on: the next one has as much room, and as long."""
        self._left, self._passable = KEPT, PASSED
        self.wire.go_on()

    @contextmanager
    def unhurried(self) -> Iterator[None]:
        """What is asked meanwhile is work, too: the server has to look through a mailbox."""
        self._unhurried = True
        try:
            yield
        finally:
            self._unhurried = False

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """What is asked meanwhile has to be answered in this time."""
        usual = self.prompt_seconds, self.command_seconds
        self.prompt_seconds = self.command_seconds = seconds
        try:
            yield
        finally:
            self.prompt_seconds, self.command_seconds = usual

    def _get_response(self) -> bytes | None:
        line: bytes | None = super()._get_response()  # type: ignore[misc]
        if line is not None and _REFUSAL.match(line) and len(self.refusals) < EVIDENCE_LINES:
            self.refusals.append(line[:EVIDENCE_LINE])
        return line

    def answer(self, name: str, *args: str | bytes, reply: Callable[[bytes], bytes] | None = None) -> str:
        """Status of a command: OK, NO or BAD; `reply` answers a SASL challenge (both base64 free of CRLF).

        Raises imaplib.IMAP4.abort when the server says BYE or hangs up first.
        """
        self._reply = reply
        self.literal = self._literator if reply else None  # type: ignore[assignment]
        tag = self._command(name, *args)
        status, _ = self._get_tagged_response(tag)
        return str(status)

    def _literator(self, challenge: bytes) -> bytes:
        """What imaplib sends after a continuation; it wants a bound method."""
        return self._reply(challenge) if self._reply else b""

    def learn_capabilities(self) -> None:
        """Set `capabilities` (in capitals) to what the last answer brought, else ask. Raises ImapError."""
        if "CAPABILITY" not in self.untagged_responses:
            self.answer("CAPABILITY")
        lines = self.untagged_responses.get("CAPABILITY", [])
        self.capabilities = _capabilities(b" ".join(line for line in lines if isinstance(line, bytes)))

    def linger(self, seconds: float) -> None:
        """Read what the server still says after a refusal (a BYE with the reason, often)."""
        self.wire.allow(5 * seconds)
        try:
            while self.wire.readable(seconds):
                self._get_response()
        except (OSError, ImapError):
            pass

    def _log(self, line: str) -> None:
        """imaplib keeps its last commands, secrets included; we do not."""

    def _mesg(self, text: str, secs: float | None = None) -> None:
        """imaplib prints here when debugging; we do not."""
