"""Problems of signing in and what the server says after it."""

from soinbox_web.problems import Kind
from soinbox_web.texts import N_

SIGNING_IN = (
    Kind(
        "credentials_wrong",
        title=N_("Credentials wrong"),
        cause=N_("Credentials wrong."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "username_form",
        title=N_("Username form"),
        cause=N_("Username form."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "app_password_required",
        title=N_("App password required"),
        cause=N_("App password required."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "oauth_required",
        title=N_("Oauth required"),
        cause=N_("Oauth required."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "imap_disabled_by_user",
        title=N_("Imap disabled by user"),
        cause=N_("Imap disabled by user."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "imap_disabled_by_admin",
        title=N_("Imap disabled by admin"),
        cause=N_("Imap disabled by admin."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "web_login_required",
        title=N_("Web login required"),
        cause=N_("Web login required."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "account_locked",
        title=N_("Account locked"),
        cause=N_("Account locked."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "password_expired",
        title=N_("Password expired"),
        cause=N_("Password expired."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "encryption_required",
        title=N_("Encryption required"),
        cause=N_("Encryption required."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "no_common_mechanism",
        title=N_("No common mechanism"),
        cause=N_("No common mechanism."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "token_revoked",
        title=N_("Token revoked"),
        cause=N_("Token revoked."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "consent_missing",
        title=N_("Consent missing"),
        cause=N_("Consent missing."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "server_unavailable",
        title=N_("Server unavailable"),
        cause=N_("Server unavailable."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "rate_limited",
        title=N_("Rate limited"),
        cause=N_("Rate limited."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "too_many_connections",
        title=N_("Too many connections"),
        cause=N_("Too many connections."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "over_quota",
        title=N_("Over quota"),
        cause=N_("Over quota."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "dropped_during_login",
        title=N_("Dropped during login"),
        cause=N_("Dropped during login."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "authenticated_not_connected",
        title=N_("Authenticated not connected"),
        cause=N_("Authenticated not connected."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "client_id_required",
        title=N_("Client id required"),
        cause=N_("Client id required."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "inbox_missing",
        title=N_("Inbox missing"),
        cause=N_("Inbox missing."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "local_limit",
        title=N_("Local limit"),
        cause=N_("Local limit."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "unknown",
        title=N_("Unknown"),
        cause=N_("Unknown."),
        remedy=N_("Check the settings and try again."),
    ),
)
