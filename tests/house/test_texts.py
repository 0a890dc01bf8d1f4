"""Dutch is complete, and no translation loses a placeholder."""

import re
import subprocess
import sys
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).parents[2]
TRANSLATIONS = ROOT / "soinbox_web" / "translations"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> polib.POFile:
    target = tmp_path_factory.mktemp("texts") / "messages.pot"
    subprocess.run(
        [sys.executable, "-m", "babel.messages.frontend", "--quiet", "extract", "-F", TRANSLATIONS / "babel.cfg",
         "-k", "N_", "-k", "lazy_gettext", "-o", target, "soinbox_web"],
        cwd=ROOT, check=True,
    )  # fmt: skip
    return polib.pofile(str(target))


def test_every_text_has_its_dutch(extracted: polib.POFile) -> None:
    dutch = {entry.msgid: entry for entry in polib.pofile(str(TRANSLATIONS / "nl/LC_MESSAGES/messages.po"))}
    missing = [e.msgid for e in extracted if e.msgid not in dutch or not dutch[e.msgid].translated()]
    assert not missing, f"{len(missing)} texts without Dutch (make texts), first: {missing[:5]}"


def test_no_translation_loses_a_placeholder() -> None:
    for entry in polib.pofile(str(TRANSLATIONS / "nl/LC_MESSAGES/messages.po")):
        for text in (entry.msgstr, *entry.msgstr_plural.values()):
            if text:
                wanted = set(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
                assert set(PLACEHOLDER.findall(text)) <= wanted | set(PLACEHOLDER.findall(entry.msgid)), (
                    entry.msgid
                )
                assert entry.msgid_plural or set(PLACEHOLDER.findall(text)) == wanted, entry.msgid
