"""Plain text in blocks: what the writer says, and what is quoted with `>`."""

from itertools import groupby

SHORT = 4  # quoted lines that stay open
MOST = 1_000  # blocks; what follows stays open


def blocks(text: str) -> list[tuple[bool, str]]:
    """(is it quoted and long enough to be folded, its lines) in order; the lines together are the text."""
    found: list[tuple[bool, str]] = []
    open_lines: list[str] = []
    for quoted, lines in groupby(text.splitlines(keepends=True), key=lambda line: line.startswith(">")):
        kept = list(lines)
        if not quoted or len(kept) <= SHORT or len(found) >= MOST:
            open_lines += kept
            continue
        if open_lines:
            found.append((False, "".join(open_lines)))
            open_lines = []
        found.append((True, "".join(kept)))
    return [*found, (False, "".join(open_lines))] if open_lines else found
