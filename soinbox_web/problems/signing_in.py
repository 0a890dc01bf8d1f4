"""Problems of signing in, and what the server says just after it."""

from soinbox_web.problems import Kind
from soinbox_web.texts import N_

REFUSED = (
    Kind(
        "credentials_wrong",
        title=N_("User name or password is wrong"),
        cause=N_("{host} does not accept this password for {username}."),
        remedy=N_(
            "Type the password again. If it is right, look in your mailbox at the provider for a message"
            " about a blocked sign-in and confirm it."
        ),
        field="password",
        help="change-account",
    ),
    Kind(
        "username_form",
        title=N_("The user name has another form"),
        cause=N_("{host} does not know {username}, but it accepts {suggestion}."),
        remedy=N_("Use {suggestion} as the user name."),
        field="username",
        help="server-data",
    ),
    Kind(
        "app_password_required",
        title=N_("{provider} wants an app password"),
        cause=N_("{provider} does not accept your normal password from other programs."),
        remedy=N_("Make an app password at {provider} and type it here."),
        field="password",
    ),
    Kind(
        "oauth_required",
        title=N_("{provider} lets you sign in on its own page only"),
        cause=N_("{provider} no longer accepts passwords from mail programs, not even app passwords."),
        remedy=N_(
            "Use the button that leads to its sign-in page. Where there is none, ask your administrator to"
            " make soinbox known to {provider}."
        ),
    ),
    Kind(
        "oauth_not_set_up",
        title=N_("Signing in at {provider} is not set up here"),
        cause=N_(
            "{provider} accepts no password from mail programs, and soinbox has not been made known to it."
        ),
        remedy=N_("Ask your administrator to set up the sign-in with {provider}."),
        retry="never",
    ),
    Kind(
        "imap_disabled_by_user",
        title=N_("IMAP is switched off at {provider}"),
        cause=N_("Your mailbox does not yet let other programs in."),
        remedy=N_("Switch on IMAP in the mail settings of {provider}, then try again."),
    ),
    Kind(
        "imap_disabled_by_admin",
        title=N_("IMAP is not allowed for this mailbox"),
        cause=N_("Whoever manages this mailbox at {provider} has switched off IMAP."),
        remedy=N_("Ask the administrator of your mailbox to allow IMAP."),
        retry="never",
    ),
    Kind(
        "web_login_required",
        title=N_("{provider} wants you to confirm this sign-in"),
        cause=N_("{provider} stopped the sign-in because it comes from a new place."),
        remedy=N_(
            "Sign in at {provider} in your browser, look for a message about a blocked sign-in and confirm"
            " it. Then try again."
        ),
    ),
    Kind(
        "account_locked",
        title=N_("{provider} has locked this account"),
        cause=N_("The server says that {username} may not sign in now."),
        remedy=N_(
            "Look in your mailbox at the provider for a message about it and follow it. Then try again."
        ),
    ),
    Kind(
        "password_expired",
        title=N_("The password has expired"),
        cause=N_("{host} asks for a new password for {username}."),
        remedy=N_("Choose a new password at your provider and type it here."),
        field="password",
        help="change-account",
    ),
    Kind(
        "encryption_required",
        title=N_("{host} needs an encrypted connection"),
        cause=N_("A password is not sent over a connection that others can read."),
        remedy=N_("Choose SSL/TLS or STARTTLS as security."),
        field="security",
        help="server-data",
    ),
    Kind(
        "no_common_mechanism",
        title=N_("{host} offers no way of signing in that soinbox knows"),
        cause=N_("It offers: {mechanisms}."),
        remedy=N_("Ask your provider for a server that accepts a password over an encrypted connection."),
        retry="never",
        field="host",
        help="server-data",
    ),
    Kind(
        "token_revoked",
        title=N_("The permission at {provider} has ended"),
        cause=N_("{provider} no longer accepts the permission you gave, or it was withdrawn."),
        remedy=N_("Sign in at {provider} again."),
        help="change-account",
    ),
    Kind(
        "consent_missing",
        title=N_("soinbox is not allowed in at {provider} yet"),
        cause=N_("You, or your organisation, have to approve soinbox at {provider} first."),
        remedy=N_("Sign in at {provider} again and approve, or ask your administrator to do so."),
    ),
    Kind(
        "oauth_other_mailbox",
        title=N_("{provider} let you in, but not to this mailbox"),
        cause=N_("You may have signed in there with another address than {username}."),
        remedy=N_("Sign in at {provider} again with the account of {username}."),
    ),
    Kind(
        "oauth_state_invalid",
        title=N_("This sign-in was used already, or began elsewhere"),
        cause=N_("Coming back from a provider works once, within 15 minutes and in the same browser."),
        remedy=N_("Begin again with your e-mail address."),
    ),
    Kind(
        "oauth_client_refused",
        title=N_("{provider} does not know this installation of soinbox"),
        cause=N_(
            "The client ID, the secret or the address to come back to differs from what is known there."
        ),
        remedy=N_("Ask your administrator to check the registration at {provider}."),
        retry="never",
    ),
    Kind(
        "oauth_issuer_bad",
        title=N_("The sign-in of {provider} does not answer as it should"),
        cause=N_("soinbox could not understand the page where it gets its permission."),
        remedy=N_("Try again in a few minutes. If it stays so, tell your administrator."),
        retry="later",
    ),
    Kind(
        "oauth_no_refresh_token",
        title=N_("{provider} gave a permission that does not last"),
        cause=N_("Without a lasting permission soinbox would have to ask you again every hour."),
        remedy=N_("Ask your administrator to request lasting access at {provider} (scope offline_access)."),
        retry="never",
    ),
)

SERVER = (
    Kind(
        "server_unavailable",
        title=N_("{host} is out of order for the moment"),
        cause=N_("The server itself says that it cannot serve you now. Your settings may be right."),
        remedy=N_("Try again in a few minutes."),
        retry="later",
        help="not-updated",
        status=503,
    ),
    Kind(
        "rate_limited",
        title=N_("{host} asks us to slow down"),
        cause=N_("There were too many requests in a short time."),
        remedy=N_("Wait a quarter of an hour, then try again."),
        retry="later",
        help="not-updated",
        status=503,
    ),
    Kind(
        "too_many_connections",
        title=N_("Too many programs are connected to this mailbox"),
        cause=N_("{host} allows no further connection for {username}."),
        remedy=N_("Close mail programs on other devices, or wait a while."),
        retry="later",
        help="not-updated",
        status=503,
    ),
    Kind(
        "over_quota",
        title=N_("The mailbox is full, or its daily limit is reached"),
        cause=N_("{host} says that a limit of storage or traffic is reached."),
        remedy=N_("Delete old mail at your provider, or wait until tomorrow."),
        retry="later",
        help="not-updated",
        status=503,
    ),
    Kind(
        "dropped_during_login",
        title=N_("{host} hung up while signing in"),
        cause=N_("The connection ended before the server answered. This says nothing about your password."),
        remedy=N_("Try again in a few minutes."),
        retry="later",
        help="not-updated",
        status=502,
    ),
    Kind(
        "authenticated_not_connected",
        title=N_("The sign-in works, but the mailbox does not open"),
        cause=N_(
            "{provider} accepts you, but gives no IMAP access to {username}: it is switched off, has no"
            " licence, or this is not the mailbox's main address."
        ),
        remedy=N_("Ask the administrator of your mailbox to allow IMAP for it."),
        field="username",
    ),
    Kind(
        "client_id_required",
        title=N_("{provider} does not trust soinbox yet"),
        cause=N_("The password is accepted, but {provider} calls the sign-in unsafe."),
        remedy=N_("Make an authorisation code in the mail settings of {provider} and type it as password."),
        field="password",
    ),
    Kind(
        "inbox_missing",
        title=N_("The sign-in works, but there is no inbox"),
        cause=N_("{host} does not open the inbox of {username}."),
        remedy=N_("Check the user name, or ask your provider whether the mailbox is ready."),
        field="username",
    ),
    Kind(
        "local_limit",
        title=N_("Too many attempts"),
        cause=N_("soinbox pauses, so that {host} does not lock you out."),
        remedy=N_("Try again at {date}."),
        retry="later",
        help="not-updated",
        status=429,
    ),
    Kind(
        "unknown",
        title=N_("{host} refuses, and does not say why"),
        cause=N_("The server's answer fits no cause that soinbox knows."),
        remedy=N_("Send the server's answer to your provider or administrator."),
        retry="later",
        help="not-updated",
    ),
)
