"""The build step that pyproject.toml cannot say: the catalogs of texts are compiled into the wheel."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

try:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po
except ImportError as error:
    missing = "soinbox cannot be built without Babel, which compiles its Dutch texts: pip install babel"
    raise SystemExit(missing) from error


class WithCatalogs(build_py):
    """`build_py`, after every `.po` was compiled to the `.mo` beside it; one that cannot be read ends it."""

    def run(self) -> None:
        for source in sorted(Path("soinbox_web/translations").glob("*/LC_MESSAGES/*.po")):
            with source.open("rb") as po:
                catalog = read_po(po, locale=source.parts[-3], abort_invalid=True)
            with source.with_suffix(".mo").open("wb") as mo:
                write_mo(mo, catalog, use_fuzzy=True)
        super().run()


setup(cmdclass={"build_py": WithCatalogs})
