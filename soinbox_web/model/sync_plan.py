"""What a synchronisation has to do, decided from what is here and what the server says; no I/O."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from soinbox_web.model.folder import Folder, Role

BODIES_SINCE = timedelta(days=30)  # newer messages are fetched whole without being asked for
NO_BODIES: tuple[Role, ...] = ("trash", "junk")  # but for those in these folders
REBUILDS = 5  # a folder that had to be built up more often than this is not trusted to stay


@dataclass(frozen=True, slots=True)
class ServerFolder:
    """A folder as LIST tells it; `status` only where the server was asked for it.

    `name` is decoded, `wire` the server's spelling (Latin-1), both full paths.
    """

    name: str
    wire: str
    delimiter: str
    role: Role
    selectable: bool
    status: "FolderStatus | None" = None


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """STATUS or EXAMINE of one folder; 0 where the server does not say (`unseen`: -1)."""

    uidvalidity: int
    uidnext: int
    total: int
    highestmodseq: int = 0
    unseen: int = -1


@dataclass(frozen=True, slots=True)
class FolderChanges:
    """How the list of folders has to change; `renamed` and `described` pair a row with what it is now."""

    appeared: tuple[ServerFolder, ...] = ()
    described: tuple[tuple[int, ServerFolder], ...] = ()
    renamed: tuple[tuple[int, ServerFolder], ...] = ()
    gone: tuple[Folder, ...] = ()


def compare_folders(here: Sequence[Folder], there: Sequence[ServerFolder]) -> FolderChanges:
    """Match by name; a name that went and one that came with the very same cursor are one renamed folder.

    Not where the server gives several folders one UIDVALIDITY, as it may (RFC 9051 section 2.3.1.1).
    """
    rows = {folder.name: folder for folder in here}
    names = {folder.name for folder in there}
    new = [folder for folder in there if folder.name not in rows]
    lost = [folder for folder in here if folder.name not in names]
    renamed: list[tuple[int, ServerFolder]] = []
    bearing = Counter(folder.uidvalidity for folder in here)
    for old in [folder for folder in lost if folder.stored and bearing[folder.uidvalidity] == 1]:
        same = [folder for folder in new if _same_content(old, folder.status)]
        if len(same) == 1:
            renamed.append((old.id, same[0]))
            lost.remove(old)
            new.remove(same[0])
    described = [
        (rows[folder.name].id, folder)
        for folder in there
        if folder.name in rows and _description(rows[folder.name]) != _description(folder)
    ]
    return FolderChanges(tuple(new), tuple(described), tuple(renamed), tuple(lost))


def _same_content(old: Folder, status: FolderStatus | None) -> bool:
    return (
        status is not None
        and old.stored > 0
        and (old.uidvalidity, old.uidnext, old.total) == (status.uidvalidity, status.uidnext, status.total)
    )


def _description(folder: Folder | ServerFolder) -> tuple[str, str, Role, bool]:
    return folder.wire, folder.delimiter, folder.role, folder.selectable


Sweep = Literal["none", "recent", "all"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with one folder that is open.

    `rebuild`: forget its rows first. `first_page`: there is nothing here yet, so fetch the newest before
    looking further. `new_from`: look for UIDs from here on (0: none can be new). `changed_since`: ask for
    flags changed after this MODSEQ (0: do not). `sweep`: compare flags of the newest, or of all. `compare`:
    compare the UIDs of the whole folder.
    """

    rebuild: bool = False
    first_page: bool = False
    new_from: int = 0
    changed_since: int = 0
    sweep: Sweep = "none"
    compare: bool = False

    @property
    def nothing(self) -> bool:
        return self == _NOTHING


_NOTHING = Plan()


def plan(
    here: Folder, there: FolderStatus, *, known: int, resynchronised: bool = False, sweep_due: bool = False
) -> Plan:
    """The work for one folder; `known` counts its rows and the messages set aside.

    `resynchronised`: the server has already told flags and vanished UIDs (QRESYNC, RFC 7162), and `known`
    counts with them taken in. `sweep_due`: it is time to compare all flags of a server without MODSEQ.
    """
    if here.uidvalidity and here.uidvalidity != there.uidvalidity:
        return Plan(rebuild=True, first_page=there.total > 0, compare=True)
    if not here.uidvalidity or not here.uidnext:
        return Plan(first_page=known == 0 and there.total > 0, compare=True)
    if there.uidnext < here.uidnext or there.highestmodseq < here.highestmodseq:
        return Plan(compare=True, sweep="all")  # a cursor that goes back is no cursor
    new_from = here.uidnext if there.uidnext > here.uidnext else 0
    if there.highestmodseq:
        changed = 0 if resynchronised or there.highestmodseq == here.highestmodseq else here.highestmodseq
        return Plan(
            new_from=new_from,
            changed_since=changed,
            sweep="none" if here.highestmodseq else "all",
            compare=not new_from and known != there.total,
        )
    sweep: Sweep = "all" if sweep_due else "recent"
    return Plan(new_from=new_from, sweep=sweep, compare=not new_from and known != there.total)


def unchanged(here: Folder, there: FolderStatus | None, *, known: int) -> bool:
    """STATUS shows that nothing happened, the folder need not be opened; only MODSEQ can tell that."""
    return (
        there is not None
        and there.highestmodseq > 0
        and here.synced_at != ""
        and here.uidvalidity == there.uidvalidity
        and (here.uidnext, here.highestmodseq) == (there.uidnext, there.highestmodseq)
        and known == there.total
    )


def in_order(folders: Sequence[Folder], provider: str = "", first: Collection[str] = ()) -> list[Folder]:
    """The folders to synchronise: what is open first, INBOX, Sent, Drafts, then the rest.

    Gmail's \\All, and \\Important and \\Flagged anywhere, show again what lies elsewhere: they wait.
    """
    rank = {
        role: place for place, role in enumerate(("inbox", "sent", "drafts", "archive", "", "trash", "junk"))
    }
    skipped = {"all", "important", "flagged"} if provider in ("google", "gmail") else {"important", "flagged"}
    wanted = [f for f in folders if f.selectable and (f.role not in skipped or f.name in first)]
    return sorted(wanted, key=lambda f: (f.name not in first, rank.get(f.role, 4), f.name.casefold()))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one folder is: `stored` of `total` messages."""

    folder: str
    stored: int
    total: int
    note: str = field(default="")
