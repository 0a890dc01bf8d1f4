"""The public test data beside the project: odd messages and hostile HTML, read where they lie."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CORPORA = ROOT / ".." / "shared" / "corpora"
OWN = ROOT / "tests" / "corpus"

present = pytest.mark.skipif(
    not CORPORA.is_dir(), reason="left out: the public corpora (../shared/corpora) is not installed"
)


def messages() -> Iterator[tuple[str, bytes]]:
    """(folder/name, bytes) of every public message."""
    for path in sorted((CORPORA / "messages").rglob("*.eml")):
        yield f"{path.parent.name}/{path.name}", path.read_bytes()


def html_strings() -> Iterator[tuple[str, str]]:
    """(file and number, HTML) of every public string."""
    for path in sorted((CORPORA / "html").glob("*.json")):
        for number, text in enumerate(json.loads(path.read_text())):
            yield f"{path.name}[{number}]", text


def own(name: str) -> bytes:
    """A message of our own making."""
    return (OWN / f"{name}.eml").read_bytes()
