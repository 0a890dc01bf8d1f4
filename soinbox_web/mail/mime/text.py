"""Plain text to HTML for display, HTML to plain text for search, previews and quoting."""

import html as entities
import re

import nh3

from soinbox_web.mail.mime import caps
from soinbox_web.mail.mime.nesting import flat_references, within_caps

_LINK = re.compile(
    r"(?P<url>\bhttps?://[^\s<>\"'{}|\\^`\[\]]{1,2000})"
    r"|(?P<www>\bwww\.[a-z0-9-]{1,63}\.[^\s<>\"'{}|\\^`\[\]]{2,1000})"
    r"|(?P<mail>\bmailto:[^\s<>\"']{3,300}|(?<![\w.+/=-])[\w.+=-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?'\")]*_"
_QUOTE = re.compile(r"((?:> ?)+)")
_MAX_QUOTE = 20


def text_to_html(text: str) -> str:
    """Safe HTML of plain text: links, `>` levels as nested blockquotes, line breaks kept."""
    out: list[str] = []
    level = 0
    for line in text.split("\n"):
        depth, content = _quote_level(line) if line.startswith(">") else (0, line)
        while level < depth:
            out.append("<blockquote>")
            level += 1
        while level > depth:
            out.append("</blockquote>")
            level -= 1
        out.append(_linked(content) + "<br>\n")
    out.append("</blockquote>" * level)
    return '<div style="white-space: pre-wrap">' + "".join(out).replace("<br>\n", "\n") + "</div>"


def _quote_level(line: str) -> tuple[int, str]:
    found = _QUOTE.match(line[:200])
    if found is None:
        return 0, line
    return min(found[1].count(">"), _MAX_QUOTE), line[found.end() :]


def _linked(line: str) -> str:
    if "@" not in line and "://" not in line and "www." not in line.lower():
        return entities.escape(line, quote=False)
    out: list[str] = []
    end = 0
    for found in _LINK.finditer(line):
        shown = found[0].rstrip(_TRAILING)
        if found[0][len(shown) :].startswith(")") and shown.count("(") > shown.count(")"):
            shown += ")"
        if not shown:
            continue
        target = shown
        if found["www"]:
            target = f"http://{shown}"
        elif found["mail"] and not shown.lower().startswith("mailto:"):
            target = f"mailto:{shown}"
        out.append(entities.escape(line[end : found.start()], quote=False))
        out.append(
            f'<a href="{entities.escape(target)}" target="_blank" rel="noopener noreferrer nofollow">'
            f"{entities.escape(shown, quote=False)}</a>"
        )
        end = found.start() + len(shown)
    out.append(entities.escape(line[end:], quote=False))
    return "".join(out)


def unflow(text: str, *, delsp: bool = False) -> str:
    """format=flowed (RFC 3676 section 4) as paragraphs of one line each."""
    paragraphs: list[list[str]] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        quotes = len(line) - len(line.lstrip(">"))
        content = line[quotes:].removeprefix(" ")
        flowed = content.endswith(" ") and content != "-- "
        if flowed and delsp:
            content = content[:-1]
        if open_depth == quotes and content != "-- ":
            paragraphs[-1].append(content)
        else:
            paragraphs.append([">" * quotes + (" " if quotes else ""), content])
        open_depth = quotes if flowed else None
    joined = map("".join, paragraphs)
    return "\n".join(line.rstrip(" ") if line != "-- " else line for line in joined)


_BLOCKS = {
    "p": 2, "div": 1, "br": 1, "tr": 1, "table": 1, "ul": 1, "ol": 1, "li": 1, "h1": 2, "h2": 2, "h3": 2,
    "h4": 2, "h5": 2, "h6": 2, "pre": 1, "hr": 1, "dl": 1, "dt": 1, "dd": 1, "blockquote": 1, "center": 1, 
    "section": 1, "article": 1, "header": 1, "footer": 1, "address": 1,
}  # fmt: skip
_CELLS = {"td", "th"}
_HIDDEN = {"script", "style", "title", "template", "textarea", "iframe", "noembed", "noframes", "xmp"}
_TEXT_ONLY = nh3.Cleaner(tags={*_BLOCKS, *_CELLS}, clean_content_tags=_HIDDEN, attributes={}, link_rel=None)
_HUGE = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{7,});?")  # no character has such a number
_TAG = re.compile(r"<(/?)([a-z0-9]+)>|([^<]+)")
_SPACES = re.compile(r"[ \t\r\n\f]+")


def html_to_text(html: str) -> str:
    """The text a reader would see, blocks on their own lines; markup beyond the caps is cut out roughly."""
    if not within_caps(html):
        rough = _HUGE.sub("\ufffd", re.sub(r"<[^<>]*>", " ", html[: caps.HTML]))
        return _SPACES.sub(" ", entities.unescape(rough)).strip()
    out: list[str] = []
    line = ""
    pre = quoted = 0
    for tag in _TAG.finditer(_TEXT_ONLY.clean(flat_references(html))):
        closing, name, words = tag[1], tag[2], tag[3]
        if words is not None:
            shown = entities.unescape(words).replace("\xa0", " ").replace("\u200c", "").replace("\u200b", "")
            line += shown if pre else _SPACES.sub(" ", shown)
            continue
        if name in _CELLS:
            line += " "
            continue
        if line.strip() or name == "br":
            out.append(("> " * quoted) + line.strip(" "))
        if _BLOCKS[name] == 2 and out and out[-1].strip("> "):
            out.append("> " * quoted)
        line = ""
        if name == "pre":
            pre = max(0, pre + (-1 if closing else 1))
        elif name == "blockquote":
            quoted = min(max(0, quoted + (-1 if closing else 1)), _MAX_QUOTE)
    out.append(line.strip(" "))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(row.rstrip() for row in out)).strip()


_ATTRIBUTION = re.compile(r"^(?:>|-{2,}|_{5,}|On .{5,200} wrote:$|Op .{5,200} schreef.{0,80}:$)")


def preview(text: str, length: int = 140) -> str:
    """The first own words of a text on one line: no quotes, no attribution, cut at a word."""
    words: list[str] = []
    size = 0
    for line in text[: 20 * length + 4000].split("\n"):
        line = line.strip()
        if line in ("--", "-- "):
            break
        if not line or _ATTRIBUTION.match(line):
            continue
        words.append(line)
        size += len(line) + 1
        if size > length:
            break
    joined = _SPACES.sub(" ", " ".join(words))
    if len(joined) <= length:
        return joined
    return joined[:length].rsplit(" ", 1)[0].rstrip(" ,;:-") + "…"
