"""Problems of names, routes, protocols and certificates: no password has been sent yet."""

from soinbox_web.problems import Kind
from soinbox_web.texts import N_

NAMES_AND_ROUTES = (
    Kind(
        "dns_failure",
        title=N_("The name {host} could not be looked up"),
        cause=N_("The directory of names (DNS) gave no answer. The name itself may be right."),
        remedy=N_("Wait a minute and try again."),
        retry="later",
        status=502,
    ),
    Kind(
        "host_missing",
        title=N_("There is no server named {host}"),
        cause=N_("The directory of names (DNS) has no entry for {host}."),
        remedy=N_("Check the spelling of the server name."),
        field="host",
        help="server-data",
    ),
    Kind(
        "refused",
        title=N_("{host} accepts no connection on port {port}"),
        cause=N_("The server is there, but nothing listens on this port, or the server is just restarting."),
        remedy=N_("Check the port. If it is right, try again in a few minutes."),
        retry="later",
        field="port",
        help="server-data",
        status=502,
    ),
    Kind(
        "timeout",
        title=N_("{host} does not answer on port {port}"),
        cause=N_("No answer came in time. The port may be wrong or blocked, or the server is down."),
        remedy=N_("Check server and port. If they are right, try again in a few minutes."),
        retry="later",
        field="port",
        help="server-data",
        status=504,
    ),
    Kind(
        "egress_blocked",
        title=N_("Port {port} is blocked where soinbox runs"),
        cause=N_("Other servers on the internet do not answer on port {port} either."),
        remedy=N_("Ask your administrator to open port {port} for outgoing connections."),
        retry="later",
        field="port",
        status=502,
    ),
    Kind(
        "ipv6_only_failure",
        title=N_("{host} answers over IPv4 only"),
        cause=N_("The connection over IPv6 failed and the one over IPv4 works."),
        remedy=N_("There is nothing to do: IPv4 is used."),
        retry="later",
        status=502,
    ),
    Kind(
        "private_blocked",
        title=N_("{host}:{port} is not open to soinbox"),
        cause=N_("The server lies in a private network, or uses a port that mail does not use."),
        remedy=N_("Check server and port. If they are right, ask your administrator to allow them."),
        field="host",
        help="server-data",
    ),
)

PROTOCOL = (
    Kind(
        "wrong_service",
        title=N_("Port {port} of {host} is not for {protocol}"),
        cause=N_("What answers there speaks {service}."),
        remedy=N_("Use the {protocol} port of this server, usually {suggestion}."),
        field="port",
        help="server-data",
    ),
    Kind(
        "tls_on_plain_port",
        title=N_("Port {port} of {host} does not begin with encryption"),
        cause=N_("SSL/TLS was tried, but this port starts in clear text."),
        remedy=N_("Choose STARTTLS as security for this port."),
        field="security",
        help="server-data",
    ),
    Kind(
        "plain_on_tls_port",
        title=N_("Port {port} of {host} expects encryption from the start"),
        cause=N_("The server waits for SSL/TLS and says nothing before it."),
        remedy=N_("Choose SSL/TLS as security for this port."),
        field="security",
        help="server-data",
    ),
    Kind(
        "starttls_missing",
        title=N_("{host} offers no encryption on port {port}"),
        cause=N_(
            "The server does not offer STARTTLS. If it did before, somebody may be tampering with the line."
            " Your password has not been sent."
        ),
        remedy=N_("Choose SSL/TLS as security, usually on port {suggestion}."),
        field="security",
        help="server-data",
    ),
    Kind(
        "starttls_failed",
        title=N_("Encryption with {host} could not be started"),
        cause=N_(
            "The server offers STARTTLS but did not carry it out properly. Your password has not been sent."
        ),
        remedy=N_("Choose SSL/TLS as security, usually on port {suggestion}."),
        field="security",
        help="server-data",
    ),
    Kind(
        "protocol_broken",
        title=N_("{host} sends something soinbox cannot follow"),
        cause=N_("The answer breaks the rules of {protocol}, or is far too long. The connection was closed."),
        remedy=N_("Check server and port. If they are right, tell the operator of the server."),
        retry="later",
        field="host",
        help="server-data",
        status=502,
    ),
)

CERTIFICATE = (
    Kind(
        "cert_expired",
        title=N_("The certificate of {host} has expired"),
        cause=N_("It was valid until {date}. Your password has not been sent."),
        remedy=N_("Ask the operator of the server to renew the certificate."),
        retry="later",
        field="host",
        help="server-data",
        status=502,
    ),
    Kind(
        "cert_not_yet_valid",
        title=N_("The certificate of {host} is not valid yet"),
        cause=N_("It is valid from {date}. Your password has not been sent."),
        remedy=N_("Ask your administrator to check the clock here, or the operator to mend the certificate."),
        retry="later",
        field="host",
        help="server-data",
        status=502,
    ),
    Kind(
        "cert_name_mismatch",
        title=N_("The certificate belongs to another name than {host}"),
        cause=N_("It is made out to {names}. Your password has not been sent."),
        remedy=N_("Use the server name in the certificate, if it is your provider's."),
        retry="later",
        field="host",
        help="server-data",
        status=502,
    ),
    Kind(
        "cert_self_signed",
        title=N_("{host} vouches for itself"),
        cause=N_("Its certificate is signed by nobody else. Your password has not been sent."),
        remedy=N_("Ask the operator of the server for a certificate that others can check."),
        retry="later",
        field="host",
        help="server-data",
        status=502,
    ),
    Kind(
        "cert_untrusted_chain",
        title=N_("The certificate of {host} cannot be checked"),
        cause=N_(
            "It was issued by {issuer}, which is not trusted here, or a certificate in between is missing."
            " Your password has not been sent."
        ),
        remedy=N_("Ask the operator of the server to send the complete chain of a known issuer."),
        retry="later",
        field="host",
        help="server-data",
        status=502,
    ),
    Kind(
        "tls_too_old",
        title=N_("{host} offers only outdated encryption"),
        cause=N_(
            "The server knows nothing newer than TLS 1.1, which is not safe. No password has been sent."
        ),
        remedy=N_("Ask the operator of the server to switch on TLS 1.2 or newer."),
        retry="later",
        field="host",
        help="server-data",
        status=502,
    ),
    Kind(
        "pin_mismatch",
        title=N_("{host} shows another certificate than the one you accepted"),
        cause=N_("The certificate was renewed, or somebody else answers. Your password has not been sent."),
        remedy=N_(
            "Ask the operator of the server whether the certificate was renewed, then accept the new one."
        ),
        field="host",
        help="server-data",
        status=502,
    ),
)
