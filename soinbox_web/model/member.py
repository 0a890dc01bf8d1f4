"""A user as pages need one, their sessions and the invitations they hand out."""

from dataclasses import dataclass
from datetime import datetime

PASSWORD_MIN = 12
PASSWORD_MAX = 200  # characters; argon2id reads them all


@dataclass(frozen=True, slots=True)
class Member:
    """A user: `language` and `timezone` are "" until chosen; `session_id` is that of this browser."""

    id: int
    address: str
    name: str
    is_admin: bool
    language: str
    timezone: str
    person_id: int
    session_id: int = 0


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is signed in."""

    id: int
    user_agent: str
    created_at: datetime
    last_seen_at: datetime

    @property
    def browser(self) -> str:
        """The browser's family, or "" when it does not say."""
        return _first(self.user_agent, _BROWSERS)

    @property
    def system(self) -> str:
        """The operating system's family, or ""."""
        return _first(self.user_agent, _SYSTEMS)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open invitation; its link is shown once, only the hash of its token is kept."""

    id: int
    address: str
    name: str
    is_admin: bool
    expires_at: datetime


# Order matters: most agents name their ancestors too.
_BROWSERS = ("Edg", "Firefox", "OPR", "Vivaldi", "SamsungBrowser", "Chrome", "Safari")
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "CrOS", "Linux")
_SHOWN = {
    "Edg": "Edge",
    "OPR": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
}


def _first(text: str, words: tuple[str, ...]) -> str:
    found = next((word for word in words if word in text), "")
    return _SHOWN.get(found, found)
