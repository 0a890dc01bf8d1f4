"""IMAP servers that mean harm: each is honest up to one command, and then says what no sane server says."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from itertools import chain, count, repeat

from tests.servers.listening import Listening

CAPABILITIES = b"IMAP4rev1 AUTH=PLAIN SASL-IR ENABLE CONDSTORE QRESYNC LIST-STATUS ESEARCH"
_STRUCTURE = b'("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 7 1 NIL NIL NIL NIL)'
_PERSON = b'(("Eva" NIL "eva" "klant.example"))'


def fetched(uid: int, person: bytes = _PERSON) -> bytes:
    """An honest answer to the FETCH of envelopes."""
    people = b" ".join([_PERSON] * 3 + [person, b"NIL", b"NIL"])
    return (
        b'* %d FETCH (UID %d FLAGS (\\Seen) INTERNALDATE "23-Nov-2026 08:30:05 +0000" RFC822.SIZE 812'
        b' MODSEQ (9) ENVELOPE ("Mon, 23 Nov 2026 09:30:00 +0100" "Offerte" %b NIL "<%d@x.example>")'
        b" BODYSTRUCTURE %b"
        b" BODY[HEADER.FIELDS (REFERENCES)] {2}\r\n\r\n)\r\n"
    ) % (uid, uid, people, uid, _STRUCTURE)


HONEST = {
    b"CAPABILITY": b"* CAPABILITY " + CAPABILITIES + b"\r\n",
    b"ENABLE": b"* ENABLED QRESYNC\r\n",
    b"LIST": b'* LIST () "/" INBOX\r\n'
    b"* STATUS INBOX (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 1 HIGHESTMODSEQ 9)\r\n",
    b"EXAMINE": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 1] v\r\n* OK [UIDNEXT 4] n\r\n* OK [HIGHESTMODSEQ 9] h\r\n",
    b"SEARCH": b"* SEARCH 1 2 3\r\n",
    b"FETCH": b"".join(fetched(uid) for uid in (1, 2, 3)),
}
_WIDE = b"x" * 65_000
_DONE = b"<tag> OK done\r\n"  # the tag is filled in
_BYE = b"* BYE enough\r\n"
Payload = Callable[[], Iterator[bytes]]


def _says(*chunks: bytes) -> Payload:
    return lambda: iter(chunks)


def _endless(chunk: bytes) -> Payload:
    return lambda: repeat(chunk * max(1, 60_000 // len(chunk)))


def _numbered(answer: bytes) -> Payload:
    """An answer without end, each with a number of its own wherever it says `%`."""
    return lambda: (
        b"".join(answer.replace(b"%", b"%d" % n) for n in range(first, first + 500))
        for first in count(1, 500)
    )


def _line(megabytes: int) -> Payload:
    return lambda: iter([b"* OK ", *[_WIDE] * (16 * megabytes), b"\r\n"])


def _crowds() -> Iterator[bytes]:
    """Envelopes without end, each with a megabyte of people that nobody has met before."""
    crowd = b"".join(b'("%%" NIL "p%d" "klant%d.example")' % (n, n) for n in range(24_000))
    for uid in count(1):
        yield fetched(uid, b"(%b)" % crowd.replace(b"%", b"%d" % uid))


def _last_words() -> Iterator[bytes]:
    """A refusal, and then the reasons, one every tenth of a second."""
    yield b"<tag> NO [AUTHENTICATIONFAILED] no\r\n"
    while True:
        time.sleep(0.1)
        yield b"* OK and moreover\r\n"


_GREETING, _SIGN_IN = b"greeting", b"AUTHENTICATE"
SILENT: dict[str, tuple[bytes, Payload]] = {
    "no greeting but silence": (_GREETING, _says()),
    "no capabilities but silence": (b"CAPABILITY", _says()),
    "silence at signing in": (_SIGN_IN, _says()),
    "a folder that is never opened": (b"EXAMINE", _says(b"* 3 EXISTS\r\n")),
    "a list that never ends": (b"LIST", _says(b'* LIST () "/" INBOX\r\n')),
    "a search that never ends": (b"SEARCH", _says(b"* SEARCH 1 2 3")),
    "silence in the middle of a message": (b"FETCH", _says(b"* 1 FETCH (UID 1 FLAGS (")),
    "silence in the middle of messages": (b"FETCH", _says(fetched(1))),
    "no goodbye but silence": (b"LOGOUT", _says()),
}
SERVERS: dict[str, tuple[bytes, Payload]] = {
    "a greeting of 2 MB": (_GREETING, _line(2)),
    "capabilities without end": (b"CAPABILITY", _endless(b"* CAPABILITY IMAP4rev1\r\n")),
    "long capabilities without end": (b"CAPABILITY", _endless(b"* CAPABILITY " + _WIDE + b"\r\n")),
    "literals without end among the capabilities": (
        b"CAPABILITY",
        _endless(b"* CAPABILITY {65000}\r\n" + _WIDE + b"\r\n"),
    ),
    "a literal of 2 GB among the capabilities": (
        b"CAPABILITY",
        _says(b"* CAPABILITY {2000000000}\r\n", _WIDE),
    ),
    "untagged answers without end at signing in": (_SIGN_IN, _endless(b"* OK patience\r\n")),
    "long answers without end at signing in": (_SIGN_IN, _endless(b"* OK " + _WIDE + b"\r\n")),
    "a line of 2 MB at signing in": (_SIGN_IN, _line(2)),
    "last words without end": (_SIGN_IN, _last_words),
    "challenges without end": (_SIGN_IN, _endless(b"+ \r\n")),
    "folders without end": (b"LIST", _endless(b'* LIST () "/" INBOX\r\n')),
    "long answers without end to LIST": (b"LIST", _endless(b"* OK " + _WIDE + b"\r\n")),
    "a literal of 2 GB for a folder's name": (b"LIST", _says(b'* LIST () "/" {2000000000}\r\n', _WIDE)),
    "a line of 20 MB at opening": (b"EXAMINE", _line(20)),
    "long answers without end at opening": (b"EXAMINE", _endless(b"* OK " + _WIDE + b"\r\n")),
    "answers without end at opening": (b"EXAMINE", _endless(b"* 3 EXISTS\r\n")),
    "a search of 16 MB": (b"SEARCH", lambda: iter([b"* SEARCH", *[b" 1" * 32_768] * 256, b"\r\n"])),
    "a search of 11 MB": (b"SEARCH", _says(b"* SEARCH" + b" 10" * 3_800_000 + b"\r\n" + _DONE)),
    "searches of 10 MB without end": (
        b"SEARCH",
        lambda: repeat(b"* ESEARCH UID ALL " + b"1:3," * 2_500_000 + b"1\r\n"),
    ),
    "a search of five million messages": (
        b"SEARCH",
        _says(b"* ESEARCH UID ALL 1:4999999\r\n", _DONE),
    ),
    "searches that add up to twenty million messages": (
        b"SEARCH",
        _says(
            *[b"* ESEARCH UID ALL %d:%d\r\n" % (n, n + 799_999) for n in range(1, 20_000_000, 800_000)], _DONE
        ),
    ),
    "a search of four thousand million messages": (
        b"SEARCH",
        _says(b"* ESEARCH UID ALL 1:4294967295\r\n", _DONE),
    ),
    "a literal of 2 GB for a subject": (
        b"FETCH",
        _says(b"* 1 FETCH (UID 1 ENVELOPE (NIL {2000000000}\r\n", _WIDE),
    ),
    "an envelope of 2 MB": (b"FETCH", lambda: iter([b'* 1 FETCH (UID 1 ENVELOPE (NIL "', *[_WIDE] * 32])),
    "messages nobody asked for, without end": (b"FETCH", _endless(fetched(4_000_000_000))),
    "brackets a hundred thousand deep": (
        b"FETCH",
        _says(b"* 1 FETCH (UID 1 BODYSTRUCTURE ", b"(" * 100_000, b"\r\n", _BYE),
    ),
    "crowds without end": (b"FETCH", _crowds),
    "BYE in the middle of a message": (b"FETCH", _says(fetched(1), _BYE)),
    "a goodbye without end": (b"LOGOUT", _endless(b"* OK " + _WIDE + b"\r\n")),
}
ACTING: dict[str, tuple[bytes, Payload]] = {  # when somebody asked for something
    f"{words} without end to {stage.decode()}": (stage, lambda said=said: chain([b"+ go on\r\n"], said()))
    for stage in (b"APPEND", b"STORE", b"COPY", b"MOVE", b"SEARCH", b"IDLE")
    for words, said in {
        "answers": _endless(b"* 1 EXISTS\r\n"),
        "long answers": _endless(b"* OK " + _WIDE + b"\r\n"),
        "folders": _numbered(b'* STATUS "Folder %" (MESSAGES % UIDNEXT % UIDVALIDITY %)\r\n'),
    }.items()
}
LATER: dict[str, tuple[bytes, Payload]] = {  # when the folder is opened for the second time
    "messages vanished without end": (b"EXAMINE", _endless(b"* VANISHED (EARLIER) 1:4294967295\r\n")),
    "five million messages vanished one by one": (
        b"EXAMINE",
        lambda: chain(
            [b"* VANISHED (EARLIER) 1"], repeat(b",1" * 50_000, 100), [b"\r\n", HONEST[b"EXAMINE"], _DONE]
        ),
    ),
    "flags changed without end": (
        b"EXAMINE",
        _numbered(b"* % FETCH (UID % FLAGS ($a% $b% $c%) MODSEQ (10))\r\n"),
    ),
    "flags of 10 MB": (
        b"EXAMINE",
        lambda: chain(
            [b"* 1 FETCH (UID 1 FLAGS ("],
            (
                b"".join(b"$%d " % n for n in range(first, first + 1000))
                for first in range(0, 1_500_000, 1000)
            ),
            [b"\\Seen))\r\n", HONEST[b"EXAMINE"], _DONE],
        ),
    ),
    "one item a million times": (
        b"EXAMINE",
        lambda: chain([b"* 1 FETCH ("], repeat(b"UID 1 " * 10_000, 150), [b"UID 1)\r\n", _BYE]),
    ),
    "flags of all messages without end": (
        b"FETCH",
        _numbered(b"* % FETCH (UID % FLAGS ($a% $b% $c%) MODSEQ (10))\r\n"),
    ),
}


class Hostile(Listening):
    """Serves TLS on `port` until closed; `met` is when the harmful command was first reached, else None."""

    def __init__(
        self, context: ssl.SSLContext, stage: bytes = b"", payload: Payload = _says(), **honest: bytes
    ) -> None:
        """`honest`: what it says, instead of the usual, to commands that are not `stage`."""
        self.stage, self.payload = stage, payload
        self._context, self.honest = context, HONEST | {verb.encode(): said for verb, said in honest.items()}
        self.met: float | None = None

    def _serve(self, raw: socket.socket) -> None:
        try:
            with self._context.wrap_socket(raw, server_side=True) as line:
                line.settimeout(60)
                self._talk(line)
        except OSError:
            pass

    def _talk(self, line: ssl.SSLSocket) -> None:
        if self.stage == _GREETING:
            self._harm(line, b"*")
            return
        line.sendall(b"* OK ready\r\n")
        for command in line.makefile("rb"):
            words = command.split()
            verb = words[2 if words[1:2] == [b"UID"] else 1].upper() if len(words) > 1 else b""
            if verb == self.stage:
                self._harm(line, words[0])
                return
            line.sendall(self.honest.get(verb, b"") + words[0] + b" OK done\r\n")

    def _harm(self, line: ssl.SSLSocket, tag: bytes) -> None:
        self.met = self.met or time.monotonic()
        for chunk in self.payload():
            if self._over.is_set():
                return
            line.sendall(chunk.replace(b"<tag>", tag))
        self._over.wait(60)
