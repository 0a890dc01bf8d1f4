"""Rules of the house that no other tool guards."""

import hashlib
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "base"}


def tracked(pattern: str) -> list[Path]:
    out = subprocess.run(
        ["git", "ls-files", pattern], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / line for line in out.splitlines() if (ROOT / line).exists()]


def test_no_file_of_the_product_is_over_400_lines() -> None:
    long = {
        str(p.relative_to(ROOT)): n
        for p in tracked("soinbox_web/**.py")
        if (n := len(p.read_text().splitlines())) > 400
    }
    assert not long


def test_every_file_says_what_it_is() -> None:
    silent = [
        str(p)
        for p in tracked("soinbox_web/**.py")
        if p.read_text().strip() and not p.read_text().startswith('"""')
    ]
    assert not silent


def test_no_vague_names() -> None:
    assert not [p for p in tracked("soinbox_web/**.py") if p.stem in FORBIDDEN_NAMES]


def test_no_mocks() -> None:
    own = Path(__file__)
    assert not [
        p
        for p in tracked("tests/**.py")
        if p != own and re.search(r"mock\.patch|unittest\.mock|MagicMock", p.read_text())
    ]


def test_templates_have_no_inline_script_style_or_handlers() -> None:
    bad = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", re.IGNORECASE)
    found = {
        str(p.relative_to(ROOT)): bad.findall(p.read_text())
        for p in tracked("soinbox_web/templates/**.html")
        if p.name not in ("message_body.html", "message_print.html")  # sealed documents, trust.md section 1
    }
    assert not {name: hits for name, hits in found.items() if hits}


def test_vendored_files_are_what_was_published() -> None:
    static = ROOT / "soinbox_web/static"
    rows = re.findall(
        r"^\| (\S+) \| \S+ \| \S+ \| [^|]+ \| ([0-9a-f]{64}) \|$", (static / "VENDORED.md").read_text(), re.M
    )
    assert len(rows) >= 4
    for name, digest in rows:
        assert hashlib.sha256((static / name).read_bytes()).hexdigest() == digest, name


def test_constraints_pin_every_declared_part() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [
        *project["dependencies"],
        *(p for group in project["optional-dependencies"].values() for p in group),
    ]
    pinned = {line.partition("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert not [p for p in declared if re.split(r"[><=\[]", p)[0].lower() not in pinned]
