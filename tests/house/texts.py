"""Gathers the texts of code and templates into the Dutch catalog; what has no Dutch yet is listed."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import polib

ROOT = Path(__file__).parents[2]
TRANSLATIONS = ROOT / "soinbox_web" / "translations"
CATALOG = TRANSLATIONS / "nl" / "LC_MESSAGES" / "messages.po"
HEADER = {
    "Language": "nl",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=2; plural=(n != 1);",
}


def extracted() -> polib.POFile:
    """Every text that is marked for translation."""
    with TemporaryDirectory() as folder:
        target = Path(folder) / "messages.pot"
        subprocess.run(
            [sys.executable, "-m", "babel.messages.frontend", "--quiet", "extract", "--no-location",
             "-F", str(TRANSLATIONS / "babel.cfg"), "-k", "N_", "-k", "lazy_gettext", "-o", str(target),
             "soinbox_web"],
            cwd=ROOT,
            check=True,
        )  # fmt: skip
        return polib.pofile(str(target))


def gather() -> list[str]:
    """Bring the catalog up to date; the texts that still want Dutch."""
    catalog = polib.pofile(str(CATALOG), wrapwidth=110)
    catalog.merge(extracted())
    for entry in catalog.obsolete_entries():
        catalog.remove(entry)
    catalog.metadata = HEADER
    catalog.sort(key=lambda entry: entry.msgid.casefold())
    catalog.save(str(CATALOG))
    return [entry.msgid for entry in catalog.untranslated_entries()]


if __name__ == "__main__":
    for text in gather():
        print(text)
