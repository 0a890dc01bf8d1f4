"""Which parts are the text, the HTML and the attachments of a message (RFC 8621 section 4.1.4)."""

from dataclasses import dataclass, field

from soinbox_web.mail.mime.reader import Part

_MEDIA = ("image/", "audio/", "video/")


@dataclass(slots=True)
class Bodies:
    """`text` and `html` are the parts to read in order, in either form; `attachments` all other leaves."""

    text: list[Part] = field(default_factory=list)
    html: list[Part] = field(default_factory=list)
    attachments: list[Part] = field(default_factory=list)


def bodies(root: Part) -> Bodies:
    """Sorts the leaves of a tree; attached messages stay whole, and the files in them are listed too."""
    found = Bodies()
    _sort([root], "mixed", found, in_alternative=False, to_text=True, to_html=True)
    inner = [leaf for leaf in root.walk() if leaf.nested and not leaf.children and _is_file(leaf)]
    found.attachments += [leaf for leaf in inner if all(leaf is not listed for listed in found.attachments)]
    if not found.text and not found.html:
        readable = next((part for part in found.attachments if _is_readable(part)), None)
        if readable is not None:
            found.attachments = [part for part in found.attachments if part is not readable]
            found.text.append(readable)
            found.html.append(readable)
    return found


def _sort(
    parts: list[Part], kind: str, found: Bodies, *, in_alternative: bool, to_text: bool, to_html: bool
) -> None:
    text_before, html_before = len(found.text), len(found.html)
    for position, part in enumerate(parts):
        if part.type.startswith("multipart/"):
            subtype = part.type.removeprefix("multipart/")
            _sort(
                part.children,
                subtype,
                found,
                in_alternative=in_alternative or subtype == "alternative",
                to_text=to_text,
                to_html=to_html,
            )
            continue
        if not _is_inline(part, position, kind):
            found.attachments.append(part)
            continue
        if kind == "alternative":
            if part.type == "text/plain" and to_text:
                found.text.append(part)
            elif part.type == "text/html" and to_html:
                found.html.append(part)
            else:
                found.attachments.append(part)
            continue
        if in_alternative:
            if part.type == "text/plain":
                to_html = False
            if part.type == "text/html":
                to_text = False
        if to_text and part.type.startswith("text/"):
            found.text.append(part)
        if to_html and part.type.startswith("text/"):
            found.html.append(part)
        if part.type.startswith(_MEDIA):
            found.attachments.append(part)
    if kind == "alternative":
        if len(found.text) == text_before:
            found.text += found.html[html_before:]
        if len(found.html) == html_before:
            found.html += found.text[text_before:]


def _is_inline(part: Part, position: int, kind: str) -> bool:
    if part.disposition[0] == "attachment":
        return False
    if part.type.startswith(_MEDIA):
        return True
    if part.type not in ("text/plain", "text/html"):
        return False
    return position == 0 or (kind != "related" and not part.raw_name)


def _is_readable(part: Part) -> bool:
    return (
        part.type.startswith("text/") and part.type != "text/calendar" and part.disposition[0] != "attachment"
    )


def _is_file(part: Part) -> bool:
    return bool(part.raw_name) or part.disposition[0] == "attachment" or not part.type.startswith("text/")
