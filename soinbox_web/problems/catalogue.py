"""Every kind of problem, by code: the groups' tables joined."""

from soinbox_web.problems import (
    CertificateError,
    DiscoveryError,
    InputError,
    Kind,
    NetworkError,
    ProtocolError,
    SendError,
    ServerError,
    SignInError,
    SoinboxError,
)
from soinbox_web.problems.app import APP
from soinbox_web.problems.finding import FINDING
from soinbox_web.problems.keeping_up import KEEPING_UP
from soinbox_web.problems.members import MEMBERS
from soinbox_web.problems.network import CERTIFICATE, NAMES_AND_ROUTES, NETWORK, PROTOCOL
from soinbox_web.problems.sending import SENDING
from soinbox_web.problems.signing_in import REFUSED, SERVER, SIGNING_IN

KINDS: dict[str, Kind] = {
    kind.code: kind for group in (FINDING, NETWORK, SIGNING_IN, KEEPING_UP, SENDING, MEMBERS, APP) for kind in group
}

LEAVES: dict[str, type[SoinboxError]] = {
    kind.code: leaf
    for leaf, group in (
        (DiscoveryError, FINDING),
        (NetworkError, NAMES_AND_ROUTES),
        (ProtocolError, PROTOCOL),
        (CertificateError, CERTIFICATE),
        (SignInError, REFUSED),
        (ServerError, (*SERVER, *KEEPING_UP)),
        (SendError, SENDING),
        (InputError, APP),
    )
    for kind in group
}
"""The class to raise for a code that a server's answer led to."""
