"""Names for what mail programs name in English: folders by their role, icons by media type."""

from collections.abc import Callable

from flask import Blueprint

from soinbox_web.model.folder import Folder, Role
from soinbox_web.web.language import grouped
from soinbox_web.web.language import word as _

ROLE_ICONS = {
    "inbox": "tray", "drafts": "note-pencil", "sent": "paper-plane-tilt", "trash": "trash",
    "junk": "prohibit", "archive": "archive", "all": "stack", "flagged": "flag", "important": "star",
}  # fmt: skip
ROLE_NAMES: dict[str, Callable[[], str]] = {
    "inbox": lambda: _("Inbox"), "drafts": lambda: _("Drafts"), "sent": lambda: _("Sent items"),
    "trash": lambda: _("Deleted"), "junk": lambda: _("Junk e-mail"), "archive": lambda: _("Archive folder"),
    "all": lambda: _("All e-mail"), "flagged": lambda: _("Flagged e-mail"),
    "important": lambda: _("Important"),
}  # fmt: skip
FILE_ICONS = (
    ("image/", "file-image"),
    ("application/pdf", "file-pdf"),
    ("text/", "file-text"),
    ("application/zip", "file-zip"),
    ("application/vnd.ms-excel", "file-xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheet", "file-xls"),
    ("application/msword", "file-doc"),
    ("application/vnd.openxmlformats-officedocument.word", "file-doc"),
    ("message/", "envelope-simple"),
)


def install(blueprint: Blueprint) -> None:
    """The template filters `folder_name`, `folder_label`, `folder_icon`, `file_icon` and `grouped`."""
    for view in (folder_name, folder_label, folder_icon, file_icon, grouped):
        blueprint.add_app_template_filter(view)
    blueprint.add_app_template_global(place_name)


def folder_name(folder: Folder) -> str:
    """The official word of a folder with a role, else its own name."""
    return place_name(folder.role, folder.name)


def place_name(role: Role, name: str) -> str:
    """The same of a folder that is known by these only."""
    official = ROLE_NAMES.get(role)
    return official() if official else folder_label(name)


def folder_label(name: str) -> str:
    """A full path as people read it."""
    return _("Inbox") if name.upper() == "INBOX" else name


def folder_icon(folder: Folder) -> str:
    return ROLE_ICONS.get(folder.role, "folder")


def file_icon(media_type: str) -> str:
    return next((icon for prefix, icon in FILE_ICONS if media_type.startswith(prefix)), "file")
