"""Folders of a mailbox and their roles (RFC 6154 SPECIAL-USE)."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["inbox", "drafts", "sent", "trash", "junk", "archive", "all", "flagged", "important", ""]


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as the mailbox file knows it; `name` is the decoded full path, `delimiter` splits it.

    `id` is the row in the mailbox file, never used outside it; `synced_at` is RFC 3339 or "".
    """

    id: int
    name: str
    delimiter: str
    role: Role
    selectable: bool
    uidvalidity: int
    uidnext: int
    highestmodseq: int
    total: int  # messages on the server
    stored: int  # envelopes here
    unread: int
    synced_at: str
    wire: str = ""  # the name as the server spells it (modified UTF-7, Latin-1 where that is broken)
    aside: int = 0  # messages that are not fetched: unreadable, or older than the account's horizon

    @property
    def awaited(self) -> int:
        """Messages that are still to be fetched."""
        return max(0, self.total - self.stored - self.aside)

    @property
    def leaf(self) -> str:
        """The last part of the path, as people see it."""
        return self.name.rsplit(self.delimiter, 1)[-1] if self.delimiter else self.name
