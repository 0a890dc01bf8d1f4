"""What a BODYSTRUCTURE (RFC 9051 section 7.5.2) tells the list: a paperclip, a calendar mark."""

import re

from soinbox_web.mail.imap.tokens import Token, tokens

# A quoted word right after a bracket is a type or a disposition, never the inside of another string.
_ATTACHED = b'("attachment" '
_CALENDAR = b'("text" "calendar" '
_DOUBTFUL = re.compile(
    rb'name\*?\d?\*?"|\("(?!text"|charset"|boundary"|format"|delsp"|method"|type"|inline")[^"]*" '
)
_SIGNATURES = {"pgp-signature", "pgp-encrypted", "pkcs7-signature", "x-pkcs7-signature"}


def marks(raw: bytes) -> tuple[bool, bool]:
    """(has attachments, has an invitation) of the bytes of a BODYSTRUCTURE without literals."""
    folded = raw.lower()
    attached, calendar = _ATTACHED in folded, _CALENDAR in folded
    if attached or not _DOUBTFUL.search(folded):
        return attached, calendar
    try:
        return marks_of(tokens([raw])[0])
    except (ValueError, IndexError):
        return False, calendar


def marks_of(part: Token) -> tuple[bool, bool]:
    """The same of a parsed BODYSTRUCTURE, whatever is in it."""
    attached = calendar = False
    waiting = [part]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, list) or not part:
            continue
        if isinstance(part[0], list):
            waiting.extend(child for child in part if isinstance(child, list) and child and _is_part(child))
            continue
        kind, subtype = _word(part, 0), _word(part, 1)
        calendar = calendar or (kind, subtype) == ("text", "calendar")
        attached = attached or _is_attachment(part, kind, subtype)
    return attached, calendar


def _is_part(child: Token) -> bool:
    """A nested part, not the parameters or the disposition behind a multipart's children."""
    return isinstance(child[0], list) or (len(child) >= 7 and isinstance(child[2], list | None))


def _is_attachment(part: Token, kind: str, subtype: str) -> bool:
    place = {"text": 9, "message": 11 if subtype in ("rfc822", "global") else 8}.get(kind, 8)
    disposition = part[place] if len(part) > place and isinstance(part[place], list) else []
    word = _word(disposition, 0)
    if word == "attachment":
        return True
    named = _named(part[2]) or _named(disposition[1] if len(disposition) > 1 else None)
    if kind == "text":
        return named and word != "inline" and subtype != "calendar"
    if kind == "image" and (word == "inline" or part[3] is not None):
        return False
    return subtype not in _SIGNATURES


def _named(parameters: Token) -> bool:
    names = parameters[::2] if isinstance(parameters, list) else []
    return any(_text(name).split("*")[0] in ("name", "filename") for name in names)


def _word(part: Token, place: int) -> str:
    return _text(part[place]) if isinstance(part, list) and len(part) > place else ""


def _text(token: Token) -> str:
    if isinstance(token, bytes):
        return token.decode("latin-1").lower()
    return token.lower() if isinstance(token, str) else ""
