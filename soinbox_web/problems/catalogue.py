"""Every kind of problem, by code: the groups' tables joined."""

from soinbox_web.problems import Kind
from soinbox_web.problems.app import APP
from soinbox_web.problems.finding import FINDING
from soinbox_web.problems.network import NETWORK
from soinbox_web.problems.sending import SENDING
from soinbox_web.problems.signing_in import SIGNING_IN

KINDS: dict[str, Kind] = {
    kind.code: kind for group in (FINDING, NETWORK, SIGNING_IN, SENDING, APP) for kind in group
}
