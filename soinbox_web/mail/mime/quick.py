"""The tree of an ordinary message by fast-mail-parser, some ten times faster than our own reader makes it.

It serves the background, where mailboxes of whole messages are read for their text. Beyond the caps, and
wherever the two readers could see something else, there is `Doubt`, and the capped reader decides
(trust.md section 2, docs/adr/0005).
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from fast_mail_parser import ParseError, PyLazyMimePart, parse_email_tree

from soinbox_web.mail.mime import caps
from soinbox_web.mail.mime.headers import parameters
from soinbox_web.mail.mime.reader import TYPE, Part

_HEADER = 32 * 1024  # bytes; a longer header is read with care
_FIELDS = 200
_PARTS = 50
_DEPTH = 8
_LARGEST = 5_000_000  # bytes of a message
_BEGIN = re.compile(rb"[!-9;-~]{1,100}:[^\0]")
_ENCODINGS = frozenset(("", "7bit", "8bit", "quoted-printable", "base64"))


class Doubt(Exception):
    """Our own reader might see something else; never leaves this room."""


@dataclass(slots=True)
class _Leaf(Part):
    """A part whose content the other reader decodes, when it is asked for."""

    node: PyLazyMimePart | None = None

    def content(self) -> bytes:
        assert self.node is not None
        try:
            return self.node.content or b""
        except ParseError as error:
            raise Doubt from error

    def beginning(self) -> bytes:
        return self.content()[: caps.PLAIN]


def tree(raw: bytes) -> Part:
    """The parts with their types, dispositions and contents, no other field. Raises Doubt."""
    end = max(raw.find(b"\r\n\r\n", 0, _HEADER), raw.find(b"\n\n", 0, _HEADER))
    if end < 0 or len(raw) > _LARGEST or not _BEGIN.match(raw):
        raise Doubt
    if raw.count(b"\r", 0, end) != raw.count(b"\r\n", 0, end) or b"\0" in raw[:end]:
        raise Doubt
    try:
        return _part(parse_email_tree(raw, mode="lazy"), [], 0)
    except ParseError as error:
        raise Doubt from error


def _part(node: PyLazyMimePart, seen: list[Part], depth: int) -> Part:
    headers = node.headers
    if len(seen) >= _PARTS or depth > _DEPTH or len(headers) > _FIELDS or node.is_message:
        raise Doubt
    kind = placed = ""
    for name, values in headers.items():
        if name[:8] in _CONTENT and (folded := name.lower()) in _READ:
            (value,) = values if len(values) == 1 else ("\0",)
            if not (value.isascii() and value.isprintable()):
                raise Doubt
            if folded == "content-type":
                kind = value
            elif folded == "content-disposition":
                placed = value
            elif value.lower() not in _ENCODINGS:
                raise Doubt
    media_type = node.content_type
    fields = [("content-disposition", placed.encode())] if placed else []
    part = _Leaf(len(seen), fields, b"", media_type, node=node)
    seen.append(part)
    children = node.children
    if media_type.startswith("multipart/"):
        if not children or media_type == "multipart/digest":
            raise Doubt
        part.children = [_part(child, seen, depth + 1) for child in children]
        return part
    told, part.parameters = _type(kind)
    if told != media_type or children:
        raise Doubt
    return part


_CONTENT = frozenset(("Content-", "content-", "CONTENT-"))
_READ = frozenset(("content-type", "content-disposition", "content-transfer-encoding"))


@lru_cache(maxsize=1024)
def _type(value: str) -> tuple[str, dict[str, str]]:
    """As our own reader has it; the dictionary is shared and nobody writes to it."""
    if not value:
        return "text/plain", {}
    media_type, named = parameters(value)
    return (media_type, named) if TYPE.match(media_type) else ("", {})
