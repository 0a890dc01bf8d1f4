"""Every kind of problem: the groups' tables joined, with the class that is raised for each."""

from dataclasses import dataclass

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
from soinbox_web.problems.network import CERTIFICATE, NAMES_AND_ROUTES, PROTOCOL
from soinbox_web.problems.sending import SENDING
from soinbox_web.problems.signing_in import REFUSED, SERVER


@dataclass(frozen=True, slots=True)
class Group:
    """Problems of one sort; `leaf` is the class that `mail` raises for what a server's answer led to."""

    title: str
    leaf: type[SoinboxError]
    kinds: tuple[Kind, ...]


GROUPS = (
    Group("Finding the provider", DiscoveryError, FINDING),
    Group("Names and routes", NetworkError, NAMES_AND_ROUTES),
    Group("Protocols", ProtocolError, PROTOCOL),
    Group("Certificates", CertificateError, CERTIFICATE),
    Group("Signing in", SignInError, REFUSED),
    Group("The server", ServerError, SERVER),
    Group("Keeping up", ServerError, KEEPING_UP),
    Group("Sending", SendError, SENDING),
    Group("People", InputError, MEMBERS),
    Group("soinbox itself", InputError, APP),
)
KINDS: dict[str, Kind] = {kind.code: kind for group in GROUPS for kind in group.kinds}
LEAVES: dict[str, type[SoinboxError]] = {kind.code: group.leaf for group in GROUPS for kind in group.kinds}
