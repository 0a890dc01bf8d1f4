"""Problems of the product itself."""

from soinbox_web.problems import Kind
from soinbox_web.texts import N_

APP = (
    Kind(
        "not_found",
        title=N_("Not found"),
        cause=N_("Not found."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "not_allowed",
        title=N_("Not allowed"),
        cause=N_("Not allowed."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "not_signed_in",
        title=N_("Not signed in"),
        cause=N_("Not signed in."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "session_stale",
        title=N_("Session stale"),
        cause=N_("Session stale."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "input_invalid",
        title=N_("Input invalid"),
        cause=N_("Input invalid."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "disk_full",
        title=N_("Disk full"),
        cause=N_("Disk full."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "database_locked",
        title=N_("Database locked"),
        cause=N_("Database locked."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "database_damaged",
        title=N_("Database damaged"),
        cause=N_("Database damaged."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "schema_newer",
        title=N_("Schema newer"),
        cause=N_("Schema newer."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "key_missing",
        title=N_("Key missing"),
        cause=N_("Key missing."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "settings_invalid",
        title=N_("Settings invalid"),
        cause=N_("Settings invalid."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "mailroom_stopped",
        title=N_("Mailroom stopped"),
        cause=N_("Mailroom stopped."),
        remedy=N_("Check the settings and try again."),
    ),
)
