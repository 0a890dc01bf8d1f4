"""A suggestion that fills the server form with one click."""

from dataclasses import dataclass
from typing import Literal

from soinbox_web.model.server import Login, Protocol

ChipKind = Literal["security", "username", "certificate_name", "found"]


@dataclass(frozen=True, slots=True)
class Chip:
    """What `side` of the form would hold: `kind` says why it is suggested."""

    side: Protocol
    kind: ChipKind
    login: Login
