"""IMAP servers that mean harm: each is honest up to one command, and then says what no sane server says."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Self

CAPABILITIES = b"IMAP4rev1 AUTH=PLAIN SASL-IR ENABLE CONDSTORE QRESYNC LIST-STATUS ESEARCH"
_STRUCTURE = b'("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 7 1 NIL NIL NIL NIL)'
_PERSON = b'(("Eva" NIL "eva" "klant.example"))'


def fetched(uid: int) -> bytes:
    """An honest answer to the FETCH of envelopes."""
    people = b" ".join([_PERSON] * 4 + [b"NIL", b"NIL"])
    return (
        b'* %d FETCH (UID %d FLAGS (\\Seen) INTERNALDATE "23-Nov-2026 08:30:05 +0000" RFC822.SIZE 812'
        b' MODSEQ (9) ENVELOPE ("Mon, 23 Nov 2026 09:30:00 +0100" "Offerte" %b NIL "<%d@x.example>")'
        b" BODYSTRUCTURE %b"
        b" BODY[HEADER.FIELDS (REFERENCES)] {2}\r\n\r\n)\r\n"
    ) % (uid, uid, people, uid, _STRUCTURE)


_HONEST = {
    b"CAPABILITY": b"* CAPABILITY " + CAPABILITIES + b"\r\n",
    b"ENABLE": b"* ENABLED QRESYNC\r\n",
    b"LIST": b'* LIST () "/" INBOX\r\n'
    b"* STATUS INBOX (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 1 HIGHESTMODSEQ 9)\r\n",
    b"EXAMINE": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 1] v\r\n* OK [UIDNEXT 4] n\r\n* OK [HIGHESTMODSEQ 9] h\r\n",
    b"SEARCH": b"* SEARCH 1 2 3\r\n",
    b"FETCH": b"".join(fetched(uid) for uid in (1, 2, 3)),
}
_WIDE = b"x" * 65_536
Payload = Callable[[], Iterator[bytes]]


def _says(*chunks: bytes) -> Payload:
    return lambda: iter(chunks)


def _endless(chunk: bytes) -> Payload:
    return lambda: repeat(chunk * max(1, 60_000 // len(chunk)))


def _line(megabytes: int) -> Payload:
    return lambda: iter([b"* OK ", *[_WIDE] * (16 * megabytes), b"\r\n"])


_GREETING, _SIGN_IN = b"greeting", b"AUTHENTICATE"
SERVERS: dict[str, tuple[bytes, Payload]] = {
    "a greeting of 2 MB": (_GREETING, _line(2)),
    "no greeting but silence": (_GREETING, _says()),
    "capabilities without end": (b"CAPABILITY", _endless(b"* CAPABILITY IMAP4rev1\r\n")),
    "a literal of 2 GB among the capabilities": (
        b"CAPABILITY",
        _says(b"* CAPABILITY {2000000000}\r\n", _WIDE),
    ),
    "untagged answers without end at signing in": (_SIGN_IN, _endless(b"* OK patience\r\n")),
    "a line of 2 MB at signing in": (_SIGN_IN, _line(2)),
    "challenges without end": (_SIGN_IN, _endless(b"+ \r\n")),
    "folders without end": (b"LIST", _endless(b'* LIST () "/" INBOX\r\n')),
    "a literal of 2 GB for a folder's name": (b"LIST", _says(b'* LIST () "/" {2000000000}\r\n', _WIDE)),
    "a folder that is never opened": (b"EXAMINE", _says(b"* 3 EXISTS\r\n")),
    "a line of 2 MB at opening": (b"EXAMINE", _line(2)),
    "answers without end at opening": (b"EXAMINE", _endless(b"* 3 EXISTS\r\n")),
    "a search of 8 MB": (b"SEARCH", lambda: iter([b"* SEARCH", *[b" 1" * 32_768] * 128, b"\r\n"])),
    "a search of four thousand million messages": (b"SEARCH", _says(b"* ESEARCH UID ALL 1:4294967295\r\n")),
    "a literal of 2 GB for a subject": (
        b"FETCH",
        _says(b"* 1 FETCH (UID 1 ENVELOPE (NIL {2000000000}\r\n", _WIDE),
    ),
    "an envelope of 2 MB": (b"FETCH", lambda: iter([b'* 1 FETCH (UID 1 ENVELOPE (NIL "', *[_WIDE] * 32])),
    "messages nobody asked for, without end": (b"FETCH", _endless(fetched(4_000_000_000))),
    "brackets a hundred thousand deep": (
        b"FETCH",
        _says(b"* 1 FETCH (UID 1 BODYSTRUCTURE ", b"(" * 100_000, b"\r\n"),
    ),
    "silence in the middle of a message": (b"FETCH", _says(b"* 1 FETCH (UID 1 FLAGS (")),
    "BYE in the middle of a message": (b"FETCH", _says(fetched(1), b"* BYE enough\r\n")),
}


class Hostile:
    """Serves TLS on `port` until closed; `met` tells that the harmful command was reached."""

    def __init__(self, context: ssl.SSLContext, stage: bytes, payload: Payload) -> None:
        self._context, self._stage, self._payload = context, stage, payload
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.met = False
        self._over = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts; closing would not
        self._listener.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        try:
            with self._context.wrap_socket(raw, server_side=True) as line:
                line.settimeout(60)
                self._talk(line)
        except OSError:
            pass

    def _talk(self, line: ssl.SSLSocket) -> None:
        if self._stage == _GREETING:
            self._harm(line)
            return
        line.sendall(b"* OK ready\r\n")
        for command in line.makefile("rb"):
            words = command.split()
            verb = words[2 if words[1:2] == [b"UID"] else 1].upper() if len(words) > 1 else b""
            if verb == self._stage:
                self._harm(line)
                return
            line.sendall(_HONEST.get(verb, b"") + words[0] + b" OK done\r\n")

    def _harm(self, line: ssl.SSLSocket) -> None:
        self.met = True
        for chunk in self._payload():
            if self._over.is_set():
                return
            line.sendall(chunk)
        self._over.wait(60)
