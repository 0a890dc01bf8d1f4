"""Registrable domains (eTLD+1 by the public suffix list), the measure of whose server a host is."""

from functools import cache

from publicsuffixlist import PublicSuffixList


def registrable(name: str) -> str:
    """The registrable domain of `name` (A-labels), `example.co.uk` of `mail.example.co.uk`."""
    return _suffixes().privatesuffix(name.lower().rstrip(".")) or name.lower().rstrip(".")


def same_owner(one: str, other: str) -> bool:
    """True when both names lie in one registrable domain."""
    return registrable(one) == registrable(other)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
