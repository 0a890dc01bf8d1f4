"""What became of a message that was handed to a mail server, as a whole and for each recipient."""

import re
from dataclasses import dataclass
from typing import Literal

from soinbox_web.model.diagnosis import read_refusal
from soinbox_web.model.server_answer import read_answer
from soinbox_web.problems import Problem

Step = Literal["mail", "rcpt", "data", "dot"]
SubmissionState = Literal["sent", "failed", "uncertain"]
RecipientState = Literal["sent", "refused", "delayed", "uncertain", "not_sent"]

_SENDER_CODES = re.compile(r"5\.(?:7\.(?:0|1|27)|1\.[078])")
_SENDER_WORDS = re.compile(
    r"(?:Sender address rejected|SendAsDenied|.{0,80}not (?:allowed|permitted|authorized) to send as )",
    re.IGNORECASE,
)
_SEND_AS_DENIED = {"5.7.60", "5.2.252"}  # Exchange says it after the message, too
_CONGESTED = "5.4.5"  # said for a day's limit of messages
_TOO_BIG = {"5.3.4", "5.2.3"}
_RELAY = re.compile(
    r"(?:<[^>]*>:? )?(?:Relay(?:ing)? (?:access )?(?:denied|not permitted|not allowed)|we do not relay)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class RecipientResult:
    """One recipient: `delayed` may be tried again alone, `line` is the server's answer as it may be shown."""

    address: str
    state: RecipientState
    line: str = ""


@dataclass(frozen=True, slots=True)
class SubmissionResult:
    """The fate of a message.

    `sent`: accepted for at least one recipient; a problem is then about the others. `failed`: surely not
    accepted; the problem's `retry` tells whether to try again. `uncertain`: the connection was lost between
    the final dot and its answer; never sent again by itself. Recipients that are `delayed` may be tried
    again, they alone, whatever the state.
    """

    state: SubmissionState
    recipients: tuple[RecipientResult, ...]
    problem: Problem | None = None


def read_submission(step: Step, reply: bytes) -> tuple[str, str]:
    """Problem code of a 4xx or 5xx reply, and the reply as it may be shown (RFC 5321, RFC 3463)."""
    answer = read_answer(reply)
    if answer.temporary:
        code = "recipient_delayed" if step == "rcpt" else read_refusal("smtp", "send", [reply]).code
        return ("server_unavailable" if code == "unknown" else code), answer.line
    if answer.code in _TOO_BIG or (answer.status == "552" and not answer.code):
        return "message_too_big", answer.line
    if answer.code == "5.2.2" and step != "rcpt":
        return "over_quota", answer.line
    if step == "rcpt":
        return ("smtp_relay_only" if _RELAY.match(answer.text) else "recipient_refused"), answer.line
    sender = answer.status in ("550", "553", "554") and (
        _SENDER_CODES.fullmatch(answer.code) or not answer.code
    )
    if (step == "mail" and sender) or _SENDER_WORDS.match(answer.text) or answer.code in _SEND_AS_DENIED:
        return "smtp_sender_refused", answer.line
    if answer.code == _CONGESTED:
        return "rate_limited", answer.line
    return "message_refused", answer.line
