"""Sets of UIDs as IMAP writes them (RFC 9051 section 9, sequence-set): `1:4,9`."""

import re
from collections.abc import Iterable, Iterator

HIGHEST = 2**32 - 1
_SET = re.compile(r"\d+(:\d+)?(,\d+(:\d+)?)*")


def write(uids: Iterable[int]) -> str:
    """The shortest text for these UIDs."""
    parts: list[str] = []
    first = last = 0
    for uid in sorted(uids):
        if first and uid <= last + 1:
            last = uid
            continue
        if first:
            parts.append(str(first) if first == last else f"{first}:{last}")
        first = last = uid
    if first:
        parts.append(str(first) if first == last else f"{first}:{last}")
    return ",".join(parts)


def read(text: str, most: int = 5_000_000) -> list[int]:
    """The UIDs of a set, in its order; ValueError when it is none, or has more than `most`."""
    if not _SET.fullmatch(text):
        raise ValueError(f"not a set of UIDs: {text[:80]}")
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        low, high = sorted((int(first), int(last or first)))
        if low < 1 or high > HIGHEST or high - low > most - len(found):
            raise ValueError(f"UIDs out of range: {part}")
        found.extend(range(low, high + 1))
    return found


def ranges(text: str) -> Iterator[tuple[int, int]]:
    """The (first, last) pairs of a set, unexpanded; ValueError when it is none."""
    if not _SET.fullmatch(text):
        raise ValueError(f"not a set of UIDs: {text[:80]}")
    for part in text.split(","):
        first, _, last = part.partition(":")
        yield (min(int(first), int(last or first)), max(int(first), int(last or first)))


def batches(uids: Iterable[int], size: int) -> Iterator[list[int]]:
    """The UIDs from the highest down, `size` at a time."""
    ordered = sorted(uids, reverse=True)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
