"""What OAuth 2.0 (RFC 6749) hands around: the issuer's addresses, and the tokens it grants."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

EARLY = timedelta(minutes=2)  # a token this near its end is renewed


@dataclass(frozen=True, slots=True)
class Issuer:
    """An authorisation server: `url` is its issuer identifier (RFC 8414), `title` its name for people."""

    url: str
    title: str
    authorize: str
    token: str
    revoke: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """An access token with its end, and the refresh token ("" when the issuer gave none)."""

    access: str = field(repr=False)
    ends_at: datetime
    refresh: str = field(default="", repr=False)

    def fresh(self, now: datetime) -> bool:
        """May still be used for a while; a clock set back makes it doubtful."""
        return timedelta(0) < self.ends_at - now - EARLY < timedelta(days=1)
