"""Problems of the product itself."""

from soinbox_web.problems import Kind
from soinbox_web.texts import N_

APP = (
    Kind(
        "not_found",
        title=N_("This is not here"),
        cause=N_("It does not exist, was removed, or belongs to somebody else."),
        remedy=N_("Go back to the inbox."),
        retry="never",
        status=404,
    ),
    Kind(
        "not_allowed",
        title=N_("You may not do this"),
        cause=N_("This needs a right that your user does not have."),
        remedy=N_("Ask your administrator."),
        retry="never",
        status=403,
    ),
    Kind(
        "not_signed_in",
        title=N_("You are not signed in"),
        cause=N_("Your session has ended, or you have not signed in yet."),
        remedy=N_("Sign in."),
        status=401,
    ),
    Kind(
        "session_stale",
        title=N_("This page was open for too long"),
        cause=N_("The form no longer matches your session. Nothing was saved."),
        remedy=N_("Check what you typed and send the form again."),
    ),
    Kind(
        "input_invalid",
        title=N_("Something in the form is not right"),
        cause=N_("{detail}"),
        remedy=N_("Correct the marked field and try again."),
    ),
    Kind(
        "control_character",
        title=N_("There is a hidden character in what you typed"),
        cause=N_("A line break or another invisible character came along, perhaps by copying."),
        remedy=N_("Type it by hand instead of pasting it."),
        field="password",
    ),
    Kind(
        "disk_full",
        title=N_("The disk is full"),
        cause=N_("soinbox has no room left to save anything. Your mail at the provider is safe."),
        remedy=N_("Ask your administrator to free some space."),
        retry="later",
        help="not-updated",
        status=507,
    ),
    Kind(
        "database_locked",
        title=N_("soinbox is busy"),
        cause=N_("Another task holds the database."),
        remedy=N_("Try again in a minute."),
        retry="later",
        status=503,
    ),
    Kind(
        "database_damaged",
        title=N_("A file of soinbox is damaged"),
        cause=N_("{path} cannot be read."),
        remedy=N_("Ask your administrator to restore the last backup."),
        retry="never",
        status=500,
    ),
    Kind(
        "schema_newer",
        title=N_("The data belongs to a newer version of soinbox"),
        cause=N_("A newer version has already upgraded {path}."),
        remedy=N_("Ask your administrator to start the newer version, or to restore a backup."),
        retry="never",
        status=503,
    ),
    Kind(
        "key_missing",
        title=N_("The saved password cannot be opened"),
        cause=N_("The key that it was sealed with is gone."),
        remedy=N_("Type the password of this account again."),
        field="password",
        help="change-account",
    ),
    Kind(
        "settings_invalid",
        title=N_("soinbox is not set up right"),
        cause=N_("{detail}"),
        remedy=N_("Ask your administrator to correct the setting."),
        retry="never",
        status=500,
    ),
    Kind(
        "checked_just_now",
        title=N_("This mailbox was checked a moment ago"),
        cause=N_("soinbox looks at most twice a minute, so that the server does not turn it away."),
        remedy=N_("Wait half a minute, then try again."),
        retry="later",
        help="not-updated",
        status=429,
    ),
    Kind(
        "mailroom_stopped",
        title=N_("The mailroom is not running"),
        cause=N_("Nothing fetches or sends mail at the moment. What is here stays readable."),
        remedy=N_("Ask your administrator to start it."),
        retry="later",
        help="not-updated",
        status=503,
    ),
    Kind(
        "part_keeps_stopping",
        title=N_("A part of soinbox keeps stopping: {part}"),
        cause=N_(
            "It ended by an error, {count} times in a row, and is begun again each time. What it does waits"
            " meanwhile; what is here stays readable."
        ),
        remedy=N_(
            "Ask your administrator to look into the log. It goes on by itself once the cause is gone."
        ),
        retry="later",
        help="not-updated",
        status=503,
    ),
    Kind(
        "account_silent",
        title=N_("Nothing keeps this mailbox up to date at the moment"),
        cause=N_("The part of soinbox that does it has given no sign of life for some minutes."),
        remedy=N_("Press “Check now”. If that does not help, tell your administrator."),
        retry="later",
        help="not-updated",
        status=503,
    ),
    Kind(
        "upload_too_big",
        title=N_("What you sent is too big"),
        cause=N_("The files together are larger than this installation takes."),
        remedy=N_("Send fewer or smaller files."),
        status=413,
    ),
    Kind(
        "unexpected",
        title=N_("Something went wrong here"),
        cause=N_("soinbox met a fault of its own. It has been noted for the administrator."),
        remedy=N_("Go back and try again. If it happens again, tell your administrator when it was."),
        retry="later",
        status=500,
    ),
    Kind(
        "message_not_here",
        title=N_("This message is still being fetched"),
        cause=N_(
            "Only its sender and subject are here yet. The mailroom is asking your provider for the rest."
        ),
        remedy=N_("Wait a moment and try again."),
        retry="later",
        help="not-updated",
        status=503,
    ),
    Kind(
        "account_missing",
        title=N_("There is no e-mail account {address} here"),
        cause=N_("Nobody connected a mailbox with this address."),
        remedy=N_("Look at the list of accounts: soinbox account list."),
        status=404,
    ),
    Kind(
        "instance_unusable",
        title=N_("The folder {path} cannot be used"),
        cause=N_("soinbox keeps its data there and may not make or write it."),
        remedy=N_(
            "Name another folder with --instance or SOINBOX_INSTANCE, or give the user of soinbox the right."
        ),
        status=500,
    ),
    Kind(
        "file_unwritable",
        title=N_("{path} cannot be written"),
        cause=N_("The folder is missing, or soinbox may not write there."),
        remedy=N_("Name a file in a folder that exists and that the user of soinbox may write."),
        status=500,
    ),
    Kind(
        "instance_restoring",
        title=N_("A backup is being put back"),
        cause=N_("The files of this instance are being replaced; nobody may use them meanwhile."),
        remedy=N_("Start it again when that has ended."),
        status=503,
    ),
    Kind(
        "database_lost",
        title=N_("The database of soinbox is missing"),
        cause=N_("soinbox has been used here, but {path} is missing or empty."),
        remedy=N_(
            "Put the last backup back with `soinbox restore FILE`, or name an empty folder to begin anew."
        ),
        retry="never",
        status=500,
    ),
    Kind(
        "mailbox_damaged",
        title=N_("The copy of this mailbox is damaged"),
        cause=N_("soinbox cannot read what it has fetched. Nothing at the provider is touched."),
        remedy=N_("It is being fetched again by itself; look again in a minute."),
        retry="later",
        status=503,
    ),
    Kind(
        "instance_running",
        title=N_("soinbox is running on this instance"),
        cause=N_("Two at once would get in each other's way."),
        remedy=N_("Stop the running one first."),
        status=503,
    ),
    Kind(
        "port_taken",
        title=N_("Port {port} is taken"),
        cause=N_("Another program, or soinbox itself, already listens on {host}:{port}."),
        remedy=N_("Stop that program, or choose another port with --port or SOINBOX_PORT."),
        status=503,
    ),
    Kind(
        "product_keeps_stopping",
        title=N_("A part of soinbox keeps stopping"),
        cause=N_("{part} ended several times right after its start."),
        remedy=N_("Read the lines above: they say why. Then start soinbox again."),
        status=503,
    ),
)
