"""The one error tree: a `Problem` says what is wrong, on which side and field, and what to do."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from soinbox_web.texts import Translate

Side = Literal["detection", "imap", "smtp", "app"]
Retry = Literal["never", "after_change", "later"]
Field = Literal["address", "host", "port", "security", "username", "password"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What every problem of one code has in common; texts are gettext msgids with {facts}."""

    code: str
    title: str
    cause: str
    remedy: str
    retry: Retry = "after_change"
    field: Field | None = None
    help: str = "set-up"
    status: int = 422


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, in the shape of contract.md; texts are made where they are shown.

    `evidence` is the server's own line or the socket's error; `facts` fill the texts; `alternatives` are
    other codes the same evidence allows; `retry_after_seconds` is the number the server named, if any.
    """

    code: str
    side: Side = "app"
    stage: str | None = None
    field: Field | None = None
    evidence: str = ""
    facts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    retry_after_seconds: int | None = None
    alternatives: tuple[str, ...] = ()
    help_url: str = ""

    @property
    def kind(self) -> Kind:
        from soinbox_web.problems.catalogue import KINDS

        return KINDS[self.code]

    @property
    def retry(self) -> Retry:
        return self.kind.retry

    @property
    def guilty_field(self) -> Field | None:
        return self.field or self.kind.field

    def title(self, translate: Translate) -> str:
        return self._fill(translate(self.kind.title))

    def cause(self, translate: Translate) -> str:
        return self._fill(translate(self.kind.cause))

    def remedy(self, translate: Translate) -> str:
        return self._fill(translate(self.kind.remedy))

    def _fill(self, template: str) -> str:
        return template.format_map(_Facts(self.facts))

    def at(self, **changes: Any) -> "Problem":
        """The same problem with some attributes replaced."""
        return dataclasses.replace(self, **changes)

    def as_json(self, translate: Translate) -> dict[str, Any]:
        """The shape of contract.md, with texts in the translator's language."""
        return {
            "code": self.code,
            "side": self.side,
            "stage": self.stage,
            "field": self.guilty_field,
            "evidence": self.evidence,
            "title": self.title(translate),
            "cause": self.cause(translate),
            "remedy": self.remedy(translate),
            "help_url": self.help_url,
            "retry": self.retry,
            "retry_after_seconds": self.retry_after_seconds,
            "alternatives": list(self.alternatives),
        }

    def as_row(self) -> dict[str, Any]:
        """What is stored (JSON-ready); `from_row` reads it back."""
        return {
            "code": self.code,
            "side": self.side,
            "stage": self.stage,
            "field": self.field,
            "evidence": self.evidence,
            "facts": dict(self.facts),
            "retry_after_seconds": self.retry_after_seconds,
            "alternatives": list(self.alternatives),
            "help_url": self.help_url,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Problem":
        return cls(**{**row, "alternatives": tuple(row.get("alternatives", ()))})


class _Facts(dict[str, str]):
    """Facts for a template; one that is missing shows as an ellipsis instead of failing."""

    def __missing__(self, key: str) -> str:
        return "…"


class SoinboxError(Exception):
    """Root of the tree; carries the problem to be shown. Raise a leaf."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


class InputError(SoinboxError):
    """What was typed cannot be right."""


class DiscoveryError(SoinboxError):
    """No settings can be found for an address."""


class NetworkError(SoinboxError):
    """A name, route or connection failed."""


class ProtocolError(SoinboxError):
    """The other side speaks something else, or breaks its protocol."""


class CertificateError(SoinboxError):
    """TLS did not prove who answers."""


class SignInError(SoinboxError):
    """The server refuses the sign-in."""


class ServerError(SoinboxError):
    """The server has a problem or a limit of its own."""


class SendError(SoinboxError):
    """A message cannot be sent, or its fate is not known."""


class AccessError(SoinboxError):
    """Not signed in, not allowed, or not there."""


class StoreError(SoinboxError):
    """The disk, the database or the key ring."""
