"""Languages and the gettext door for rooms that know no web."""

import gettext
from collections.abc import Callable
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "nl")
TRANSLATIONS = Path(__file__).parent / "translations"

Translate = Callable[[str], str]


def N_(message: str) -> str:
    """Mark `message` for the catalog; it is translated where it is shown."""
    return message


@cache
def catalog(language: str) -> gettext.NullTranslations:
    """The texts of `language`; English (the source) when the language is unknown."""
    return gettext.translation("messages", TRANSLATIONS, [language], fallback=True)


def translator(language: str) -> Translate:
    """The gettext function of `language`."""
    return catalog(language).gettext
