"""Header fields: encoded words (RFC 2047), parameters (RFC 2231), dates and message ids, never raising."""

import binascii
import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from urllib.parse import unquote_to_bytes

from soinbox_web.mail.mime import caps, charset

_WORD = re.compile(rb"=\?([\w.:+*-]{1,60})\?([bBqQ])\?([^?]{0,4000})\?=")
_GAP = re.compile(rb"(?<=\?=)[ \t\r\n]+(?==\?[\w.:+*-]{1,60}\?[bBqQ]\?)")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_BLANK = re.compile(r"[\t\n\v\f\r\u2028\u2029 ]+")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,990}>")


def clean(text: str) -> str:
    """One line without control and bidi characters, safe to show beside other text."""
    return _INVISIBLE.sub("", _BLANK.sub(" ", text)).strip()


def decode_words(raw: bytes | str) -> str:
    """The text of an unstructured field or a phrase, encoded words decoded, cleaned."""
    if isinstance(raw, str):
        raw = raw.encode("utf-8", "surrogateescape")
    raw = raw[: caps.DECODED_TEXT]
    if b"=?" not in raw:
        return clean(charset.decode(raw))
    raw = _GAP.sub(b"", raw)
    out: list[str] = []
    pending, pending_charset, end = b"", "", 0
    for word in _WORD.finditer(raw):
        between = raw[end : word.start()]
        name = word[1].decode().partition("*")[0].lower()
        if pending and (between or name != pending_charset):
            out.append(charset.decode(pending, pending_charset))
            pending = b""
        out.append(charset.decode(between))
        pending, pending_charset, end = pending + _word_bytes(word[2], word[3]), name, word.end()
    if pending:
        out.append(charset.decode(pending, pending_charset))
    out.append(charset.decode(raw[end:]))
    return clean("".join(out))


def unquoted(name: str) -> str:
    """A display name without the quotes around the whole of it, however often it was quoted."""
    name = name.strip()
    while len(name) > 1 and name[0] == name[-1] and name[0] in "\"'":
        name = name[1:-1].strip()
    return name


def _word_bytes(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"qQ":
        return _HEX.sub(lambda pair: bytes.fromhex(pair[1].decode()), text.replace(b"_", b" "))
    return base64_bytes(text)


_JUNK = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_PADDING = re.compile(rb"=+")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def base64_bytes(raw: bytes) -> bytes:
    """The bytes of sloppy base64: foreign characters are skipped, a lost end cut off, pieces joined."""
    raw = raw.translate(_URL_SAFE).translate(None, _JUNK)
    first, *pieces = _PADDING.split(raw, caps.PIECES)
    if len(pieces) == caps.PIECES:
        pieces[-1] = pieces[-1].partition(b"=")[0]
    kept = [piece for piece in pieces[:-1] if piece] + [piece for piece in pieces[-1:] if len(piece) % 4 == 0]
    return b"".join(map(_base64_piece, (first, *kept)))


def _base64_piece(raw: bytes) -> bytes:
    usable = len(raw) - (1 if len(raw) % 4 == 1 else 0)
    return binascii.a2b_base64(raw[:usable] + b"=" * (-usable % 4))


_PARAMETER = re.compile(
    r"""([^\s=;"]{1,100})\s*=\s*(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)(?:"|$)|([^;"\s]*(?:[^\S\r\n]+[^;="\s]+(?=\s*(?:;|$)))*))""",
    re.DOTALL,
)
_HEAD = re.compile(r"\s*([^\s;]*(?:\s*/\s*[^\s;]+)?)(.*)", re.DOTALL)
_SECTION = re.compile(r"([^*]{1,80})(?:\*([0-9]{1,3}))?(\*)?$")


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """`text/plain; charset=utf-8` as ("text/plain", {"charset": "utf-8"}); RFC 2231 pieces are joined."""
    head, rest = _HEAD.match(value[: caps.DECODED_TEXT]).groups()  # type: ignore[union-attr]
    plain: dict[str, str] = {}
    sections: dict[str, list[tuple[int, bool, str]]] = {}
    for found in _PARAMETER.finditer(rest):
        text = re.sub(r"\\(.)", r"\1", found[2]) if found[2] is not None else found[3].strip()
        section = _SECTION.match(found[1].lower())
        if section is None or (section[2] is None and section[3] is None):
            plain.setdefault(found[1].lower(), text)
        else:
            sections.setdefault(section[1], []).append((int(section[2] or 0), bool(section[3]), text))
    for name, pieces in sections.items():
        plain[name] = _join_sections(sorted(pieces, key=lambda piece: piece[0]))
    return head.strip().lower(), plain


def _join_sections(pieces: list[tuple[int, bool, str]]) -> str:
    """RFC 2231 sections 3 and 4: `utf-8'nl'caf%C3%A9`, in numbered pieces."""
    name, raw = "", b""
    for position, (_, extended, text) in enumerate(pieces):
        if position == 0 and extended and text.count("'") >= 2:
            name, _, text = text.split("'", 2)
        raw += unquote_to_bytes(text) if extended else text.encode("utf-8", "surrogatepass")
    return charset.decode(raw, name)


_EXTENSIONS = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "text/plain": "txt",
    "text/html": "html",
    "text/calendar": "ics",
    "text/vcard": "vcf",
    "text/x-vcard": "vcf",
    "message/rfc822": "eml",
    "application/zip": "zip",
    "application/pgp-signature": "asc",
    "application/pkcs7-signature": "p7s",
    "application/pkcs7-mime": "p7m",
}


def file_name(name: str, media_type: str, part: int) -> str:
    """A name to save an attachment under: no path, no control characters, at most 150 long, never empty."""
    name = re.split(r"[/\\]", decode_words(name))[-1].strip(" .") if name else ""
    name = re.sub(r'[<>:"|?*]', "_", name)
    if not name and media_type == "text/calendar":
        return "invitation.ics"
    if not name:
        return f"part-{part}.{_EXTENSIONS.get(media_type, 'bin')}"
    if len(name) > caps.FILE_NAME:
        stem, dot, extension = name.rpartition(".")
        keep = len(extension) + 1 if dot and len(extension) <= 12 else 0
        name = name[: caps.FILE_NAME - keep] if not keep else f"{stem[: caps.FILE_NAME - keep]}.{extension}"
    return name


def date(text: str) -> datetime | None:
    """The moment of a Date field in UTC (no zone: taken as UTC); None when it cannot be read."""
    try:
        fields = parsedate_tz(clean(text)[:200])
        if fields is None:
            return None
        zone = timezone(timedelta(seconds=fields[9] or 0))
        return datetime(*fields[:6], tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def message_ids(text: str) -> tuple[str, ...]:
    """The `<…>` identifiers of Message-ID, In-Reply-To or References, in order, each once."""
    return tuple(dict.fromkeys(_MESSAGE_ID.findall(_INVISIBLE.sub("", text))))
