"""Raw bytes to a tree of MIME parts (RFC 2045, 2046) under the caps; raises nothing but `OverCap`."""

import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from soinbox_web.mail.mime import caps, charset
from soinbox_web.mail.mime.headers import base64_bytes, parameters

_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:[ \t]*")
_HEADER_LINE = re.compile(rb"([^\r\n]*)(\r\n|\n|\r(?!\n)|\Z)")
TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$")
_BLANKS = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n)")  # added on the way (RFC 2045 section 6.7, rule 3)
_META = re.compile(rb"<meta[^>]{1,200}charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_DELIMITER_END = rb"(--)?[ \t]*+(?=\r|\n|\Z)"
_UU_LINE = re.compile(rb"^begin [0-7]{3,4} [^\r\n]{1,200}\r?\n", re.MULTILINE)


@dataclass(slots=True)
class Part:
    """One node: `fields` are (lower-case name, unfolded raw value), `body` is the still encoded content.

    `index` is its place in the walk; `nested` tells that it lies inside an attached message.
    """

    index: int
    fields: list[tuple[str, bytes]]
    body: bytes
    type: str = "text/plain"
    parameters: dict[str, str] = field(default_factory=dict)
    children: list["Part"] = field(default_factory=list)
    nested: bool = False
    _placed: tuple[str, dict[str, str]] | None = None

    def value(self, name: str) -> bytes:
        """The first field of that name, b"" when there is none."""
        return next((value for key, value in self.fields if key == name), b"")

    def walk(self) -> Iterator["Part"]:
        """This part and all below, parents first: the order of `index`."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def disposition(self) -> tuple[str, dict[str, str]]:
        if self._placed is None:  # it is asked for many times
            self._placed = parameters(_text(self.value("content-disposition")))
        return self._placed

    @property
    def raw_name(self) -> str:
        return self.disposition[1].get("filename") or self.parameters.get("name", "")

    @property
    def content_id(self) -> str:
        return _text(self.value("content-id")).strip().strip("<>").strip()[:500]

    def content(self) -> bytes:
        """The decoded bytes (RFC 2045 section 6), as much of them as can be read."""
        return _decode(self.body, _text(self.value("content-transfer-encoding")))

    def beginning(self) -> bytes:
        """As many of the decoded bytes as are ever shown of a text."""
        return _decode(self.body[: caps.ENCODED], _text(self.value("content-transfer-encoding")))[
            : caps.PLAIN
        ]

    def text(self) -> str:
        """The decoded text, as much of it as is ever shown, with line ends as `\\n`."""
        raw = self.beginning()
        name = self.parameters.get("charset", "")
        if not name and self.type == "text/html" and (meta := _META.search(raw[:2048])):
            name = meta[1].decode("ascii")
        text = charset.decode(raw, name)
        return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


@dataclass(slots=True)
class Reading:
    """A tree and what was odd on the way."""

    root: Part
    defects: list[str] = field(default_factory=list)


def read(raw: bytes) -> Reading:
    """The tree of a whole message; raises `OverCap` beyond the caps."""
    reader = _Reader()
    return Reading(reader.part(raw, 0, "text/plain", nested=False), list(dict.fromkeys(reader.defects)))


def header_fault(raw: bytes) -> str:
    """Why the header fields of a message cannot be read whole; "" when they can."""
    try:
        _Reader().header(raw)
    except caps.OverCap as over:
        return str(over)
    return ""


def read_fields(raw: bytes) -> list[tuple[str, bytes]]:
    """The header fields of a message, never raising: beyond a cap, those before it."""
    return _Reader(strict=False).header(raw)[0]


class _Reader:
    def __init__(self, *, strict: bool = True) -> None:
        self.strict = strict
        self.defects: list[str] = []
        self.count = 0
        self.gone_through = 0

    def part(self, raw: bytes, depth: int, default_type: str, *, nested: bool) -> Part:
        if depth > caps.DEPTH:
            raise caps.OverCap(f"parts nested deeper than {caps.DEPTH}")
        if self.count >= caps.PARTS:
            raise caps.OverCap(f"more than {caps.PARTS} parts")
        self.gone_through += len(raw)
        if self.gone_through > caps.GONE_THROUGH:
            raise caps.OverCap("too many large parts inside each other")
        fields, body = self.header(raw)
        part = Part(self.count, fields, body, nested=nested)
        self.count += 1
        self.type_of(part, default_type)
        if part.type.startswith("multipart/"):
            self.children(part, depth)
        elif part.type in ("message/rfc822", "message/global"):
            inner = part.content()
            if inner.strip():
                part.children.append(self.part(inner, depth + 1, "text/plain", nested=True))
        return part

    def over(self, reason: str) -> bool:
        """A cap is passed: the message is given up, or only what follows."""
        if self.strict:
            raise caps.OverCap(reason)
        return True

    def type_of(self, part: Part, default_type: str) -> None:
        value = _text(part.value("content-type"))
        if not value:
            part.type = default_type
            return
        media_type, part.parameters = parameters(value)
        media_type = media_type.replace(" ", "")
        if TYPE.match(media_type):
            part.type = media_type
        else:
            part.type = "text/html" if media_type in ("html", "text/htm") else "text/plain"
            self.defects.append("content type cannot be read")

    def children(self, part: Part, depth: int) -> None:
        boundary = part.parameters.get("boundary", "").rstrip()
        default = "message/rfc822" if part.type == "multipart/digest" else "text/plain"
        pieces = _split(part.body, boundary.encode("utf-8", "replace")[:1000]) if boundary else None
        if not pieces:
            self.defects.append("multipart without its boundary")
            part.type, part.children = "text/plain", []
            return
        if not pieces.closed:
            self.defects.append("last boundary is missing")
        for span in pieces.spans:
            part.children.append(self.part(span, depth + 1, default, nested=part.nested))
        part.body = b""

    def header(self, raw: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
        """Fields in order, and the body; a line that is no field ends the header unless a field follows."""
        fields: list[tuple[str, list[bytes]]] = []
        position, first = 0 if self.count else _blank_before(raw), True
        while position < len(raw):
            line = _HEADER_LINE.match(raw, position)
            if line is None or line.end() == position:
                break
            content = line[1]
            if line.end() > caps.HEADER_BLOCK and self.over("header block larger than 256 kB"):
                break
            if not content.strip(b" \t"):
                position = line.end()
                if content and fields and self._field_follows(raw, position, or_continuation=True):
                    continue
                break
            if content[:1] in b" \t" and fields:
                fields[-1][1].append(content)
            else:
                name = _FIELD.match(content)
                if name is not None:
                    if len(fields) >= caps.HEADER_FIELDS and self.over("more than 1,000 header fields"):
                        break
                    fields.append((name[1].decode("ascii").lower(), [content[name.end() :]]))
                elif first and content.startswith((b"From ", b">From ")):
                    pass
                elif fields and not content.startswith(b"--") and self._field_follows(raw, line.end()):
                    self.defects.append("header line cannot be read")
                else:
                    self.defects.append("header has no end")
                    break
            first = False
            position = line.end()
        joined = [(name, b"".join(lines)) for name, lines in fields]
        if any(len(value) > caps.HEADER_FIELD for _, value in joined):
            self.over("header field larger than 64 kB")
            joined = [(name, value) for name, value in joined if len(value) <= caps.HEADER_FIELD]
        return joined, raw[position:]

    @staticmethod
    def _field_follows(raw: bytes, position: int, *, or_continuation: bool = False) -> bool:
        line = _HEADER_LINE.match(raw, position, position + 1000)
        if line is None:
            return False
        continued = or_continuation and line[1][:1] in b" \t" and bool(line[1].strip())
        return continued or _FIELD.match(line[1]) is not None


def _blank_before(raw: bytes) -> int:
    """How much of nothing stands before the first field of a message; 0 when no field follows it."""
    block = raw[: caps.HEADER_BLOCK]
    blank = len(block) - len(block.lstrip(b" \t\r\n"))
    return blank if _FIELD.match(raw, blank) else 0


@dataclass(slots=True)
class _Pieces:
    spans: list[bytes]
    closed: bool

    def __bool__(self) -> bool:
        return bool(self.spans)


def _split(body: bytes, boundary: bytes) -> _Pieces:
    """The spans between the delimiter lines of a multipart (RFC 2046 section 5.1.1)."""
    spans: list[bytes] = []
    start: int | None = None
    for begin, end, last in _delimiters(body, b"--" + boundary):
        if start is not None:
            spans.append(body[start:begin] if begin >= start else b"")
        if len(spans) > caps.PARTS:
            raise caps.OverCap(f"more than {caps.PARTS} parts")
        start = None if last else _after_line_end(body, end)
        if last and spans:
            return _Pieces(spans, closed=True)
    if start is not None:
        spans.append(body[start:])
    return _Pieces(spans, closed=False)


def _delimiters(body: bytes, mark: bytes) -> Iterator[tuple[int, int, bool]]:
    """(begin, end, is the last) of each delimiter line: from the line end before it to the one behind it."""
    ending = re.compile(re.escape(mark) + _DELIMITER_END)
    line = re.compile(rb"[\r\n]" + re.escape(mark) + _DELIMITER_END)
    at = body.find(mark)
    while at >= 0:
        found = ending.match(body, at) if not at or body[at - 1] in b"\r\n" else None
        if found is None:  # rare in an honest message: what follows is gone through by one expression
            found = line.search(body, at)
            if found is None:
                return
            at = found.start() + 1
        yield at - (2 if body[at - 2 : at] == b"\r\n" else 1 if at else 0), found.end(), bool(found[1])
        at = body.find(mark, found.end())


def _after_line_end(body: bytes, position: int) -> int:
    if body.startswith(b"\r\n", position):
        # the line end of an empty part is also the one before the next delimiter
        return position + 2
    return position + 1


def _decode(body: bytes, encoding: str) -> bytes:
    encoding = encoding.partition(";")[0].strip().strip("\"'").lower()
    if encoding == "base64":
        return base64_bytes(body)
    if encoding == "quoted-printable":
        return quopri.decodestring(_BLANKS.sub(b"", body))
    if encoding in ("x-uuencode", "uuencode", "uue", "x-uue"):
        return _uudecode(body)
    return body


def _uudecode(body: bytes) -> bytes:
    begin = _UU_LINE.search(body)
    if begin is None:
        return body
    out = bytearray()
    for line in body[begin.end() :].splitlines():
        if not line or line == b"end" or line == b"`":
            break
        try:
            out += binascii.a2b_uu(line)
        except binascii.Error:
            length = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                out += binascii.a2b_uu(line[:length])
            except binascii.Error:
                continue
    return bytes(out)


def has_uuencode(text: str) -> bool:
    """Whether a text carries an old uuencoded file."""
    return re.search(r"^begin [0-7]{3,4} \S[^\n]{0,200}\n[!-`]", text, re.MULTILINE) is not None


def _text(value: bytes) -> str:
    return charset.decode(value[: caps.DECODED_TEXT])
