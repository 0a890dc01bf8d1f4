"""Problems of keeping a mailbox up to date, after signing in."""

from soinbox_web.problems import Kind
from soinbox_web.texts import N_

KEEPING_UP = (
    Kind(
        "command_refused",
        title=N_("The server did not do this"),
        cause=N_("The mail server refused the request."),
        remedy=N_("Try again later. The words of the server tell more."),
        retry="later",
        help="not-updated",
        status=502,
    ),
    Kind(
        "folder_unstable",
        title=N_("The folder {folder} keeps starting anew"),
        cause=N_("The mail server gave every message of this folder a new number, several times in a row."),
        remedy=N_("Tell the operator of the mail server. The other folders are kept up to date."),
        retry="later",
        help="not-updated",
        status=502,
    ),
    Kind(
        "folder_missing",
        title=N_("The folder {folder} is no longer there"),
        cause=N_("It was renamed or removed at the mail server."),
        remedy=N_("Choose another folder."),
        retry="never",
        help="not-updated",
        status=404,
    ),
    Kind(
        "message_too_large",
        title=N_("The message is too large to be read here"),
        cause=N_("soinbox fetches messages of at most {limit}, and this one is larger."),
        remedy=N_("Read it in another mail program, or ask the sender for a link to the attachments."),
        retry="never",
        status=413,
    ),
    Kind(
        "message_gone",
        title=N_("This message is no longer there"),
        cause=N_("It was moved or deleted at the mail server."),
        remedy=N_("Look for it in another folder."),
        retry="never",
        help="not-updated",
        status=404,
    ),
)
