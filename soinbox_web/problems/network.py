"""Problems of names, routes, protocols and certificates."""

from soinbox_web.problems import Kind
from soinbox_web.texts import N_

NETWORK = (
    Kind(
        "dns_failure",
        title=N_("Dns failure"),
        cause=N_("Dns failure."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "host_missing",
        title=N_("Host missing"),
        cause=N_("Host missing."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "refused",
        title=N_("Refused"),
        cause=N_("Refused."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "timeout",
        title=N_("Timeout"),
        cause=N_("Timeout."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "egress_blocked",
        title=N_("Egress blocked"),
        cause=N_("Egress blocked."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "ipv6_only_failure",
        title=N_("Ipv6 only failure"),
        cause=N_("Ipv6 only failure."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "private_blocked",
        title=N_("Private blocked"),
        cause=N_("Private blocked."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "wrong_service",
        title=N_("Wrong service"),
        cause=N_("Wrong service."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "tls_on_plain_port",
        title=N_("Tls on plain port"),
        cause=N_("Tls on plain port."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "plain_on_tls_port",
        title=N_("Plain on tls port"),
        cause=N_("Plain on tls port."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "starttls_missing",
        title=N_("Starttls missing"),
        cause=N_("Starttls missing."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "starttls_failed",
        title=N_("Starttls failed"),
        cause=N_("Starttls failed."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "cert_expired",
        title=N_("Cert expired"),
        cause=N_("Cert expired."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "cert_not_yet_valid",
        title=N_("Cert not yet valid"),
        cause=N_("Cert not yet valid."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "cert_name_mismatch",
        title=N_("Cert name mismatch"),
        cause=N_("Cert name mismatch."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "cert_self_signed",
        title=N_("Cert self signed"),
        cause=N_("Cert self signed."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "cert_untrusted_chain",
        title=N_("Cert untrusted chain"),
        cause=N_("Cert untrusted chain."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "tls_too_old",
        title=N_("Tls too old"),
        cause=N_("Tls too old."),
        remedy=N_("Check the settings and try again."),
    ),
    Kind(
        "pin_mismatch",
        title=N_("Pin mismatch"),
        cause=N_("Pin mismatch."),
        remedy=N_("Check the settings and try again."),
    ),
)
