"""A submission server with more ways to misbehave: it cuts after an answer, and believes too much."""

import threading
import time

from soinbox_web.rehearsal.behaviour import SmtpBehaviour
from soinbox_web.rehearsal.scripted import Cut, Wire
from soinbox_web.rehearsal.scripted_smtp import Accepted, ScriptedSmtp

ENDS = (
    b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\r\n.\r\n", b"\n.\r",
)  # fmt: skip
"""What one server or another took for the end of a message (SMTP smuggling)."""


class Postbox(ScriptedSmtp):
    """A submission server that can also cut the line right after an answer, and says when it is at rest.

    One that stalls does so until it is told to `go_on`. What it received while `gullible` is kept as it came.
    """

    def __init__(self, behaviour: SmtpBehaviour) -> None:
        super().__init__(behaviour)
        self.cut_after = ""
        self.early = b""  # is said amid the message, and then no more
        self.gullible = False  # takes each of `ENDS` for the end of a message
        self._going_on = threading.Event()
        self._stalled = 0

    def go_on(self) -> None:
        """Whoever is stalled is cut off; the next fault stalls anew."""
        self._going_on.set()
        self.rest()
        self._going_on, self._stalled = threading.Event(), 0

    def rest(self, patience: float = 10.0) -> None:
        """Wait until no conversation is going on but those that are stalled."""
        until = time.monotonic() + patience
        while len(self._open) > (0 if self._going_on.is_set() else self._stalled):
            assert time.monotonic() < until, "a conversation does not end"
            time.sleep(0.002)

    def _moment(self, name: str, behaviour: SmtpBehaviour) -> None:  # type: ignore[override]
        if behaviour.stall_at == name:
            self._stalled += 1
            self._going_on.wait()
            raise Cut
        super()._moment(name, behaviour)

    def _answer(self, wire: Wire, behaviour: SmtpBehaviour, verb: str, rest: str) -> bytes:
        answer = super()._answer(wire, behaviour, verb, rest)
        self._cut(verb)
        return answer

    def _sign_in(self, wire: Wire, behaviour: SmtpBehaviour, rest: str) -> None:
        super()._sign_in(wire, behaviour, rest)
        self._cut("AUTH")

    def _receive(self, wire: Wire, behaviour: SmtpBehaviour, sender: str, recipients: list[str]) -> None:
        if self.gullible:
            self._receive_gullibly(wire, sender, recipients)
        elif self.early:
            wire.send(b"354 Go on\r\n")
            wire.line()
            wire.send(self.early + b"\r\n")
            raise Cut
        else:
            super()._receive(wire, behaviour, sender, recipients)
        self._cut("DOT")

    def _receive_gullibly(self, wire: Wire, sender: str, recipients: list[str]) -> None:
        wire.send(b"354 Go on\r\n")
        data = b""
        while not data.endswith(ENDS):
            data += wire.exactly(1)
        if data.endswith(b"\r") and wire._buffer.startswith(b"\n"):
            data += wire.exactly(1)  # it was the usual end
        self.messages.append(Accepted(sender, tuple(recipients), data))
        wire.send(b"250 Ok\r\n")

    def _cut(self, verb: str) -> None:
        if self.cut_after == verb:
            raise Cut
