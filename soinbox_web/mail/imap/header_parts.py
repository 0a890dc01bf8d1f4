"""Envelopes without the server's ENVELOPE: the beginning of each header field.

A server answers with what a message holds, so a `Cc` of 50,000 commas is an ENVELOPE of 2.2 MB. Asked field
by field and at most so many bytes of each, sender, subject and date are right, whatever the others hold.
"""

import re
from collections.abc import Iterable

from soinbox_web.mail.imap import envelope_fields as fields
from soinbox_web.mail.imap.tokens import Token
from soinbox_web.mail.mime.addresses import addresses
from soinbox_web.model.message import Correspondent, Envelope

MOST = 8_192  # bytes of one field
_NAMES = ("DATE", "FROM", "SUBJECT", "TO", "CC", "REPLY-TO", "MESSAGE-ID", "IN-REPLY-TO", "REFERENCES",
          "CONTENT-TYPE")  # fmt: skip
FIELDS = " ".join(f"BODY.PEEK[HEADER.FIELDS ({name})]<0.{MOST}>" for name in _NAMES)

_FIELD = re.compile(rb"([!-9;-~]{1,80})[ \t]*:((?:[^\r\n]|\r?\n[ \t])*)")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_ATTACHED = (b"multipart/mixed", b"application/")


def values(items: dict[str, Token]) -> dict[bytes, bytes]:
    """What came of each field, by its name in capitals; ValueError when the server gave no header at all."""
    parts = [value for name, value in items.items() if name.startswith("BODY[HEADER.FIELDS")]
    if not parts:
        raise ValueError("no header")
    found: dict[bytes, bytes] = {}
    for part in parts:
        if isinstance(part, bytes):
            _note(found, part)
    return found


def _note(found: dict[bytes, bytes], part: bytes) -> None:
    """The first field of a part; of one that was cut off, what stands before its last comma or blank."""
    field = _FIELD.match(part[:MOST])
    if field is None:
        return
    value = _FOLD.sub(b"", field[2])
    if field.end() >= MOST:
        value = value[: max(value.rfind(b","), value.rfind(b" "), 0)] or value
    found.setdefault(field[1].upper(), value.strip())


def envelope(
    uid: int, items: dict[str, Token], flags: Iterable[str], internal: int | None, size: int
) -> Envelope:
    """The envelope of what FIELDS brought. Raises ValueError."""
    told = values(items)
    shape = told.get(b"CONTENT-TYPE", b"").lower()
    return Envelope(
        uid,
        frozenset(flags) - fields.RECENT,
        internal,
        size,
        fields.date(told.get(b"DATE", b"")),
        fields.text(told.get(b"SUBJECT", b"")),
        _people(told, b"FROM"),
        _people(told, b"REPLY-TO") or _people(told, b"FROM"),
        _people(told, b"TO"),
        _people(told, b"CC"),
        (),
        fields.message_id(told.get(b"MESSAGE-ID", b"")),
        fields.message_id(told.get(b"IN-REPLY-TO", b"")),
        fields.references(b"References: " + told.get(b"REFERENCES", b"")),
        shape.startswith(_ATTACHED),
        shape.startswith(b"text/calendar"),
    )


def _people(told: dict[bytes, bytes], name: bytes) -> tuple[Correspondent, ...]:
    return addresses(told[name]) if told.get(name) else ()
