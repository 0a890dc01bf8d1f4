"""One IMAP command and its untagged answers, read as a stream from imap-tools' own connection.

imaplib collects every answer of a command before it returns; for thousands of envelopes that costs three
quarters of the time (mailbox.md section 1). Here each answer is handed on as soon as it is complete.
"""

import imaplib
import re
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple, cast

from soinbox_web.mail.imap.client import ImapClient, ImapError, LongLiteral
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.net.wire import KEPT_ENDS, LongLine, Overflow
from soinbox_web.model.server_answer import shown
from soinbox_web.problems import Problem, ServerError

Answer = list[bytes]  # text, literal, text, …: without `* ` and without line ends

_LITERAL = re.compile(rb"~?\{(\d{1,18})\+?\}\r?\n\Z")
_TAGGED = re.compile(rb"(s\d{1,9}) ((?:OK|NO|BAD)\b.*)", re.IGNORECASE | re.DOTALL)
_OURS = {b"OVERQUOTA": "over_quota"}
_PASSING = {b"LIMIT": "rate_limited", b"INUSE": "server_unavailable", b"UNAVAILABLE": "server_unavailable",
            b"SERVERBUG": "server_unavailable"}  # fmt: skip

# Commands that imaplib does not know by itself, with the states they are allowed in.
imaplib.Commands.setdefault("IDLE", ("AUTH", "SELECTED"))
imaplib.Commands.setdefault("NOTIFY", ("AUTH", "SELECTED"))


class CommandRefused(ServerError):
    """The server said NO or BAD to one command; the connection goes on."""


class NotNow(ServerError):
    """The server refuses for the moment, and it is better to come back later; the connection goes on."""


class Unavailable(NotNow):
    """So it is with what was asked about; other folders may do well."""


class Done(NamedTuple):
    """Every answer of a command, and the text of its tagged OK."""

    answers: list[Answer]
    text: bytes


class Matched(NamedTuple):
    """An answer that a pattern matched, and the literal that its group `literal` announced."""

    found: re.Match[bytes]
    literal: bytes

    @property
    def size(self) -> int:
        return self.found.end() - self.found.start() + len(self.literal)


class Passed(NamedTuple):
    """An answer that breaks our caps and was read past: what it begins and ends with."""

    head: bytes
    tail: bytes


class Tally:
    """Hears of answers that were passed over, and remembers only how many."""

    count = 0

    def __call__(self, passed: Passed) -> None:
        self.count += 1


class Tagged(NamedTuple):
    """The end of a command: OK, NO or BAD behind its tag."""

    tag: bytes
    line: bytes

    @property
    def ok(self) -> bool:
        return self.line[:2].upper() == b"OK"


def heard(
    client: ImapClient, verb: str, pattern: re.Pattern[bytes] | None = None
) -> Iterator[Answer | Matched | Passed | Tagged]:
    """Whatever the server says from now on, under the caps and the deadline of a command `verb`.

    Who does not keep the answers calls `client.go_on` after each that is of use. Answers that `pattern` fits
    are taken as they lie in the buffer. One answer that breaks the caps stops nothing: it comes as Passed.
    Raises imaplib's abort and OSErrors.
    """
    wire = client.wire
    client.expect(verb)
    while True:
        if pattern is not None and (matched := wire.matched(pattern)):
            answer = Matched(*matched)
            client.spend(answer.size)
            yield answer
            continue
        line = next_line(client)
        if isinstance(line, Passed):
            yield line
        elif line.startswith(b"* "):
            if line.endswith(b"}\r\n"):
                yield with_literals(client, line[2:])
                continue
            refuse_end(line)
            if client.at_work and line.startswith(b"* OK "):
                wire.go_on()
            yield [line[2:].rstrip(b"\r\n")]
        elif tagged := _TAGGED.fullmatch(line):
            yield Tagged(tagged[1], tagged[2])
        else:
            refuse_end(line)


def _not_passed(passed: Passed) -> None:
    raise Overflow(f"an answer beyond our caps, of which {len(passed.head)} bytes were kept")


def stream(
    connection: ImapConnection,
    name: str,
    *words: str | bytes,
    passed: Callable[[Passed], object] = _not_passed,
) -> Generator[Answer, None, bytes]:
    """Send a command and yield its untagged answers; returns the text after the tagged OK. See `heard`.

    `passed` hears of an answer that breaks our caps; without it the connection breaks. Raises CommandRefused
    for NO and BAD, other leaves of SoinboxError when the connection breaks. The generator has to be
    exhausted, or the connection closed.
    """
    client = connection.client
    with translated(connection):
        tag = begin(client, name, *words)
        for answer in heard(client, verb_of(name, *words)):
            if isinstance(answer, Tagged):
                check_ours(answer, (tag,))
                if answer.ok:
                    return answer.line[3:].rstrip(b"\r\n")
                raise refusal(answer)
            if isinstance(answer, Passed):
                passed(answer)
                continue
            yield cast(Answer, answer)
    raise AssertionError("a server is heard until its command has ended")


def verb_of(name: str, *words: str | bytes) -> str:
    """What is done by a command: FETCH by UID FETCH."""
    return str(words[0]) if name == "UID" and words else name


def check_ours(answer: Tagged, tags: Collection[bytes]) -> None:
    """Raise imaplib's abort for the end of a command that nobody began."""
    if answer.tag not in tags:
        raise ImapClient.abort(f"unexpected response: {answer.tag[:80]!r}")


def run(connection: ImapConnection, name: str, *words: str | bytes) -> Done:
    """Send a command; all its answers at once."""
    answers: list[Answer] = []
    running = stream(connection, name, *words)
    while True:
        try:
            answers.append(next(running))
        except StopIteration as end:
            return Done(answers, end.value)


def begin(client: ImapClient, name: str, *words: str | bytes) -> bytes:
    """Send a command whose answers the caller reads; its tag.

    Raises what `refusal` gives when the server says NO instead of taking the literal that belongs to it.
    """
    latin = [word.encode("latin-1") if isinstance(word, str) else word for word in words]
    tag: bytes = client._command(name, *latin)
    refused = client.tagged_commands.pop(tag, None)
    if refused is not None:
        status, data = cast(tuple[str, list[bytes]], refused)
        raise refusal(Tagged(tag, b" ".join([status.encode(), *data])))
    return tag


def refuse_end(line: bytes) -> None:
    """Raise imaplib's abort for BYE, for a line that was cut, and for what is no answer."""
    if not line.endswith(b"\n"):
        raise ImapClient.abort("socket error: EOF")
    if line[:5].upper() == b"* BYE":
        raise ImapClient.abort(line.decode("latin-1").strip())
    if not line.startswith((b"* ", b"+")):
        raise ImapClient.abort(f"unexpected response: {line[:80]!r}")


@contextmanager
def translated(connection: ImapConnection) -> Iterator[None]:
    """Errors of the library and the socket as leaves of SoinboxError; the connection is closed then."""
    try:
        yield
    except (OSError, ImapClient.error) as error:
        connection.close()
        raise connection.error(error) from error


def said_goodbye(error: BaseException) -> bool:
    """The server ended the connection by a BYE, while it was to answer a command."""
    return str(error.__cause__)[:5].upper() == "* BYE"


Cause = Literal["beyond", "goodbye", "silent", "network"]


def cause_of(error: BaseException) -> Cause:
    """Why a connection broke: what the server said is beyond our caps or no IMAP; BYE; time ran out; else."""
    cause = error.__cause__
    if said_goodbye(error):
        return "goodbye"
    if isinstance(cause, TimeoutError):
        return "silent"
    nonsense = isinstance(cause, ImapError) and "socket error" not in str(cause)
    return "beyond" if nonsense or isinstance(cause, Overflow) else "network"


def quoted(word: str) -> bytes:
    """A quoted string of a name as `wire` text (Latin-1)."""
    return b'"' + word.encode("latin-1").replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def next_line(client: ImapClient) -> bytes | Passed:
    """The next line; where an untagged answer begins with too long a one, that answer is read past."""
    try:
        return client.readline()
    except LongLine as error:
        if not error.head.startswith(b"* "):
            raise
        return _read_past(client, error.head[2:], error)


def with_literals(client: ImapClient, line: bytes) -> Answer | Passed:
    """The answer that begins with this line."""
    answer: Answer = []
    try:
        while found := _LITERAL.search(line):
            answer.append(line[: found.start()])
            answer.append(client.read(int(found[1])))
            line = client.readline()
    except (LongLine, LongLiteral) as error:
        return _read_past(client, answer[0], error)
    answer.append(line.rstrip(b"\r\n"))
    return answer


def _read_past(client: ImapClient, head: bytes, error: LongLine | LongLiteral) -> Passed:
    """Of the answer that begins with `head` nothing more is kept: of the next one everything is."""
    while True:
        try:
            tail = client.pass_over(error)
        except LongLine as behind:
            error = behind
            continue
        if not tail.endswith(b"\n"):
            raise ImapClient.abort("socket error: EOF")
        found = _LITERAL.search(tail)
        if found is None:
            return Passed(head[:KEPT_ENDS], tail.rstrip(b"\r\n"))
        error = LongLiteral(int(found[1]))


def refusal(answer: Tagged) -> ServerError:
    """What to raise for a NO or BAD: CommandRefused unless it passes by itself."""
    evidence = shown(answer.line)
    code = answer.line.partition(b"[")[2].partition(b"]")[0].upper()
    if code in _PASSING:
        kind = NotNow if code == b"LIMIT" else Unavailable
        return kind(Problem(_PASSING[code], "imap", evidence=evidence))
    return CommandRefused(Problem(_OURS.get(code, "command_refused"), "imap", evidence=evidence))
