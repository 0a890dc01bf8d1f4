"""imaplib on a wire of ours: every line, literal, answer and second is capped, and refusals are kept."""

import imaplib
import re
from collections.abc import Callable
from typing import Any

import imap_tools  # noqa: F401  (sets imaplib's line limit for the whole process, see below)

from soinbox_web.mail.wire import Overflow, Wire
from soinbox_web.problems import Field, InputError, Problem

vars(imaplib)["_MAXLINE"] = 1_000_000  # what imaplib itself says
vars(imaplib)["Commands"]["ID"] = ("NONAUTH", "AUTH", "SELECTED")

ImapError = imaplib.IMAP4.error  # noqa: TID251  (its names, for the files that may not touch imaplib)
ImapAbort = imaplib.IMAP4.abort  # noqa: TID251

GREETING_LINE = 8_192
LINE = 65_536
LONG_LINES = {"FETCH": 1_000_000, "SEARCH": 4_000_000, "SORT": 4_000_000, "THREAD": 4_000_000}
ANSWERS = 20_000  # untagged answers to one command
MANY_ANSWERS = {"FETCH": 2_000_000, "STORE": 2_000_000, "EXPUNGE": 2_000_000, "MOVE": 2_000_000}
LITERAL = 50_000_000
EVIDENCE_LINES, EVIDENCE_LINE = 20, 2_000
UPLOAD_BYTES_PER_SECOND = 20_000  # the slowest upload that still counts as alive

_REFUSAL = re.compile(rb"(\*|[A-Za-z0-9]+) (NO|BAD|BYE)\b|\* OK \[ALERT\]", re.IGNORECASE)
_ATOM = re.compile(rb"[!-~]{1,100}")
_BREAK = re.compile(rb"[\r\n\0]")


def refuse_breaks(*words: str | bytes, field: Field | None = None) -> None:
    """Raise InputError control_character when a word could end a command and begin another."""
    for word in words:
        if _BREAK.search(word.encode("utf-8", "surrogatepass") if isinstance(word, str) else word):
            raise InputError(Problem("control_character", field=field))


class ImapClient(imaplib.IMAP4):  # noqa: TID251
    """The client under `imap_tools`; `refusals` holds the NO, BAD, BYE and ALERT lines of the last command.

    `command_seconds` and `literal_limit` may be changed between commands. Raises Overflow, TimeoutError and
    other OSErrors besides imaplib's own errors.
    """

    def __init__(self, wire: Wire, *, command_seconds: float = 60.0) -> None:
        self.wire = wire
        self.command_seconds = command_seconds
        self.literal_limit = LITERAL
        self.refusals: list[bytes] = []
        self.capabilities: tuple[str, ...] = ()
        self._reply: Callable[[bytes], bytes] | None = None
        self._line_limit = GREETING_LINE
        self.answer_limit = ANSWERS
        self._answers = 0
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
        if size > self.literal_limit:
            raise Overflow(f"a literal of {size} bytes")
        data = self.wire.block(size)
        if len(data) < size:
            raise self.abort("socket error: EOF")
        return data

    def readline(self) -> bytes:
        return self.wire.line(self._line_limit)

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
        self._answers = 0
        self.refusals = []
        kept = ("BYE", "READ-ONLY")
        self.untagged_responses = {k: v for k, v in self.untagged_responses.items() if k in kept}
        return super()._command(name, *words)  # type: ignore[misc]

    def expect(self, verb: str) -> int:
        """Set the caps and the deadline of the answers to a command; how many answers it may have."""
        upload = len(self.literal) if isinstance(self.literal, bytes) else 0
        self.wire.allow(self.command_seconds + upload / UPLOAD_BYTES_PER_SECOND)
        self._line_limit = LONG_LINES.get(verb.upper(), LINE)
        self.answer_limit = MANY_ANSWERS.get(verb.upper(), ANSWERS)
        return self.answer_limit

    def _get_response(self) -> bytes | None:
        self._answers += 1
        if self._answers > self.answer_limit:
            raise Overflow(f"more than {self.answer_limit} answers to one command")
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
        words = b" ".join(line for line in lines if isinstance(line, bytes)).upper().split()
        self.capabilities = tuple(dict.fromkeys(w.decode() for w in words if _ATOM.fullmatch(w)))

    def linger(self, seconds: float) -> None:
        """Read what the server still says after a refusal (a BYE with the reason, often)."""
        try:
            while self.wire.readable(seconds):
                self.wire.allow(seconds)
                self._get_response()
        except (OSError, ImapError):
            pass

    def _log(self, line: str) -> None:
        """imaplib keeps its last commands, secrets included; we do not."""

    def _mesg(self, text: str, secs: float | None = None) -> None:
        """imaplib prints here when debugging; we do not."""
