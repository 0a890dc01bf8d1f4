"""A person's card, and the order of its e-mail addresses: rank 1 is the first address."""

from dataclasses import dataclass
from typing import Literal

Step = Literal["first", "up", "down"]


@dataclass(frozen=True, slots=True)
class CardAddress:
    """One address of a card; ranks are 1, 2, 3 … without gaps."""

    id: int
    address: str
    rank: int


@dataclass(frozen=True, slots=True)
class Person:
    """A card; `user_id` is 0 when the person is no user of this instance."""

    id: int
    first_name: str
    last_name: str
    title: str
    company: str
    phone: str
    addresses: tuple[CardAddress, ...] = ()
    user_id: int = 0

    @property
    def name(self) -> str:
        """First and last name, else the first address."""
        return f"{self.first_name} {self.last_name}".strip() or self.first_address

    @property
    def first_address(self) -> str:
        """The address at rank 1; "" when the card has none."""
        return self.addresses[0].address if self.addresses else ""


def moved(order: tuple[int, ...], which: int, step: Step) -> tuple[int, ...]:
    """The ids in their new order after `which` goes to the first place, one up or one down."""
    at = order.index(which)
    to = {"first": 0, "up": max(at - 1, 0), "down": min(at + 1, len(order) - 1)}[step]
    rest = [each for each in order if each != which]
    return (*rest[:to], which, *rest[to:])


def may_edit(person: Person, user_id: int, is_admin: bool) -> bool:
    """A user's own card is changed by that user and by administrators; everyone changes the other cards."""
    return is_admin or person.user_id in (0, user_id)


def split_name(name: str) -> tuple[str, str]:
    """First and last name of a full name; surname particles stay with the surname."""
    first, _, last = name.strip().partition(" ")
    return first, last.strip()
