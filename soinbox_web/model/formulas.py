"""Cells that a spreadsheet would compute, kept text by an apostrophe before them, and read back without it.

Which sign parts the cells depends on the reader's country, so every piece after any of them counts. A
telephone number (`+31 6 1234`) has nothing to compute and stays as other programs want it.
"""

import re

_BEGINS = r"(?:^|(?<=[,;\t\r\n]))"
_FORMULA = r"""(?=(?:['"]|[^\S\t\r\n])*[=+\-@＝＋－＠])"""
_BARE = re.compile(_BEGINS + _FORMULA)
_TELEPHONE = re.compile(r"\+[0-9][0-9 ]*")
_KEPT = re.compile(rf"{_BEGINS}'{_FORMULA}")


def as_text(cell: str) -> str:
    """`cell` as no spreadsheet computes it."""
    return cell if _TELEPHONE.fullmatch(cell) else _BARE.sub("'", cell)


def as_typed(cell: str) -> str:
    """What `as_text` was given."""
    return _KEPT.sub("", cell)
