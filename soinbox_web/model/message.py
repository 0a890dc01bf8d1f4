"""Messages: the envelope the list shows, the key that names one everywhere, and the parsed whole."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal, NamedTuple


class Correspondent(NamedTuple):
    """A display name ("" when none) and an address."""

    name: str
    address: str

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


class MessageKey(NamedTuple):
    """Names a message in URLs, drafts and actions: account, folder (decoded), UIDVALIDITY, UID."""

    account_id: int
    folder: str
    uidvalidity: int
    uid: int

    def __str__(self) -> str:
        return f"{self.account_id}.{_packed(self.folder)}.{self.uidvalidity}.{self.uid}"

    @classmethod
    def read(cls, text: str) -> "MessageKey | None":
        """The key written by `str`; None when the text is not one."""
        parts = text.split(".")
        if len(parts) != 4 or not all(
            p.isascii() and p.isdigit() and len(p) < 19 for p in (parts[0], *parts[2:])
        ):
            return None
        try:
            folder = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None
        return cls(int(parts[0]), folder, int(parts[2]), int(parts[3]))


@lru_cache(maxsize=1024)
def _packed(folder: str) -> str:
    return base64.urlsafe_b64encode(folder.encode()).decode().rstrip("=")


Reason = Literal["too_large", "unreadable", "refused", "not_given", "hung_up"]  # why one is set aside


class Envelope(NamedTuple):
    """What one FETCH tells of a message (RFC 9051: ENVELOPE, BODYSTRUCTURE, FLAGS, INTERNALDATE, size).

    Dates are seconds since 1970; `date` is None when the header has none that can be read; `size` is in
    bytes; texts are decoded (RFC 2047) and free of control characters; Message-IDs keep their brackets.
    """

    uid: int
    flags: frozenset[str]
    internal_date: int | None
    size: int
    date: int | None
    subject: str
    sender: tuple[Correspondent, ...]
    reply_to: tuple[Correspondent, ...]
    to: tuple[Correspondent, ...]
    cc: tuple[Correspondent, ...]
    bcc: tuple[Correspondent, ...]
    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    has_attachments: bool
    has_invitation: bool

    @property
    def seen(self) -> bool:
        return "\\Seen" in self.flags


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not the text: `part` is its index in the parser's walk, `size` in decoded bytes."""

    part: int
    name: str
    type: str
    size: int
    sha256: str
    inline: bool
    content_id: str


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """A whole message, read with the caps of trust.md section 2; `html` is raw and never shown as it is.

    `text` is the plain part, or the text of the HTML part where there is none; `defects` are short English
    facts about what was odd; `source_only` means that it is too odd to show as anything but its source.
    """

    subject: str
    sender: tuple[Correspondent, ...]
    reply_to: tuple[Correspondent, ...]
    to: tuple[Correspondent, ...]
    cc: tuple[Correspondent, ...]
    bcc: tuple[Correspondent, ...]
    date: datetime | None
    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    text: str
    html: str | None
    attachments: tuple[Attachment, ...]
    invitation: str | None  # the text/calendar part, decoded
    defects: tuple[str, ...] = ()
    source_only: bool = False


@dataclass(frozen=True, slots=True)
class SafeHtml:
    """HTML that passed the sanitiser; `remote` lists blocked URLs, `cids` the message's own pictures."""

    html: str
    remote: tuple[str, ...]
    cids: tuple[str, ...] = ()
