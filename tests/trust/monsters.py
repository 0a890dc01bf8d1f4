"""An IMAP server whose folder is honest but for some messages, each a monster in a way of its own."""

import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.servers.listening import Listening
from tests.trust.hostile import CAPABILITIES

_STRUCTURE = b'("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 7 1 NIL NIL NIL NIL)'
_PERSON = b'("Eva" NIL "eva" "klant.example")'
_NOBODY = b"(NIL NIL NIL NIL)"
_FIELD = re.compile(rb"BODY\.PEEK\[HEADER\.FIELDS \(([A-Z-]+)\)\]<0\.(\d+)>")
WIDE = b"x" * 65_000


@dataclass(frozen=True)
class Message:
    """An honest one; `cc` is the address list of its ENVELOPE, `header` further bytes of its Cc field."""

    uid: int
    cc: bytes = b"NIL"
    header: bytes = b""
    references: bytes = b""
    flags: bytes = b"\\Seen"
    size: bytes = b"812"

    def first(self) -> bytes:
        return b'UID %d FLAGS (%b) INTERNALDATE "23-Nov-2026 08:30:05 +0000" RFC822.SIZE %b' % (
            self.uid, self.flags, self.size,
        )  # fmt: skip

    def whole(self) -> bytes:
        people = b" ".join([b"(%b)" % _PERSON] * 4 + [self.cc, b"NIL"])
        references = self.references or b"\r\n"
        return (
            b'* %d FETCH (%b ENVELOPE ("Mon, 23 Nov 2026 09:30:00 +0100" "Offerte %d" %b NIL "<%d@x.example>"'
            b") BODYSTRUCTURE %b BODY[HEADER.FIELDS (REFERENCES)] {%d}\r\n%b)\r\n"
        ) % (
            self.uid, self.first(), self.uid, people, self.uid, _STRUCTURE, len(references), references,
        )  # fmt: skip

    def parts(self, items: bytes) -> bytes:
        """The beginning of each field that was asked for."""
        values = {
            b"DATE": b"Mon, 23 Nov 2026 09:30:00 +0100", b"FROM": b"Eva <eva@klant.example>",
            b"SUBJECT": b"Offerte %d" % self.uid, b"TO": b"anna@noordlicht.example",
            b"MESSAGE-ID": b"<%d@x.example>" % self.uid, b"CC": self.header,
        }  # fmt: skip
        said = [self.first() if b"FLAGS" in items else b"UID %d" % self.uid]
        for name, most in _FIELD.findall(items):
            value = values.get(name, b"")
            text = (name.title() + b": " + value + b"\r\n\r\n" if value else b"\r\n")[: int(most)]
            said.append(b"BODY[HEADER.FIELDS (%b)]<0> {%d}\r\n%b" % (name, len(text), text))
        return b"* %d FETCH (%b)\r\n" % (self.uid, b" ".join(said))


class Hangup(Exception):
    """The server ends the connection here."""


class Silence(Exception):
    """The server says nothing more here."""


class Refused(Exception):
    """The server says NO."""


Answer = Callable[[Message, bytes], bytes]  # to a FETCH of these items


def honest(message: Message, items: bytes) -> bytes:
    return message.whole() if b"ENVELOPE" in items else message.parts(items)


def _cc(people: int) -> Answer:
    return lambda m, items: honest(Message(m.uid, b"(" + _NOBODY * people + b")", b"," * people), items)


def _instead(said: bytes, end: type[Exception] | None = None, *, parts_too: bool = False) -> Answer:
    """Something else where the ENVELOPE was asked for, or whenever it is about this message."""

    def answer(message: Message, items: bytes) -> bytes:
        if b"ENVELOPE" not in items and not parts_too:
            return message.parts(items)
        text = said.replace(b"<n>", b"%d" % message.uid)
        if end is not None:
            raise end(text)
        return text

    return answer


_BEGUN = b"* <n> FETCH (UID <n> FLAGS () ENVELOPE (NIL "
MONSTERS: dict[str, Answer] = {
    "50,000 commas, an ENVELOPE of 0.9 MB": _cc(50_000),
    "100,000 commas, an ENVELOPE of 1.8 MB": _cc(100_000),
    "2,000,000 commas, an ENVELOPE of 36 MB": _cc(2_000_000),
    "an ENVELOPE of 70 MB": _instead(_BEGUN + b'"' + WIDE * 1_100 + b'"))\r\n'),
    "a subject of 3 MB as a literal": _instead(_BEGUN + b"{2990000}\r\n" + WIDE * 46 + b"))\r\n"),
    "a literal of 2 GB that never comes": _instead(_BEGUN + b"{2000000000}\r\n" + WIDE, Hangup),
    "its UID at the end": _instead(b'* <n> FETCH (FLAGS () ENVELOPE (NIL "' + WIDE * 40 + b'") UID <n>)\r\n'),
    "no UID at all": _instead(b'* <n> FETCH (ENVELOPE (NIL "' + WIDE * 40 + b'"))\r\n'),
    "References of 2 MB": lambda m, items: honest(
        Message(m.uid, references=b"References: " + b"<a@b> " * 350_000 + b"\r\n\r\n"), items
    ),
    "a bracket is missing": _instead(_BEGUN + b'"x"\r\n'),
    "a line end in a string": _instead(_BEGUN + b'"x\r\ny"))\r\n'),
    "half a million brackets": _instead(_BEGUN + b"(" * 500_000 + b"\r\n"),
    "refused": _instead(b"", Refused),
    "refused in every way": _instead(b"", Refused, parts_too=True),
    "BYE": _instead(b"* BYE internal error\r\n", Hangup),
    "BYE in every way": _instead(b"* BYE internal error\r\n", Hangup, parts_too=True),
    "the connection ends": _instead(_BEGUN, Hangup),
    "flags of 2 MB": lambda m, items: honest(Message(m.uid, flags=b" ".join([b"$" + WIDE] * 32)), items),
    "a size of thirty digits": lambda m, items: honest(Message(m.uid, size=b"9" * 30), items),
    "a monster in every way": _instead(_BEGUN + b'"' + WIDE * 40 + b'"))\r\n', parts_too=True),
}
NEVER = {"refused in every way", "BYE in every way", "a monster in every way"}  # nothing tells their names
NAMED = {"flags of 2 MB", "a size of thirty digits"}  # set aside, but by name


@dataclass
class MonsterServer(Listening):
    """Serves TLS on `port` until closed: `count` messages, of which `monsters` answer in their own way.

    `sign_ins` counts what it cost; `bodies` are answers to the FETCH of whole messages.
    """

    context: ssl.SSLContext
    count: int
    monsters: Mapping[int, Answer] = field(default_factory=dict)
    bodies: Mapping[int, bytes] = field(default_factory=dict)
    capabilities: bytes = CAPABILITIES
    sign_ins: int = 0
    expunged: set[int] = field(default_factory=set)

    def _serve(self, raw: socket.socket) -> None:
        try:
            with self.context.wrap_socket(raw, server_side=True) as line:
                line.sendall(b"* OK ready\r\n")
                for command in line.makefile("rb"):
                    self._answer(line, command)
        except (OSError, Hangup):
            pass
        except Silence:
            self._over.wait(60)

    def _answer(self, line: ssl.SSLSocket, command: bytes) -> None:
        tag, *words = command.split()
        verb = words[1 if words[:1] == [b"UID"] else 0].upper() if words else b""
        try:
            self._say(line, verb, command)
            line.sendall(tag + b" OK done\r\n")
        except Refused:
            line.sendall(tag + b" NO cannot\r\n")
        except (Hangup, Silence) as end:
            line.sendall(end.args[0])
            raise

    def _say(self, line: ssl.SSLSocket, verb: bytes, command: bytes) -> None:
        there = [uid for uid in range(1, self.count + 1) if uid not in self.expunged]
        if verb == b"CAPABILITY":
            line.sendall(b"* CAPABILITY " + self.capabilities + b"\r\n")
        elif verb == b"AUTHENTICATE":
            self.sign_ins += 1
        elif verb == b"ENABLE":
            line.sendall(b"* ENABLED QRESYNC\r\n")
        elif verb == b"LIST":
            line.sendall(
                b'* LIST () "/" INBOX\r\n* LIST () "/" Anders\r\n'
                b"* STATUS INBOX (MESSAGES %d UIDNEXT %d UIDVALIDITY 1 HIGHESTMODSEQ 9)\r\n"
                % (len(there), self.count + 1)
            )
        elif verb in (b"EXAMINE", b"SELECT"):
            line.sendall(
                b"* %d EXISTS\r\n* OK [UIDVALIDITY 1] v\r\n* OK [UIDNEXT %d] n\r\n"
                b"* OK [HIGHESTMODSEQ 9] h\r\n" % (len(there), self.count + 1)
            )
        elif verb == b"SEARCH":
            line.sendall(b"* SEARCH " + b" ".join(b"%d" % uid for uid in there) + b"\r\n")
        elif verb == b"FETCH":
            self._fetch(line, command, there)

    def _fetch(self, line: ssl.SSLSocket, command: bytes, there: list[int]) -> None:
        by_uid = command.split()[1] == b"UID"
        asked, _, items = command.split(b" ", 3 if by_uid else 2)[-1].partition(b" ")
        if by_uid:
            asked, _, items = command.split(b" ", 3)[3].partition(b" ")
        said = b""
        for uid in _among(asked, there):
            if b"BODY.PEEK[]<0." in items:
                said += b"* %d FETCH (UID %d BODY[]<0> {15}\r\nSubject: Bron\r\n)\r\n" % (uid, uid)
            elif b"BODY.PEEK[]" in items:
                said += self.bodies.get(uid, b"* %d FETCH (UID %d BODY[] {5}\r\nHallo)\r\n" % (uid, uid))
            elif b"RFC822" in items or b"BODY.PEEK" in items:
                answer = self.monsters.get(uid, honest)
                try:
                    said += answer(Message(uid), items)
                except Exception:
                    line.sendall(said)
                    raise
            elif uid in self.monsters:
                said += b"* %d FETCH (UID %d FLAGS (%b))\r\n" % (uid, uid, b" ".join([b"$" + WIDE] * 32))
            else:
                said += b"* %d FETCH (UID %d FLAGS (\\Seen))\r\n" % (uid, uid)
            if len(said) > 1_000_000:
                line.sendall(said)
                said = b""
        line.sendall(said)


def _among(asked: bytes, there: list[int]) -> list[int]:
    """Those of the messages that a set names; numbers and UIDs are the same here."""
    last = there[-1] if there else 0
    ranges = []
    for part in asked.split(b","):
        low, _, high = part.partition(b":")
        ranges.append((int(low), last if high == b"*" else int(high or low)))
    return [uid for uid in there if any(low <= uid <= high for low, high in ranges)]
