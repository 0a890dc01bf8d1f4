"""Which account may send: the first-address rule (look.md section 1, G1)."""

from collections.abc import Sequence
from typing import Literal

Rule = Literal["first", "own"]


def may_send(rule: Rule, address: str, card: Sequence[str]) -> bool:
    """Whether an account with `address` may send, given the addresses of its user's own card in their order.

    `first`: only the address at rank 1; `own`: any address of the card. Capitals make no difference.
    """
    own = [each.casefold() for each in card]
    return address.casefold() in (own[:1] if rule == "first" else own)
