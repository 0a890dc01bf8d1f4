"""One line of a server that refuses: decoded, made safe to show, and taken apart."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from soinbox_web.model.provider import Provider

SHOWN_CHARACTERS = 500

_CHINESE = re.compile(rb"(?:[\x00-\x7f]|[\xa1-\xf7][\xa1-\xfe])*")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)
_TAG = re.compile(r"(?:\*|[A-Za-z0-9]{1,20}) +(?=(?:NO|BAD|BYE|OK|PREAUTH)\b)", re.IGNORECASE)
_IMAP = re.compile(
    r"(?P<status>NO|BAD|BYE|OK|PREAUTH)\b *(?:\[(?P<code>[A-Z-]+)(?: [^\]]*)?\])? *(?P<text>.*)",
    re.IGNORECASE | re.DOTALL,
)
_SMTP = re.compile(
    r"(?P<status>[2-5]\d\d)(?:[ -]|$)(?:(?P<code>[245]\.\d{1,3}\.\d{1,3})\b)? *(?P<text>.*)", re.DOTALL
)
_SMTP_MORE = re.compile(r"\n[2-5]\d\d[ -](?:[245]\.\d{1,3}\.\d{1,3})? *")
_LINK = re.compile(r"https://[^\s<>\"'()\[\]]+")


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """A refusal: `status` (NO, BAD, BYE or three digits), `code` (RFC 5530 or enhanced status), `text`."""

    line: str  # safe to show
    status: str
    code: str
    text: str

    @property
    def temporary(self) -> bool:
        """SMTP's 4xx."""
        return self.status.startswith("4")


def shown(raw: bytes) -> str:
    """`raw` as a page may show it: decoded whatever its bytes, no control or direction marks, cut at 500."""
    for encoding in ("utf-8", "gb18030") if _CHINESE.fullmatch(raw) else ("utf-8", "cp1252"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            text = raw.decode("cp1252", "replace")
    text = _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")).strip()
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def read_answer(raw: bytes) -> ServerAnswer:
    """An IMAP status line, or an SMTP reply whose lines are joined by LF; the text is on one line."""
    line = shown(raw)
    if tag := _TAG.match(line):
        line = line[tag.end() :]
    match = _SMTP.fullmatch(line) or _IMAP.fullmatch(line)
    if match is None:
        return ServerAnswer(_one_line(line), "", "", _one_line(line))
    text = _SMTP_MORE.sub(" ", match["text"])
    return ServerAnswer(
        _one_line(line), match["status"].upper(), (match["code"] or "").upper(), _one_line(text)
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def own_link(line: str, provider: Provider | None) -> str:
    """The first https link of a server's line that leads to the provider itself, else ""."""
    for found in _LINK.finditer(line):
        link = found[0].rstrip(".,;:!?")
        try:
            parts = urlsplit(link)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            continue
        domains = provider.link_domains if provider else ()
        if "@" not in parts.netloc and port is None and any(_within(host, d) for d in domains):
            return link
    return ""


def _within(host: str, domain: str) -> bool:
    return host == domain or host.endswith("." + domain)
