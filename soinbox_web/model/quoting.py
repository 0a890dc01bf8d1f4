"""Plain text in blocks: what the writer says, and what is quoted with `>`."""

from itertools import groupby

SHORT = 4  # quoted lines that stay open


def blocks(text: str) -> list[tuple[bool, str]]:
    """(is it quoted and long enough to be folded, its lines) in order; the lines together are the text."""
    found: list[tuple[bool, str]] = []
    for quoted, lines in groupby(text.splitlines(keepends=True), key=lambda line: line.startswith(">")):
        kept = list(lines)
        folded = quoted and len(kept) > SHORT
        if found and not folded and not found[-1][0]:
            found[-1] = (False, found[-1][1] + "".join(kept))
        else:
            found.append((folded, "".join(kept)))
    return found
