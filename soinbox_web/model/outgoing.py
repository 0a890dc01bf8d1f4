"""A message to be sent, before it is bytes; and the bytes."""

from dataclasses import dataclass

from soinbox_web.model.message import Correspondent


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """An attachment; with a `content_id` (no brackets) it is a picture that the HTML shows as `cid:…`."""

    name: str
    type: str
    content: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What the writer made; `in_reply_to` and `references` keep their angle brackets."""

    sender: Correspondent
    to: tuple[Correspondent, ...]
    subject: str
    text: str
    cc: tuple[Correspondent, ...] = ()
    bcc: tuple[Correspondent, ...] = ()
    reply_to: tuple[Correspondent, ...] = ()
    html: str | None = None
    attachments: tuple[OutgoingFile, ...] = ()
    in_reply_to: str = ""
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Built:
    """`wire` goes to the server (CRLF, never Bcc), `sent_copy` into Sent (with Bcc); domains are A-labels."""

    message_id: str
    wire: bytes
    sent_copy: bytes
    envelope_from: str
    recipients: tuple[str, ...]
