"""What may never stand in sanitised HTML, found by reading it with a parser that is not the sanitiser's."""

import re
from html.parser import HTMLParser

_TAGS = frozenset(
    (
        *("script", "style", "svg", "math", "iframe", "object", "embed", "form", "input", "button", "select"),
        *("textarea", "meta", "link", "base", "video", "audio", "source", "template", "noscript", "frame"),
        *("frameset", "applet", "marquee", "title"),
    )
)
_PICTURE = re.compile(r"cid:|/image/|data:image/(?:png|jpe?g|gif|webp);base64,", re.IGNORECASE)
_LINK = re.compile(r"https?://|mailto:|tel:", re.IGNORECASE)
_STYLE = re.compile(
    r"url\s*\(|image-set|\\|expression|@|var\(|attr\(|position\s*:|[^-]content\s*:|behavior", re.IGNORECASE
)
_NAMES = frozenset(
    ("id", "class", "name", "srcset", "background", "action", "formaction", "ping", "poster", "usemap")
)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _TAGS:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            text = value or ""
            bad = (
                name.startswith("on")
                or name in _NAMES
                or (name == "src" and not _PICTURE.match(text))
                or (name == "href" and not _LINK.match(text))
                or (name == "style" and _STYLE.search(text))
            )
            if bad:
                self.found.append(f"<{tag} {name}={text[:80]!r}>")


def faults(html: str) -> list[str]:
    """Elements and attributes that run, fetch or restyle; empty when all is well."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found
