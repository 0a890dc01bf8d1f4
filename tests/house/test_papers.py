"""What code and documents name is there: documents, sections, files, the codes of states and figures."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(
    r"(?<![\w/.])((?:\.\./|docs/|design/|adr/|static/|soinbox_web/)*[A-Za-z0-9][\w-]*\.md)"
    r"(?: section (\d+(?:\.\d+)*))?"
)
DECISION = re.compile(r"(?:docs/adr/|ADR )0*(\d{1,4})\b")
IN_TICKS = re.compile(r"`(?:soinbox_web/)?((?:[a-z_]+/)+(?:[a-z_]+\.(?:py|toml|html))?)`")
CODE = re.compile(r"(?<![\w.-])(S[0-7]|G1|T(?:1[0-2]|[1-9]))(?![\w.-])")
GENERATED = ("docs/problems.md", "docs/settings.md")


def files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    kept = (".py", ".md", ".toml", ".html", ".css", ".js", ".sql")
    return [
        name
        for name in listed.stdout.split()
        if name.endswith(kept) and "/htmx/" not in name and (ROOT / name).exists()
    ]


def lines(name: str) -> Iterator[tuple[int, str]]:
    yield from enumerate((ROOT / name).read_text().splitlines(), 1)


@cache
def sections(document: Path) -> frozenset[str]:
    return frozenset(re.findall(r"^#+ (\d+(?:\.\d+)*)\.? ", document.read_text(), re.MULTILINE))


def document(named: str, inside: str) -> Path | None:
    """The document that a name means: beside the file that names it, in the root, or one of the papers."""
    places = (
        (ROOT / inside).parent,
        ROOT,
        ROOT / "docs",
        ROOT / "docs/design",
        ROOT / "soinbox_web",
        ROOT / "soinbox_web/static",
    )
    return next((place / named for place in places if (place / named).is_file()), None)


@pytest.mark.parametrize("name", files())
def test_the_documents_it_names_are_there(name: str) -> None:
    wrong = []
    for number, line in lines(name):
        for named, section in NAMED.findall(line):
            found = document(named, name)
            if found is None:
                wrong.append(f"{name}:{number}: no {named}")
            elif section and section not in sections(found):
                wrong.append(f"{name}:{number}: {named} has no section {section}")
        for decision in DECISION.findall(line):
            if not list((ROOT / "docs/adr").glob(f"{int(decision):04}-*.md")):
                wrong.append(f"{name}:{number}: no decision {decision}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "name", [name for name in files() if name.endswith(".md") and name != "CHANGELOG.md"]
)
def test_the_files_it_names_are_there(name: str) -> None:
    wrong = [
        f"{name}:{number}: no {path}"
        for number, line in lines(name)
        for path in IN_TICKS.findall(line)
        if not path.startswith("instance/")
        and not (ROOT / path).exists()
        and not (ROOT / "soinbox_web" / path).exists()
    ]
    assert not wrong, "\n".join(wrong)


def test_the_codes_that_are_used_are_explained() -> None:
    explained = {
        code
        for paper in ("look.md", "trust.md")
        for code in re.findall(
            r"^(?:\| |\*\*)(S\d|G1|T\d+)\b", (ROOT / "docs/design" / paper).read_text(), re.MULTILINE
        )
    }
    used = {
        code
        for name in files()
        if name.endswith((".py", ".md")) and name not in GENERATED
        for _, line in lines(name)
        for code in CODE.findall(line)
    }
    assert used <= explained, sorted(used - explained)
