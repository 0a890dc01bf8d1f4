"""Problems of an address and of finding its provider."""

from soinbox_web.problems import Kind
from soinbox_web.texts import N_

FINDING = (
    Kind(
        "address_invalid",
        title=N_("This is not a complete e-mail address"),
        cause=N_("“{address}” cannot be an e-mail address."),
        remedy=N_("Type the whole address, for example name@example.com."),
        field="address",
    ),
    Kind(
        "address_typo",
        title=N_("Is the address spelled right?"),
        cause=N_("{domain} looks like {suggestion}, and no mail server answers for it."),
        remedy=N_("Check the part after the @. Did you mean {suggestion}?"),
        field="address",
    ),
    Kind(
        "domain_missing",
        title=N_("The domain {domain} does not exist"),
        cause=N_("The internet's directory of names (DNS) has no entry for {domain}."),
        remedy=N_("Check the part after the @."),
        field="address",
    ),
    Kind(
        "domain_no_mail",
        title=N_("{domain} does not receive e-mail"),
        cause=N_("The domain exists, but it names no mail server."),
        remedy=N_("Check the part after the @."),
        field="address",
    ),
    Kind(
        "provider_no_imap",
        title=N_("{provider} does not let other programs read your mail"),
        cause=N_(
            "{provider} offers no IMAP, the way soinbox reads a mailbox. No password was asked or sent."
        ),
        remedy=N_("Let {provider} forward your mail to another mailbox, and set up that one."),
        retry="never",
        field="address",
    ),
    Kind(
        "provider_pop_only",
        title=N_("{provider} offers POP3 only"),
        cause=N_(
            "POP3 knows no folders and no read marks; soinbox needs IMAP. No password was asked or sent."
        ),
        remedy=N_("Ask {provider} for a mailbox with IMAP, or forward your mail to one that has it."),
        retry="never",
        field="address",
    ),
    Kind(
        "nothing_found",
        title=N_("The mail servers of {domain} were not found"),
        cause=N_("{domain} publishes no settings, and no mail server answers under the usual names."),
        remedy=N_("Ask your provider for the server names, and fill them in below."),
        field="host",
        help="server-data",
    ),
    Kind(
        "host_unconfirmed",
        title=N_("Your mail is run by {host}. Is that right?"),
        cause=N_("{host} is not part of {domain}. Your password has not been sent."),
        remedy=N_("Continue only if you know this provider."),
        field="host",
        help="server-data",
    ),
    Kind(
        "host_invalid",
        title=N_("This is not the name of a server"),
        cause=N_("“{host}” cannot be the name of a server."),
        remedy=N_("Type the name alone, for example imap.example.org. The port has a field of its own."),
        field="host",
        help="server-data",
    ),
    Kind(
        "already_connected",
        title=N_("{address} is already connected"),
        cause=N_("This mailbox is one of your e-mail accounts."),
        remedy=N_("Open the inbox, or change the account under E-mail options."),
        field="address",
        help="change-account",
    ),
    Kind(
        "password_shape",
        title=N_("This looks like your normal password"),
        cause=N_(
            "{provider} accepts only an app password, and that looks different."
            " Your password has not been sent."
        ),
        remedy=N_("Make an app password at {provider} and type it here, or try anyway."),
        field="password",
    ),
    Kind(
        "password_missing",
        title=N_("Type the password for {host}"),
        cause=N_("A saved password is used only for the server and user name that it was given for."),
        remedy=N_("Type the password again."),
        field="password",
        help="change-account",
    ),
    Kind(
        "setup_interrupted",
        title=N_("The set-up was interrupted"),
        cause=N_("soinbox was restarted in the meantime. What you typed is kept."),
        remedy=N_("Try again."),
        retry="later",
        status=503,
    ),
    Kind(
        "setup_busy",
        title=N_("Too many set-ups run at once"),
        cause=N_("soinbox tries a few at a time. What you typed is kept."),
        remedy=N_("Wait a minute and try again."),
        retry="later",
        status=503,
    ),
    Kind(
        "setup_ended",
        title=N_("This set-up has ended"),
        cause=N_("What is typed here is wiped after 15 minutes."),
        remedy=N_("Start again with your e-mail address."),
        status=404,
    ),
)
