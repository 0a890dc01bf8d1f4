"""Dutch is complete, and no translation loses a placeholder."""

import re

import polib
import pytest

from tests.house import texts

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")


@pytest.fixture(scope="module")
def extracted() -> polib.POFile:
    return texts.extracted()


def test_every_text_has_its_dutch(extracted: polib.POFile) -> None:
    dutch = {entry.msgid: entry for entry in polib.pofile(str(texts.CATALOG))}
    missing = [e.msgid for e in extracted if e.msgid not in dutch or not dutch[e.msgid].translated()]
    assert not missing, f"{len(missing)} texts without Dutch (make texts), first: {missing[:5]}"


def test_no_translation_loses_a_placeholder() -> None:
    for entry in polib.pofile(str(texts.CATALOG)):
        for text in (entry.msgstr, *entry.msgstr_plural.values()):
            if text:
                wanted = set(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
                assert set(PLACEHOLDER.findall(text)) <= wanted | set(PLACEHOLDER.findall(entry.msgid)), (
                    entry.msgid
                )
                assert entry.msgid_plural or set(PLACEHOLDER.findall(text)) == wanted, entry.msgid
