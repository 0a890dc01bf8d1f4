"""Problems of sending."""

from soinbox_web.problems import Kind
from soinbox_web.texts import N_

SENDING = (
    Kind(
        "smtp_auth_disabled",
        title=N_("Sending is switched off for this mailbox"),
        cause=N_("Your organisation has switched off sending by other programs at {provider}."),
        remedy=N_("Ask the administrator of your mailbox to allow authenticated SMTP."),
        retry="never",
    ),
    Kind(
        "smtp_sender_refused",
        title=N_("{host} does not let you send as {address}"),
        cause=N_("The server says that this address does not belong to {username}."),
        remedy=N_("Send from the address of this account, or ask your provider to allow the other one."),
        field="address",
    ),
    Kind(
        "smtp_relay_only",
        title=N_("{host} is not a server to send with"),
        cause=N_("It offers no sign-in; it only takes mail for its own addresses."),
        remedy=N_("Ask your provider for the outgoing e-mail server, usually on port 465 or 587."),
        field="host",
        help="server-data",
    ),
    Kind(
        "sender_not_first",
        title=N_("{address} is not your first e-mail address"),
        cause=N_("Mail is sent only from the first e-mail address on your contact card."),
        remedy=N_("Make {address} the first address on your card."),
        field="address",
        help="first-address",
    ),
    Kind(
        "recipient_refused",
        title=N_("{recipient} cannot be reached"),
        cause=N_("The mail server refuses this address."),
        remedy=N_("Check the address and send again."),
        field="address",
    ),
    Kind(
        "recipient_delayed",
        title=N_("{recipient} cannot be reached at the moment"),
        cause=N_("The mail server asks to try this address again later."),
        remedy=N_("There is nothing to do: it is tried again by itself."),
        retry="later",
        field="address",
        status=503,
    ),
    Kind(
        "message_too_big",
        title=N_("The message is too big"),
        cause=N_("It has {size}; the server takes at most {limit}."),
        remedy=N_("Remove or shrink attachments and send again."),
        status=413,
    ),
    Kind(
        "message_refused",
        title=N_("The mail server refuses this message"),
        cause=N_("{host} did not accept the message. It was not sent."),
        remedy=N_("Read the server's answer, change the message and send again."),
    ),
    Kind(
        "address_not_supported",
        title=N_("{host} cannot send to this kind of address"),
        cause=N_("{recipient} has letters that this mail server does not know."),
        remedy=N_("Ask the recipient for an address in plain letters."),
        field="address",
    ),
    Kind(
        "send_uncertain",
        title=N_("It is not known whether the message was sent"),
        cause=N_("The connection to {host} broke after the message was handed over, before the answer came."),
        remedy=N_("Look in Sent items, or ask the recipient. Send again only if it did not arrive."),
        retry="never",
        status=502,
    ),
)
