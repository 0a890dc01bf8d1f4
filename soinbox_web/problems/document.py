"""The text of docs/problems.md, from the catalogue: `python -m soinbox_web.problems.document` prints it."""

import sys

from soinbox_web.problems import Kind
from soinbox_web.problems.catalogue import GROUPS
from soinbox_web.texts import translator

HEAD = """\
# Problems

Everything that can go wrong and reach a person: its code, its words, and what follows from it. Words in
braces are filled in where the problem is shown. *Retry*: `later` soinbox tries again by itself,
`after_change` the person has something to do first, `never` trying again helps nobody. *Field* is where the
cursor goes.

Generated from `soinbox_web/problems` by `make docs`; do not edit.
"""


def document() -> str:
    """The whole document, in English and Dutch."""
    parts = [HEAD]
    for group in GROUPS:
        parts.append(f"\n## {group.title}\n")
        parts += [_section(kind) for kind in group.kinds]
    return "".join(parts)


def _section(kind: Kind) -> str:
    facts = f"Retry `{kind.retry}` · field `{kind.field or '–'}` · help `{kind.help}` · HTTP {kind.status}"
    lines = [f"\n### `{kind.code}`\n", facts, "", "| | English | Nederlands |", "|---|---|---|"]
    english, dutch = translator("en"), translator("nl")
    for name, text in (("Title", kind.title), ("Cause", kind.cause), ("Remedy", kind.remedy)):
        lines.append(f"| {name} | {_cell(english(text))} | {_cell(dutch(text))} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(document())
