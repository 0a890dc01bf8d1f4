"""Problems of finding a provider."""

from soinbox_web.problems import Kind
from soinbox_web.texts import N_

FINDING = (
    Kind(
        "address_invalid",
        title=N_("Address invalid"),
        cause=N_("Address invalid."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "address_typo",
        title=N_("Address typo"),
        cause=N_("Address typo."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "domain_missing",
        title=N_("Domain missing"),
        cause=N_("Domain missing."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "domain_no_mail",
        title=N_("Domain no mail"),
        cause=N_("Domain no mail."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "provider_no_imap",
        title=N_("Provider no imap"),
        cause=N_("Provider no imap."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "provider_pop_only",
        title=N_("Provider pop only"),
        cause=N_("Provider pop only."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "nothing_found",
        title=N_("Nothing found"),
        cause=N_("Nothing found."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "host_unconfirmed",
        title=N_("Host unconfirmed"),
        cause=N_("Host unconfirmed."),
        remedy=N_("Check the settings and try again."),
    ),
)
