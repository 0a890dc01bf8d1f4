"""T5: whoever strips, breaks or fools STARTTLS never reads a secret in clear, whichever side it is."""

import base64
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from soinbox_web.rehearsal.certificates import Authority, Identity
from tests.mail.conftest import ADDRESS, SECRET, Bench
from tests.servers.listening import Listening

GREETING = {"imap": b"* OK ready\r\n", "smtp": b"220 ready ESMTP\r\n"}
OFFER = {
    "imap": b"* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2\r\n<tag> OK done\r\n",
    "smtp": b"250-ready\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN XOAUTH2\r\n",
}
CONSENT = {"imap": b"<tag> OK begin\r\n", "smtp": b"220 begin\r\n"}
ANYTHING = {"imap": b"<tag> OK done\r\n", "smtp": b"250 done\r\n"}
WELL = {"imap": b"* OK signed in\r\n<tag> OK done\r\n", "smtp": b"235 signed in\r\n"}
FAULTS = ("self_signed", "wrong_name", "expired")  # of certificates


def _without(offer: bytes) -> bytes:
    return offer.replace(b"250-STARTTLS\r\n", b"").replace(b" STARTTLS", b"")


def _answer(imap: bytes, smtp: bytes) -> dict[str, bytes]:
    return {"imap": b"<tag> " + imap + b"\r\n", "smtp": smtp + b"\r\n"}


@dataclass(frozen=True)
class Trick:
    """What the man in the middle does: `then` comes after the consent, `tls` is how the handshake goes."""

    greeting: dict[str, bytes] = field(default_factory=lambda: GREETING)
    offer: dict[str, bytes] = field(default_factory=lambda: OFFER)
    consent: dict[str, bytes] = field(default_factory=lambda: CONSENT)
    then: dict[str, bytes] = field(default_factory=lambda: {"imap": b"", "smtp": b""})
    reached: bool = True  # whether it is asked for STARTTLS at all
    tls: str = "clear"  # clear, none, cut, stall, self_signed, wrong_name, expired


TRICKS: dict[str, Trick] = {
    "not offered": Trick(offer={side: _without(said) for side, said in OFFER.items()}, reached=False),
    "offered by no more than a name like it": Trick(
        offer={side: said.replace(b"STARTTLS", b"XSTARTTLS") for side, said in OFFER.items()},
        reached=False,
    ),
    "refused for now": Trick(consent=_answer(b"NO not now", b"454 4.7.0 not now")),
    "refused for ever": Trick(consent=_answer(b"BAD what?", b"502 5.5.1 what?")),
    "refused, with the advice to go elsewhere": Trick(
        consent=_answer(b"NO [REFERRAL imap://localhost/] there", b"421 4.3.2 try localhost")
    ),
    "consented, and on in clear": Trick(then=GREETING),
    "consented, and signed in at once": Trick(then=WELL),
    "consented, with capabilities in the same packet": Trick(then=OFFER),
    "consented, and closed": Trick(tls="cut"),
    "consented, and silent": Trick(tls="stall"),
    "signed in by the greeting": Trick(
        greeting={"imap": b"* PREAUTH welcome\r\n", "smtp": b"220 ready\r\n235 welcome\r\n"},
        reached=False,
    ),
    "the offer taken back": Trick(
        offer={
            "imap": OFFER["imap"] + b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
            "smtp": OFFER["smtp"] + _without(OFFER["smtp"]),
        },
        consent=_answer(b"BAD no longer", b"503 no longer"),
        reached=False,
    ),
    "a certificate of its own": Trick(tls="self_signed"),
    "a certificate of another name": Trick(tls="wrong_name"),
    "an expired certificate": Trick(tls="expired"),
}


class Middle(Listening):
    """Plays one trick on whoever comes; `clear` is every byte that came without TLS, `sealed` within."""

    def __init__(self, side: str, trick: Trick, identity: Identity) -> None:
        self.side, self.trick = side, trick
        self._context = identity.server_context()
        self.clear, self.sealed, self.visits = bytearray(), bytearray(), 0

    def _serve(self, line: socket.socket) -> None:
        self.visits += 1
        with line, contextlib.suppress(OSError):
            line.settimeout(10)
            line.sendall(self.trick.greeting[self.side])
            for command in self._commands(line):
                words = command.split() or [b""]
                tag = words[0] if self.side == "imap" else b""
                verb = words[1 if self.side == "imap" and words[1:] else 0].upper()
                offer, consent = self.trick.offer, self.trick.consent
                said = {b"CAPABILITY": offer, b"EHLO": offer, b"STARTTLS": consent}
                line.sendall(said.get(verb, ANYTHING)[self.side].replace(b"<tag>", tag))
                if verb == b"STARTTLS" and consent == CONSENT and self._after(line, tag):
                    return

    def _commands(self, line: socket.socket) -> Iterator[bytes]:
        waiting = b""
        while chunk := line.recv(4096):
            self.clear += chunk
            *lines, waiting = (waiting + chunk).split(b"\n")
            yield from lines

    def _after(self, line: socket.socket, tag: bytes) -> bool:
        """Whether the trick is over."""
        if self.trick.tls == "cut":
            return True
        if self.trick.tls == "stall":
            self._over.wait(10)
            return True
        if self.trick.tls == "clear":
            line.sendall(self.trick.then[self.side].replace(b"<tag>", tag))
            return False
        with self._context.wrap_socket(line, server_side=True) as inner:
            while chunk := inner.recv(4096):
                self.sealed += chunk
        return True


def _spellings() -> list[bytes]:
    """Every way in which the secret could stand on the line."""
    secret, address = SECRET.encode(), ADDRESS.encode()
    plain = (b"\0%b\0%b" % (address, secret), b"%b\0%b\0%b" % (address, address, secret))
    bearer = b"user=%b\x01auth=Bearer %b\x01\x01" % (address, secret)
    return [secret, *(base64.b64encode(each) for each in (secret, *plain, bearer))]


def _identity(ca: Authority, trick: Trick) -> Identity:
    fault = trick.tls if trick.tls in FAULTS else "none"
    return ca.issue("127.0.0.1", fault=fault)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", TRICKS)
def test_no_secret_in_clear(bench: Bench, ca: Authority, name: str) -> None:
    trick = TRICKS[name]
    with Middle(bench.side, trick, _identity(ca, trick)) as middle:
        for token in (False, True):
            assert bench.code(bench.login(middle.port, "starttls"), token=token)
    assert middle.visits >= 2, "nobody came"
    assert not trick.reached or b"STARTTLS" in middle.clear, "the trick was never played"
    read = bytes(middle.clear) + bytes(middle.sealed)
    assert [spelling for spelling in _spellings() if spelling in read] == []


def test_the_middle_would_have_read_it(bench: Bench, ca: Authority) -> None:
    """The control: said in clear, the secret is found by the same way of looking."""
    with (
        Middle(bench.side, TRICKS["not offered"], ca.issue("127.0.0.1")) as middle,
        contextlib.closing(socket.socket()) as line,
    ):
        line.connect(("127.0.0.1", middle.port))
        line.sendall(_spellings()[2] + b"\r\n")
        while line.recv(4096) in GREETING.values():
            continue
    assert any(spelling in bytes(middle.clear) for spelling in _spellings())
