"""A user as pages need one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """A signed-in person: `language` and `timezone` are "" until chosen; `session_id` is the row of this session."""

    id: int
    address: str
    name: str
    is_admin: bool
    language: str
    timezone: str
    person_id: int
    session_id: int = 0
