"""A raw message to a `ParsedMessage`: what the reading pane, the search index and a reply need."""

import hashlib

from soinbox_web.mail.mime import caps, charset, headers, quick
from soinbox_web.mail.mime.addresses import addresses
from soinbox_web.mail.mime.body import Bodies, bodies
from soinbox_web.mail.mime.reader import Part, has_uuencode, read, read_fields
from soinbox_web.mail.mime.text import html_to_text, text_to_html, unflow
from soinbox_web.model.message import Attachment, Correspondent, ParsedMessage


def parse(raw: bytes) -> ParsedMessage:
    """The whole message; beyond a cap only its header, with `source_only`."""
    try:
        reading = read(raw)
        root, defects = reading.root, reading.defects
        found = bodies(root)
        text, html = _text(found), _html(found)
        if len(text) > caps.TEXT:
            text, defects = text[: caps.TEXT], [*defects, "text is longer than what is shown of it"]
    except caps.OverCap as over:
        return source_only(raw, str(over))
    if not raw.strip():
        defects = ["message is empty"]
    if has_uuencode(text):
        defects.append("uuencoded file in the text")
    for part in root.walk():
        name = part.parameters.get("charset", "")
        if part.type.startswith("text/") and not charset.known(name):
            defects.append("unknown charset")
            break
    return _message(root.fields, text, html, found, root, tuple(dict.fromkeys(defects)))


def readable_text(raw: bytes) -> str:
    """The text alone, as `parse` gives it: what the search index and the list's preview know of a message."""
    try:
        return _text(bodies(quick.tree(raw)))
    except quick.Doubt:
        return carefully_read_text(raw)


def carefully_read_text(raw: bytes) -> str:
    """The same by our own reader alone."""
    try:
        return _text(bodies(read(raw).root))
    except caps.OverCap:
        return ""


def source_only(raw: bytes, reason: str) -> ParsedMessage:
    """What can be said of a message that is too odd to be read: the fields at its top, and why."""
    fields = read_fields(raw)
    root = Part(0, fields, b"")
    return _message(fields, "", None, Bodies(), root, (reason,), source=True)


def part_bytes(raw: bytes, part: int) -> tuple[str, str, bytes]:
    """(media type, file name, decoded bytes) of the part with that index; KeyError when there is none."""
    try:
        leaf = next((node for node in read(raw).root.walk() if node.index == part), None)
    except caps.OverCap:
        leaf = None
    if leaf is None or leaf.type.startswith("multipart/"):
        raise KeyError(part)
    return leaf.type, _name(leaf), leaf.content()


def _message(
    fields: list[tuple[str, bytes]],
    text: str,
    html: str | None,
    found: Bodies,
    root: Part,
    defects: tuple[str, ...],
    *,
    source: bool = False,
) -> ParsedMessage:
    values: dict[str, bytes] = {}
    people: dict[str, list[Correspondent]] = {}
    hint = _hint(root)
    for name, value in fields:
        if name in _READ:
            value = _as_utf8(value, hint)
        if name in ("to", "cc", "bcc", "from", "reply-to", "sender"):
            people.setdefault(name, []).extend(addresses(value))
        values.setdefault(name, value)

    def line(name: str) -> str:
        return charset.decode(values.get(name, b"")[: caps.HEADER_FIELD])

    def of(name: str) -> tuple[Correspondent, ...]:
        return tuple(dict.fromkeys(people.get(name, ())))[: caps.ADDRESSES]

    identifiers = headers.message_ids(line("message-id"))
    return ParsedMessage(
        subject=headers.decode_words(values.get("subject", b"")),
        sender=of("from") or of("sender"),
        reply_to=of("reply-to"),
        to=of("to"),
        cc=of("cc"),
        bcc=of("bcc"),
        date=headers.date(line("date")),
        message_id=identifiers[0] if identifiers else "",
        in_reply_to=next(iter(headers.message_ids(line("in-reply-to"))), ""),
        references=headers.message_ids(line("references"))[-caps.REFERENCES :],
        text=text,
        html=html,
        attachments=tuple(_attachment(part, html or "") for part in found.attachments),
        invitation=next(
            (part.text()[: caps.CALENDAR] for part in root.walk() if part.type == "text/calendar"), None
        ),
        defects=defects,
        source_only=source,
    )


_READ = frozenset(("subject", "from", "sender", "reply-to", "to", "cc", "bcc"))


def _hint(root: Part) -> str:
    """The charset of the first text: eight-bit header fields are mostly written in it."""
    return next((part.parameters["charset"] for part in root.walk() if "charset" in part.parameters), "")


def _as_utf8(value: bytes, hint: str) -> bytes:
    if value.isascii() or b"=?" in value or not hint:
        return value
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return charset.decode(value, hint).encode("utf-8", "replace")
    return value


def _text(found: Bodies) -> str:
    return "\n".join(_plain(part) for part in found.text).strip("\n")


def _plain(part: Part) -> str:
    if part.type == "text/html":
        return html_to_text(part.text())
    if part.parameters.get("format", "").lower() == "flowed":
        return unflow(part.text(), delsp=part.parameters.get("delsp", "").lower() == "yes")
    return part.text()


def _html(found: Bodies) -> str | None:
    if all(part.type != "text/html" for part in found.html):
        return None
    pieces = (part.text() if part.type == "text/html" else text_to_html(_plain(part)) for part in found.html)
    return "\n".join(pieces)


def _attachment(part: Part, html: str) -> Attachment:
    content = part.content()
    content_id = headers.clean(part.content_id)
    shown = bool(content_id) and f"cid:{content_id}" in html
    return Attachment(
        part=part.index,
        name=_name(part),
        type=part.type,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        inline=shown or part.disposition[0] == "inline",
        content_id=content_id,
    )


def _name(part: Part) -> str:
    name = part.raw_name
    if not name and part.type == "message/rfc822" and part.children:
        subject = headers.decode_words(part.children[0].value("subject"))
        name = f"{subject.replace('/', ' ').replace(chr(92), ' ')[:100]}.eml" if subject else "message.eml"
    return headers.file_name(name, part.type, part.index)
