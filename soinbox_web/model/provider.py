"""What is known of a mail provider before anybody signs in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from soinbox_web.model.server import Candidate, Policy

PasswordShape = Literal["", "google16", "apple4x4", "letters16"]


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider family of `providers.toml`: facts, with where each was learnt.

    `policies` come most important first; `help_url` tells how to satisfy the first; `password_shape` is what
    an app password looks like; `link_domains` are the provider's own registrable domains, the only ones a
    link in a server's answer may lead to; `sources` says of each fact where it was learnt.
    """

    key: str
    name: str
    domains: tuple[str, ...]
    mx: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    policies: tuple[Policy, ...] = ("password",)
    password_shape: PasswordShape = ""
    help_url: str = ""
    oauth_issuer: str = ""  # "google", "microsoft", … as in settings
    files_sent_copy: Literal["yes", "no", "unknown"] = "unknown"
    link_domains: tuple[str, ...] = ()
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Detection:
    """What detection found: candidates come best first, IMAP and SMTP apart (filter by protocol).

    `needs_consent` lists the hosts (A-labels) that the person has to confirm before a password is sent.
    """

    provider: Provider | None
    candidates: tuple[Candidate, ...]
    policies: tuple[Policy, ...] = ("unknown",)
    needs_consent: tuple[str, ...] = ()
    seconds: float = 0.0

    def best(self, protocol: str) -> Candidate | None:
        return next((c for c in self.candidates if c.protocol == protocol), None)
