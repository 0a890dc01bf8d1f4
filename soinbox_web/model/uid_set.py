"""Sets of UIDs as IMAP writes them (RFC 9051 section 9, sequence-set): `1:4,9`."""

import re
from collections.abc import Iterable, Iterator

HIGHEST = 2**32 - 1
MOST = 1_000_000  # UIDs that a server may name in answer to one command
_PART = re.compile(r"(\d{1,10})(?::(\d{1,10}))?(?:,(?=\d)|\Z)")


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


def read(text: str, most: int = MOST) -> list[int]:
    """The UIDs of a set, in its order; ValueError when it is none, or has more than `most`."""
    found: list[int] = []
    for low, high in ranges(text):
        if low < 1 or high > HIGHEST or high - low >= most - len(found):
            raise ValueError(f"UIDs out of range: {low}:{high}")
        found.extend(range(low, high + 1))
    return found


def ranges(text: str) -> Iterator[tuple[int, int]]:
    """The (first, last) pairs of a set, unexpanded; ValueError when it is none."""
    end = 0
    while end < len(text) or not text:
        part = _PART.match(text, end)
        if part is None:
            raise ValueError(f"not a set of UIDs: {text[end : end + 80]}")
        first, last = int(part[1]), int(part[2] or part[1])
        yield (first, last) if first <= last else (last, first)
        end = part.end()


def batches(uids: Iterable[int], size: int) -> Iterator[list[int]]:
    """The UIDs from the highest down, `size` at a time."""
    ordered = sorted(uids, reverse=True)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
