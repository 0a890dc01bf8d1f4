"""The list of folders here is made equal to the server's; a renamed folder keeps its messages."""

from soinbox_web.mail.imap import folders as server
from soinbox_web.model.folder import Folder, Role
from soinbox_web.model.sync_plan import FolderStatus, ServerFolder, compare_folders
from soinbox_web.services.sync.session import Session
from soinbox_web.store import bodies, folders

WRITTEN = 1_000  # folders of one write, which stays below 50 ms


def ensure_inbox(session: Session) -> Folder | None:
    """In a mailbox file that knows no folder yet: INBOX, which every server has; else None."""
    with session.mailbox.read() as connection:
        if folders.listing(connection):
            return None
    with session.changed("INBOX") as connection:
        folders.add(connection, "INBOX", "INBOX", "", "inbox", selectable=True)
        return folders.by_name(connection, "INBOX")


def refresh(session: Session) -> dict[str, FolderStatus]:
    """List the server's folders and take the changes in; the status of each where the server told it."""
    there, left_out = server.list_folders(session.connection)
    with session.mailbox.read() as connection:
        here = folders.listing(connection)
    found = compare_folders(here, there)
    for folder in found.gone:
        forget_messages(session, folder)
        with session.changed(folder.name) as connection:
            folders.remove(connection, folder.id)
    known = [*found.renamed, *found.described]
    for start in range(0, len(known), WRITTEN):
        with session.changed("") as connection:
            for folder_id, now in known[start : start + WRITTEN]:
                folders.describe(connection, folder_id, *_words(now), selectable=now.selectable)
    for start in range(0, len(found.appeared), WRITTEN):
        with session.changed("") as connection:
            for new in found.appeared[start : start + WRITTEN]:
                folders.add(connection, *_words(new), selectable=new.selectable)
    with session.mailbox.write() as connection:
        folders.leave_out(connection, left_out)
    return {folder.name: folder.status for folder in there if folder.status is not None}


def forget_messages(session: Session, folder: Folder, *, keep_bodies: bool = False) -> None:
    """Empty a folder here, in short writes; `keep_bodies`: they wait for their messages to come again."""
    more = True
    while more:
        with session.changed(folder.name) as connection:
            if keep_bodies and bodies.keep(connection, folder.id):
                continue
            more = folders.clear(connection, folder.id)


def _words(folder: ServerFolder) -> tuple[str, str, str, Role]:
    return folder.name, folder.wire, folder.delimiter, folder.role
