"""A page of a message list: what was asked, the rows, and where the pages before and after begin."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from soinbox_web.model.account import Account
from soinbox_web.model.folder import Folder, Role
from soinbox_web.model.message import MessageKey
from soinbox_web.problems import Problem

Sort = Literal["date", "sender", "subject"]
Order = Literal["newest", "oldest"]

PAGE = 50
OUTGOING = ("sent", "drafts")
COUNTED = 1_000  # messages of a search or a filter; beyond, their number is not told
EVERY_SORT: tuple[Sort, ...] = ("date", "sender", "subject")
Senders = Literal["", "known", "colleague", "other"]
EVERY_SENDERS: tuple[Senders, ...] = ("known", "colleague", "other")


class Query(NamedTuple):
    """What of a folder is asked for; `after` and `before` are cursors made by `MessageRow.cursor`.

    `since` and `until` are whole days of the reader, both included; `senders` are those with a card (known),
    users (colleague) or neither (other).
    """

    folder: str = ""
    text: str = ""
    everywhere: bool = False
    unread: bool = False
    attachment: bool = False
    since: date | None = None
    until: date | None = None
    senders: Senders = ""
    sort: Sort = "date"
    ascending: bool = False
    after: str = ""
    before: str = ""

    @property
    def filtered(self) -> bool:
        """Some messages of the folder are left out."""
        return bool(self.unread or self.attachment or self.since or self.until or self.senders)

    def with_(self, **changes: Any) -> "Query":
        """The same with some parts replaced; any change starts at the first page unless it names a cursor."""
        return self._replace(**{"after": "", "before": "", **changes})

    def arguments(self) -> dict[str, str]:
        """As URL arguments; what is not asked for is left out."""
        given = {
            "folder": self.folder, "q": self.text, "everywhere": "1" if self.everywhere else "",
            "unread": "1" if self.unread else "", "attachment": "1" if self.attachment else "",
            "since": str(self.since or ""), "until": str(self.until or ""), "senders": self.senders,
            "sort": "" if self.sort == "date" else self.sort, "order": "ascending" if self.ascending else "",
            "after": self.after, "before": self.before,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value}


class MessageRow(NamedTuple):
    """One line of the list, open actions included; `people` are who it is from (in Sent: to)."""

    key: MessageKey
    cursor: str
    people: str
    address: str
    date: datetime | None
    subject: str
    preview: str | None  # None: its text has not been here yet
    unread: bool
    flagged: bool
    answered: bool
    forwarded: bool
    has_attachments: bool
    has_invitation: bool
    role: Role = ""  # of its folder

    @property
    def outgoing(self) -> bool:
        """It is from the reader, so `people` are who it is to."""
        return self.role in OUTGOING


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the mail a search has seen.

    `here`: all of it is here. `asking`: the server is asked for `unread` messages whose text is not here;
    `asked`: it has answered; `refused`: it could not (`problem`).
    """

    state: Literal["here", "asking", "asked", "refused"]
    unread: int = 0
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One page: `count` is how many there are in all, with `more` that many at least.

    `newer` and `older` are cursors or "".
    """

    account: Account
    folder: Folder | None
    folders: tuple[Folder, ...]
    unread: int
    rows: tuple[MessageRow, ...]
    count: int
    newer: str = ""
    older: str = ""
    folder_problem: Problem | None = None
    more: bool = False
    left_out: int = 0  # older messages that are on the server only, told where the list ends

    @property
    def filling(self) -> bool:
        """The folder is still being fetched for the first time."""
        return self.folder is not None and self.folder.awaited > 0
