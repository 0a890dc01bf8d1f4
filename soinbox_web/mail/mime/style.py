"""The style attribute, value by value: what colours, sizes and aligns stays, what fetches or moves goes."""

import re
from collections.abc import Callable, Iterable

import tinycss2
import tinycss2.ast

from soinbox_web.mail.mime import caps

_SIDES = ("top", "right", "bottom", "left")
_NAMES = """
    background background-color border border-color border-style border-width border-radius border-collapse
    border-spacing box-sizing caption-side clear color direction display empty-cells float font font-family
    font-size font-style font-variant font-weight height letter-spacing line-height list-style list-style-type
    margin max-height max-width min-height min-width opacity overflow overflow-wrap padding table-layout
    text-align text-decoration text-indent text-transform vertical-align visibility white-space width
    word-break word-spacing word-wrap
"""
PROPERTIES = frozenset(_NAMES.split()) | {
    f"{start}-{side}{end}"
    for side in _SIDES
    for start, end in (("border", ""), ("border", "-color"), ("border", "-style"), ("border", "-width"))
} | {f"{start}-{side}" for side in _SIDES for start in ("margin", "padding")}  # fmt: skip
_FUNCTIONS = frozenset(("rgb", "rgba", "hsl", "hsla", "calc"))
_PLAIN = frozenset(("number", "dimension", "percentage", "hash", "whitespace"))
_IDENT = re.compile(r"(?!(?:url|expression|javascript)$)[a-z-][a-z0-9-]{0,60}$", re.IGNORECASE)
_FONT = re.compile(r"[\w .,'+-]{1,80}$")
_LEVELS = 10  # functions inside each other
_SIGNS = frozenset(",/+-*")
_PICTURES = frozenset(("background", "list-style"))  # a picture in these is left out and the rest is kept


def safe_style(text: str, blocked: Callable[[str], None]) -> str:
    """The declarations that are allowed, written anew; `blocked` is told every URL that was left out."""
    kept: list[str] = []
    for node in tinycss2.parse_blocks_contents(text[: caps.STYLE], skip_comments=True, skip_whitespace=True):
        if not isinstance(node, tinycss2.ast.Declaration):
            continue
        _report(node.value, blocked)
        name = node.lower_name
        if name not in PROPERTIES:
            continue
        value = node.value
        if name in _PICTURES:
            value = [token for token in value if not _is_picture(token)]
        if not _allowed(value, strings=name in ("font", "font-family")):
            continue
        written = tinycss2.serialize(value).strip()
        if written:
            kept.append(f"{name}: {written}{' !important' if node.important else ''}")
    return "; ".join(kept)


def _is_picture(token: tinycss2.ast.Node) -> bool:
    return token.type == "url" or (token.type == "function" and token.lower_name not in _FUNCTIONS)


def _allowed(tokens: Iterable[tinycss2.ast.Node], *, strings: bool, level: int = 0) -> bool:
    if level > _LEVELS:
        return False
    for token in tokens:
        if token.type in _PLAIN:
            continue
        if token.type == "ident" and _IDENT.match(token.value):
            continue
        if token.type == "string" and strings and _FONT.match(token.value):
            continue
        if token.type == "literal" and token.value in _SIGNS:
            continue
        if token.type == "function" and token.lower_name in _FUNCTIONS:
            inner = token.arguments
        elif token.type == "() block" and level:
            inner = token.content
        else:
            return False
        if not _allowed(inner, strings=False, level=level + 1):
            return False
    return True


def _report(tokens: Iterable[tinycss2.ast.Node], blocked: Callable[[str], None], level: int = 0) -> None:
    for token in tokens:
        if token.type == "url":
            blocked(token.value)
        elif token.type == "function":
            if token.lower_name in ("url", "src", "image", "image-set", "-webkit-image-set"):
                for argument in token.arguments:
                    if argument.type == "string":
                        blocked(argument.value)
            if level < _LEVELS:
                _report(token.arguments, blocked, level + 1)
