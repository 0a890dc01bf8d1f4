"""Servers: where mail is read and sent, how the line is secured, and how a suggestion ranks."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Protocol = Literal["imap", "smtp"]
Security = Literal["ssl", "starttls", "none"]
Source = Literal["operator", "table", "pacc", "autoconfig", "ispdb", "srv", "mx", "probe", "typed", "http"]
Policy = Literal[
    "password",
    "app_password",
    "oauth_only",
    "enable_imap",
    "paid_plan",
    "bridge",
    "no_imap",
    "pop_only",
    "unknown",
]

DEFAULT_PORTS: dict[tuple[Protocol, Security], int] = {
    ("imap", "ssl"): 993,
    ("imap", "starttls"): 143,
    ("imap", "none"): 143,
    ("smtp", "ssl"): 465,
    ("smtp", "starttls"): 587,
    ("smtp", "none"): 587,
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One door of a server: host name (A-labels), port, security."""

    host: str
    port: int
    security: Security


@dataclass(frozen=True, slots=True)
class Login:
    """One side of an account: the endpoint and the literal user name.

    `pin` is the SHA-256 fingerprint (small hexadecimal digits) of the one certificate that is accepted, ""
    for any that can be verified; it makes no other login.
    """

    host: str
    port: int
    security: Security
    username: str
    pin: str = field(default="", compare=False)

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(self.host, self.port, self.security)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A server suggested for an address (contract.md, doctor's `candidates`); a higher score is better."""

    protocol: Protocol
    host: str
    port: int
    security: Security
    username: str = "address"  # "address", "local", or the literal name
    auth: tuple[str, ...] = ("password",)
    source: Source = "typed"
    trusted: bool = False
    score: int = 0

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(self.host, self.port, self.security)

    def user_name(self, address: str) -> str:
        """The literal user name for a full address."""
        if self.username == "address":
            return address
        return address.rpartition("@")[0] if self.username == "local" else self.username

    def login(self, address: str) -> Login:
        return Login(self.host, self.port, self.security, self.user_name(address))

    def as_json(self) -> dict[str, Any]:
        """contract.md's shape; the operator's files and plain http are autoconfig there."""
        source = "autoconfig" if self.source in ("operator", "http") else self.source
        return {**asdict(self), "auth": list(self.auth), "source": source}
