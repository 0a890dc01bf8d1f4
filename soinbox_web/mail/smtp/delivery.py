"""Handing one message to an SMTP server so that it is never doubled and never silently lost.

The order that makes it so (trust.md section 4): everything but the final dot, then `before_dot` writes that
down durably, then the dot. What fails before the dot was surely not sent; what is lost after it is uncertain.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import idna

from soinbox_web.mail.diagnose import FOREIGN
from soinbox_web.mail.imap.client import refuse_breaks
from soinbox_web.model.server_answer import shown
from soinbox_web.model.submission import (
    RecipientResult,
    RecipientState,
    Step,
    SubmissionResult,
    SubmissionState,
    read_submission,
)
from soinbox_web.problems import Problem

if TYPE_CHECKING:
    from soinbox_web.mail.smtp.dialogue import Reply
    from soinbox_web.mail.smtp.submission import SmtpConnection

UPLOAD_BYTES_PER_SECOND = 20_000
UPLOAD_CHUNK = 262_144
EARLY_SECONDS = 1.0

_LINE_END = re.compile(rb"\r\n|\r|\n")
_DOT = re.compile(rb"^\.", re.MULTILINE)

BeforeDot: TypeAlias = Callable[[Sequence[RecipientResult]], None]


def deliver(
    connection: "SmtpConnection",
    envelope_from: str,
    recipients: Sequence[str],
    data: bytes,
    before_dot: BeforeDot,
) -> SubmissionResult:
    """Send `data` (a whole message; its line ends are made CRLF) to the recipients.

    `before_dot` is called when all but the final dot has left, with what is true of each recipient if the
    answer is never heard; when it raises, the connection is closed, the message was not sent, and the error
    passes. Everything else ends in a result.
    """
    return _Delivery(connection, envelope_from, list(recipients)).run(_canonical(data), before_dot)


class _Delivery:
    def __init__(self, connection: "SmtpConnection", sender: str, recipients: list[str]) -> None:
        self.connection = connection
        self.dialogue = connection.dialogue
        self.sender = sender
        self.states: dict[str, tuple[RecipientState, str]] = dict.fromkeys(recipients, ("not_sent", ""))
        self.refusals: list[Problem] = []

    def run(self, data: bytes, before_dot: BeforeDot) -> SubmissionResult:
        try:
            if (refused := self._envelope(data)) or (refused := self._body(data)):
                return self._failed(refused)
        except FOREIGN as error:
            self.connection.close()
            return self._failed(self.connection.stages.problem(error, "send"))
        try:
            before_dot(self._recipients("uncertain"))
        except BaseException:
            self.connection.close()
            raise
        if ended := self._ended_early():
            self.connection.close()
            return self._failed(ended)
        return self._dot()

    def _envelope(self, data: bytes) -> Problem | None:
        """MAIL and RCPT; the problem when nobody is left to send to."""
        offered = self.connection.extensions
        limit = int(offered.get("SIZE") or 0) if (offered.get("SIZE") or "0").isdigit() else 0
        if limit and len(data) > limit:
            return self._problem("message_too_big", size=_megabytes(len(data)), limit=_megabytes(limit))
        eight_bit = not data.isascii()
        if eight_bit and "8BITMIME" not in offered:
            return self._problem("message_refused", evidence="8BITMIME")
        utf8 = "SMTPUTF8" in offered
        sender = _path(self.sender, utf8)
        if sender is None:
            return self._problem("address_not_supported", recipient=self.sender)
        paths = {recipient: _path(recipient, utf8) for recipient in self.states}
        options = b" BODY=8BITMIME" if eight_bit else b""
        options += b" SIZE=%d" % len(data) if "SIZE" in offered else b""
        if not all(path is None or path.isascii() for path in (sender, *paths.values())):
            options += b" SMTPUTF8"
        if refused := self._ask("mail", b"MAIL FROM:<" + sender + b">" + options):
            return refused
        for recipient, path in paths.items():
            self._recipient(recipient, path)
        if any(state == "sent" for state, _ in self.states.values()):
            return None
        return self._worst() or self._problem("recipient_refused", recipient="")

    def _recipient(self, recipient: str, path: bytes | None) -> None:
        if path is None:
            self.states[recipient] = ("refused", "")
            self.refusals.append(self._problem("address_not_supported", recipient=recipient))
            return
        refused = self._ask("rcpt", b"RCPT TO:<" + path + b">", recipient=recipient)
        if refused is None:
            self.states[recipient] = ("sent", "")
            return
        delayed = refused.retry == "later"
        self.states[recipient] = ("delayed" if delayed else "refused", refused.evidence)
        self.refusals.append(refused)

    def _body(self, data: bytes) -> Problem | None:
        """DATA and the message, all but the dot."""
        reply = self.dialogue.ask(b"DATA")
        if reply.code != 354:
            return self._refusal("data", reply)
        stuffed = _DOT.sub(b"..", data)
        for start in range(0, len(stuffed), UPLOAD_CHUNK):
            self.dialogue.wire.allow(60 + UPLOAD_CHUNK / UPLOAD_BYTES_PER_SECOND)
            self.dialogue.wire.send(stuffed[start : start + UPLOAD_CHUNK])
        return None

    def _ended_early(self) -> Problem | None:
        """Why the server hung up or refused while the dot has not left: then it surely took no message."""
        if not self.dialogue.wire.readable(0):
            return None
        self.dialogue.wire.allow(EARLY_SECONDS)
        try:
            return self._refusal("data", self.dialogue.reply())
        except TimeoutError:
            return None  # a matter of TLS
        except FOREIGN as error:
            return self.connection.stages.problem(error, "send")

    def _dot(self) -> SubmissionResult:
        try:
            reply = self.dialogue.ask(b".", seconds=self.connection.timeouts.dot)
        except FOREIGN as error:
            self.connection.close()
            lost = self.connection.stages.problem(error, "send")
            return self._result("uncertain", self._problem("send_uncertain", evidence=lost.evidence))
        if not reply.ok:
            return self._failed(self._refusal("dot", reply))
        line = shown(reply.raw)
        self.states = {r: (s, line if s == "sent" else text) for r, (s, text) in self.states.items()}
        return self._result("sent", self._worst())

    def _ask(self, step: Step, command: bytes, **facts: str) -> Problem | None:
        reply = self.dialogue.ask(command)
        return None if reply.ok else self._refusal(step, reply, **facts)

    def _refusal(self, step: Step, reply: "Reply", **facts: str) -> Problem:
        code, line = read_submission(step, reply.raw)
        return self._problem(code, evidence=line, **facts)

    def _problem(self, code: str, *, evidence: str = "", **facts: str) -> Problem:
        login = self.connection.login
        usual = {
            "host": login.host,
            "port": str(login.port),
            "username": login.username,
            "address": self.sender,
        }
        usual |= {"protocol": "SMTP", "provider": login.host, "size": "…", "limit": "…"}
        return Problem(code, "smtp", "send", evidence=evidence, facts={**usual, **facts})

    def _worst(self) -> Problem | None:
        """The refusal to speak about: one that does not pass by itself, if there is one."""
        return next((p for p in self.refusals if p.retry != "later"), next(iter(self.refusals), None))

    def _failed(self, problem: Problem) -> SubmissionResult:
        return self._result("failed", problem)

    def _result(self, state: SubmissionState, problem: Problem | None) -> SubmissionResult:
        return SubmissionResult(state, self._recipients("not_sent" if state == "failed" else state), problem)

    def _recipients(self, accepted: RecipientState) -> tuple[RecipientResult, ...]:
        """What is true of each recipient when this is true of those that the server agreed to."""
        return tuple(
            RecipientResult(r, accepted if s == "sent" else s, line) for r, (s, line) in self.states.items()
        )


def _canonical(data: bytes) -> bytes:
    """CRLF line ends only, the last line ended: no bare CR or LF can smuggle a second message."""
    data = _LINE_END.sub(b"\r\n", data)
    return data if data.endswith(b"\r\n") else data + b"\r\n"


def _path(address: str, utf8: bool) -> bytes | None:
    """An address for MAIL or RCPT; None when the server would need SMTPUTF8 (RFC 6531) and lacks it."""
    refuse_breaks(address)
    if set(address) & set("<> \t"):
        return None
    if address.isascii():
        return address.encode()
    local, _, domain = address.rpartition("@")
    try:
        domain = idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return None
    if local.isascii():
        return f"{local}@{domain}".encode()
    return address.encode() if utf8 else None


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"
