"""One step of set-up as it is shown: which side, what, how long, how it ended."""

from dataclasses import dataclass
from typing import Literal

from soinbox_web.problems import Side

StageName = Literal["lookup", "connect", "encrypt", "greet", "consent", "sign_in", "open_inbox"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A finished (`ok` is True or False) or running (`ok` is None) stage; `ms` is its duration.

    `detail` is a fact without secrets and without language: a host and port, a source, a protocol version.
    """

    side: Side
    stage: StageName
    ok: bool | None
    ms: int = 0
    detail: str = ""
