"""What imap-tools and the standard library say of a message's header, in the words of our envelope.

Both witnesses keep white space, control characters and the form of odd addresses as they came; `line` and
`people` bring all three readers to one form, which is the first of the recorded reasons to differ.
"""

import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, mktime_tz, parsedate_tz
from typing import Any

from imap_tools import MailMessage

from soinbox_web.model.message import Envelope

Said = dict[str, object]
RAISES = "raises"  # a witness that cannot read the field at all
NO_DATE = -2_208_988_800  # 1900, which imap-tools says for a date it cannot read
_ID = re.compile(r"<[^<>\s]+>")
_SIGNATURES = {"pgp-signature", "pgp-encrypted", "pkcs7-signature", "x-pkcs7-signature"}


def line(text: str) -> str:
    """On one line, nothing that cannot be printed."""
    spaced = re.sub(r"\s+", " ", text)
    return " ".join("".join(character for character in spaced if character.isprintable()).split())


def people(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """(name, address); an address without a domain is one, a name that only says the address is none."""
    found = []
    for name, address in pairs:
        name, address = line(name), line(address)
        if not address:
            name, address = "", name
        if address:
            found.append(("" if name == address else name, address))
    return found


def ours(found: Envelope) -> Said:
    return {
        "subject": line(found.subject),
        "from": people(found.sender),
        "reply-to": people(found.reply_to),
        "to": people(found.to),
        "cc": people(found.cc),
        "bcc": people(found.bcc),
        "date": found.date,
        "message-id": found.message_id,
        "in-reply-to": found.in_reply_to,
        "references": list(found.references),
        "size": found.size,
        "flags": sorted(found.flags),
        "attachments": found.has_attachments,
        "invitation": found.has_invitation,
    }


def imap_tools(message: MailMessage) -> Said:
    """The fields that imap-tools reads; of several senders it knows the first."""
    told: Said = {"size": message.size_rfc822, "flags": sorted(set(message.flags) - {"\\Recent"})}
    told["subject"] = _or_raises(lambda: line(message.subject))
    for name in ("to", "cc", "bcc", "reply_to"):
        told[name.replace("_", "-")] = _or_raises(lambda: _values(getattr(message, f"{name}_values")))  # noqa: B023
    told["from"] = _or_raises(lambda: _values((message.from_values,) if message.from_values else ()))
    date = _or_raises(lambda: int(message.date.timestamp()))
    told["date"] = None if date == NO_DATE else date
    told["reply-to"] = told["reply-to"] or told["from"]
    return told


def standard_library(raw: bytes) -> Said:
    """What `email` with its compat32 policy makes of the whole message."""
    message = message_from_bytes(raw)
    told: Said = {"subject": _or_raises(lambda: line(_decoded(message["subject"])))}
    for name in ("from", "reply-to", "to", "cc", "bcc"):
        told[name] = _or_raises(lambda: _addressed(message, name))  # noqa: B023
    told["reply-to"] = told["reply-to"] or told["from"]
    told["date"] = _or_raises(lambda: _moment(message))
    told["message-id"] = "".join(_ID.findall(_words(message, "message-id"))[:1])
    told["in-reply-to"] = "".join(_ID.findall(_words(message, "in-reply-to"))[:1])
    told["references"] = list(dict.fromkeys(_ID.findall(_words(message, "references"))))
    parts = list(_parts(message))
    told["attachments"] = any(_attached(part) for part in parts)
    told["invitation"] = any(part.get_content_type() == "text/calendar" for part in parts)
    return told


def _or_raises(read: Any) -> Any:
    try:
        return read()
    except Exception:  # whatever a witness dies of is what the test wants to know
        return RAISES


def _values(found: Iterable[Any]) -> list[tuple[str, str]]:
    return people((one.name, one.email) for one in found)


def _words(message: Message, name: str) -> str:
    return str(message[name] or "")


def _decoded(value: object) -> str:
    return "" if value is None else str(make_header(decode_header(value)))  # type: ignore[arg-type]


def _addressed(message: Message, name: str) -> list[tuple[str, str]]:
    first = [str(value) for value in message.get_all(name, [])[:1]]
    return people((_decoded(shown), address) for shown, address in getaddresses(first))


def _moment(message: Message) -> int | None:
    told = parsedate_tz(_words(message, "date"))
    return int(mktime_tz(told)) if told else None


def _parts(message: Message) -> Iterator[Message]:
    """The parts that hold something; a letter in a letter is one."""
    if message.get_content_maintype() != "multipart":
        yield message
    elif message.is_multipart():
        for part in message.get_payload():
            yield from _parts(part)  # type: ignore[arg-type]


def _attached(part: Message) -> bool:
    """The paperclip as product and BODYSTRUCTURE have it, asked of the standard library's tree."""
    kind, subtype = part.get_content_maintype(), part.get_content_subtype()
    placed = part.get_content_disposition()
    if placed == "attachment":
        return True
    if kind == "text":
        return bool(part.get_filename()) and placed != "inline" and subtype != "calendar"
    if kind == "image" and (placed == "inline" or part["content-id"]):
        return False
    return subtype not in _SIGNATURES
