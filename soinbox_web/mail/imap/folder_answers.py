"""Reading what a server says of its folders: LIST and STATUS, as names, roles and counts."""

from dataclasses import replace

from soinbox_web.mail.imap import folder_names
from soinbox_web.mail.imap.client import BREAK
from soinbox_web.mail.imap.commands import Answer
from soinbox_web.mail.imap.tokens import Token, pairs, tokens
from soinbox_web.model.sync_plan import FolderStatus, ServerFolder


def status_of(items: Token) -> FolderStatus:
    told = _counts(items)
    return FolderStatus(
        told.get("UIDVALIDITY", 0),
        told.get("UIDNEXT", 0),
        told.get("MESSAGES", 0),
        told.get("HIGHESTMODSEQ", 0),
        told.get("UNSEEN", -1),
    )


def _counts(items: Token) -> dict[str, int]:
    return {name: int(value) for name, value in pairs(items).items() if str(value).isdigit()}


def read_list(answers: list[Answer], utf8: bool) -> list[ServerFolder]:
    folders: dict[bytes, ServerFolder] = {}
    statuses: dict[bytes, FolderStatus] = {}
    for answer in answers:
        try:
            words = tokens(answer)
            if str(words[0]).upper() == "LIST":
                raw = _raw(words[3])
                folders[raw] = _folder(raw, words[1], words[2], utf8)
            elif str(words[0]).upper() == "STATUS":
                statuses[_raw(words[1])] = status_of(words[2])
        except (ValueError, IndexError, TypeError):
            continue  # one odd line must not hide the other folders
    names: set[str] = set()
    found = []
    for raw, folder in folders.items():
        name = folder.name if folder.name not in names else folder.wire
        if name not in names:
            names.add(name)
            found.append(replace(folder, name=name, status=statuses.get(raw)))
    return found


def told_of(answer: Answer) -> dict[str, dict[str, int]]:
    """What an unasked LIST or STATUS says: the counts of a folder, by its `wire` name; none for a LIST."""
    try:
        words = tokens(answer)
        if str(words[0]).upper() == "STATUS":
            return {_raw(words[1]).decode("latin-1"): _counts(words[2])}
        if str(words[0]).upper() == "LIST":
            return {_raw(words[3]).decode("latin-1"): {}}
    except (ValueError, IndexError, TypeError):
        pass  # an odd line is no news
    return {}


def _folder(raw: bytes, attributes: Token, delimiter: Token, utf8: bool) -> ServerFolder:
    told = {str(attribute).lower() for attribute in attributes or ()}
    inbox = raw.upper() == b"INBOX"
    name = "INBOX" if inbox else folder_names.decode(raw, utf8=utf8)
    selectable = not (told & {"\\noselect", "\\nonexistent"} or BREAK.search(raw))
    role = "inbox" if inbox else folder_names.role_of(told)
    return ServerFolder(
        name, raw.decode("latin-1"), _raw(delimiter).decode("latin-1") if delimiter else "", role, selectable
    )


def _raw(token: Token) -> bytes:
    if isinstance(token, bytes):
        return token
    return b"NIL" if token is None else str(token).encode("latin-1")


def with_roles_by_name(found: list[ServerFolder]) -> list[ServerFolder]:
    taken = {folder.role for folder in found}
    out = []
    for folder in found:
        role = folder.role
        if not role and folder.selectable:
            guessed = folder_names.role_by_name(folder.name, folder.delimiter)
            if guessed and guessed not in taken:
                role = guessed
                taken.add(role)
        out.append(replace(folder, role=role))
    return out
