"""Folder names on the wire (modified UTF-7, RFC 3501 section 5.1.3) and roles told by a name."""

import base64
import binascii
import re

from soinbox_web.mail.mime.headers import clean
from soinbox_web.model.folder import Role

_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")


def decode(raw: bytes, *, utf8: bool = False) -> str:
    """The name as people read it; a broken one stays as the server spells it. Never raises.

    `utf8`: the server spells names in UTF-8, and `&` means itself.
    """
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        try:
            return clean(raw.decode("utf-8")) or raw.decode("latin-1")
        except UnicodeDecodeError:
            return clean(raw.decode("latin-1")) or "?"
    if "&" not in text or utf8:
        return clean(text) or text
    try:
        decoded = _SHIFTED.sub(lambda found: _shifted(found[1]), text)
    except (UnicodeDecodeError, binascii.Error, ValueError):
        return clean(text) or text
    return clean(decoded) or text


def encode(name: str, *, utf8: bool = False) -> str:
    """The name as the server wants it (for folders that it does not list yet), Latin-1 for its bytes."""
    if utf8:
        return name.encode().decode("latin-1")
    out, shifted = [], ""
    for character in name:
        if " " <= character <= "~":
            out.append(_unshifted(shifted) + ("&-" if character == "&" else character))
            shifted = ""
        else:
            shifted += character
    return "".join(out) + _unshifted(shifted)


def _shifted(text: str) -> str:
    if not text:
        return "&"
    raw = base64.b64decode(text.replace(",", "/") + "=" * (-len(text) % 4), validate=True)
    return raw.decode("utf-16-be")


def _unshifted(text: str) -> str:
    if not text:
        return ""
    raw = base64.b64encode(text.encode("utf-16-be")).decode().rstrip("=").replace("/", ",")
    return f"&{raw}-"


_ATTRIBUTES: dict[str, Role] = {
    "\\drafts": "drafts", "\\sent": "sent", "\\trash": "trash", "\\junk": "junk", "\\archive": "archive",
    "\\all": "all", "\\flagged": "flagged", "\\important": "important",
}  # fmt: skip
_NAMES: dict[Role, str] = {
    "sent": "sent|sent items|sent mail|sent messages|verzonden|verzonden items|verzonden berichten|gesendet"
    "|gesendete objekte|gesendete elemente|envoyés|éléments envoyés|messages envoyés|enviados|inviata"
    "|posta inviata|sendt|sendte elementer|skickat|skickade objekt|lähetetyt|wysłane|odeslané",
    "drafts": "drafts|draft|concepten|entwürfe|brouillons|borradores|bozze|kladder|utkast|luonnokset|szkice"
    "|rascunhos|koncepty",
    "trash": "trash|deleted items|deleted messages|bin|prullenbak|verwijderde items|verwijderd|papierkorb"
    "|gelöschte objekte|gelöschte elemente|corbeille|éléments supprimés|papelera|cestino|slettet post"
    "|slettede elementer|papirkurv|søppel|papperskorgen|borttaget|roskakori|kosz|koš",
    "junk": "junk|junk e-mail|junk email|spam|bulk mail|ongewenste e-mail|ongewenst|spamverdacht|unerwünscht"
    "|courrier indésirable|pourriel|correo no deseado|posta indesiderata|uønsket post|søppelpost|skräppost"
    "|roskaposti",
    "archive": "archive|archives|archief|archiv|archivo|archivio|arkiv|arkisto",
}
_ROLES = {name: role for role, names in _NAMES.items() for name in names.split("|")}


def role_of(attributes: set[str]) -> Role:
    """The role by SPECIAL-USE attributes (lower case), or ""."""
    return next((role for attribute, role in _ATTRIBUTES.items() if attribute in attributes), "")


def role_by_name(name: str, delimiter: str) -> Role:
    """The role that this name has in some language, at the top or right below INBOX; or ""."""
    parts = name.split(delimiter) if delimiter else [name]
    if len(parts) == 2 and parts[0].upper() in ("INBOX", "[GMAIL]", "[GOOGLE MAIL]"):
        parts = parts[1:]
    return _ROLES.get(parts[0].casefold(), "") if len(parts) == 1 else ""
