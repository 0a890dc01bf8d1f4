"""Problems of sending."""

from soinbox_web.problems import Kind
from soinbox_web.texts import N_

SENDING = (
    Kind(
        "smtp_auth_disabled",
        title=N_("Smtp auth disabled"),
        cause=N_("Smtp auth disabled."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "smtp_sender_refused",
        title=N_("Smtp sender refused"),
        cause=N_("Smtp sender refused."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "smtp_relay_only",
        title=N_("Smtp relay only"),
        cause=N_("Smtp relay only."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "sender_not_first",
        title=N_("Sender not first"),
        cause=N_("Sender not first."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "recipient_refused",
        title=N_("Recipient refused"),
        cause=N_("Recipient refused."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "message_too_big",
        title=N_("Message too big"),
        cause=N_("Message too big."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "send_uncertain",
        title=N_("Send uncertain"),
        cause=N_("Send uncertain."),
        remedy=N_("Check the settings and try again."),
    ),
)
