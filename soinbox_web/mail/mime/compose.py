"""What was written to the bytes that are sent, made once (RFC 5322, 2045, 2047, 2231); lines end in CRLF."""

import base64
import quopri
import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote as percent

import idna

from soinbox_web.mail.mime import caps
from soinbox_web.model.message import Correspondent
from soinbox_web.model.outgoing import Built, Outgoing, OutgoingFile
from soinbox_web.problems import InputError, Problem

_CRLF = b"\r\n"
_FORBIDDEN = re.compile(r"[\r\n\0]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+>$")
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ .-]*$")
_LOCAL = re.compile(r"[!-~]{1,64}$")
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}$")
_LINE = 76
_LONGEST_LINE = 900  # bytes of a text line that goes out as it is (RFC 5321 allows 998)


def build(message: Outgoing, *, message_id: str, date: datetime) -> Built:
    """The bytes to send and to keep; InputError `address_invalid` or `input_invalid` (header injection).

    `message_id` comes with its angle brackets; `date` is aware.
    """
    if not _MESSAGE_ID.match(message_id):
        raise _invalid("message_id")
    sender = _ascii_address(message.sender.address)
    head = [
        _field("Date", format_datetime(date)),
        _people("From", (message.sender,)),
        _people("Reply-To", message.reply_to),
        _people("To", message.to),
        _people("Cc", message.cc),
    ]
    hidden = _people("Bcc", message.bcc)
    tail = [
        _text_field("Subject", message.subject),
        _field("Message-ID", message_id),
        _identifiers("In-Reply-To", (message.in_reply_to,) if message.in_reply_to else ()),
        _identifiers("References", message.references),
        _field("MIME-Version", "1.0"),
    ]
    body = _body(message)
    everyone = (*message.to, *message.cc, *message.bcc)
    return Built(
        message_id=message_id,
        wire=b"".join((*head, *tail, body)),
        sent_copy=b"".join((*head, hidden, *tail, body)),
        envelope_from=sender,
        recipients=tuple(dict.fromkeys(_ascii_address(person.address) for person in everyone)),
    )


def new_message_id(address: str) -> str:
    """A Message-ID nobody else has, in the domain of `address`."""
    return f"<{secrets.token_hex(16)}@{_ascii_address(address).rpartition('@')[2]}>"


# header fields


def _field(name: str, value: str) -> bytes:
    return f"{name}: {value}".encode("ascii") + _CRLF


def _refuse_injection(name: str, value: str) -> None:
    if _FORBIDDEN.search(value):
        raise _invalid(name)


def _invalid(name: str) -> InputError:
    return InputError(Problem("input_invalid", facts={"field": name}))


def _text_field(name: str, value: str) -> bytes:
    _refuse_injection(name, value)
    return _folded(name, _words(value, len(name) + 2), " ")


def _people(name: str, people: tuple[Correspondent, ...]) -> bytes:
    if not people:
        return b""
    words: list[str] = []
    for person in people:
        _refuse_injection(name, person.name)
        mark = "" if person is people[-1] else ","
        address = _ascii_address(person.address)
        if person.name.strip():
            words += [*_phrase(person.name.strip()), f"<{address}>{mark}"]
        else:
            words.append(address + mark)
    return _folded(name, words, " ")


def _identifiers(name: str, identifiers: Iterable[str]) -> bytes:
    words = list(identifiers)
    for word in words:
        if not _MESSAGE_ID.match(word):
            raise _invalid(name)
    return _folded(name, words, " ") if words else b""


def _folded(name: str, words: list[str], gap: str) -> bytes:
    """A field on lines of at most 76 characters where its words allow (RFC 5322 section 2.2.3)."""
    lines = [f"{name}:"]
    for word in words:
        if len(lines[-1]) + len(word) + 1 > _LINE and lines[-1].strip() != f"{name}:":
            lines.append("")
        lines[-1] += gap + word
    return "\r\n".join(lines).encode("ascii") + _CRLF


def _words(value: str, used: int) -> list[str]:
    """Plain words, or encoded words where the value is not plain ASCII or looks encoded already."""
    value = _CONTROL.sub(" ", value).strip()
    if value.isascii() and "=?" not in value and all(len(word) < 900 for word in value.split(" ")):
        return value.split(" ")
    return _encoded_words(value, used)


def _phrase(name: str) -> list[str]:
    name = _CONTROL.sub(" ", name)
    if not name.isascii() or "=?" in name or len(name) > 200:
        return _encoded_words(name, 10)
    if _ATOM.match(name) and "." not in name and "  " not in name:
        return name.split(" ")
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return [f'"{quoted}"']


def _encoded_words(text: str, used: int) -> list[str]:
    """RFC 2047: pieces of at most 75 characters that never split a character."""
    words: list[str] = []
    piece = b""
    for character in text:
        raw = character.encode()
        if len(piece) + len(raw) > (45 if words else max(24, 45 - used)):
            words.append(_encoded_word(piece))
            piece = b""
        piece += raw
    return [*words, _encoded_word(piece)]


def _encoded_word(piece: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(piece).decode()}?="


def _ascii_address(address: str) -> str:
    """The address as SMTP without SMTPUTF8 takes it: an ASCII local part, A-labels after the @."""
    local, _, domain = address.strip().rpartition("@")
    if not _LOCAL.match(local) or re.search(r'[\s<>()\[\],;:\\"@]', local):
        raise _invalid_address(address)
    try:
        ascii_domain = domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError as error:
        raise _invalid_address(address) from error
    if not re.match(
        r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*$", ascii_domain
    ):
        raise _invalid_address(address)
    return f"{local}@{ascii_domain}"


def _invalid_address(address: str) -> InputError:
    return InputError(
        Problem("address_invalid", field="address", facts={"address": _CONTROL.sub(" ", address)[:320]})
    )


# body


def _body(message: Outgoing) -> bytes:
    pictures = [file for file in message.attachments if file.content_id and message.html is not None]
    files = [file for file in message.attachments if file not in pictures]
    part = _text_part("plain", message.text)
    if message.html is not None:
        html = _text_part("html", message.html)
        if pictures:
            html = _multipart("related", [html, *(_file_part(file, inline=True) for file in pictures)])
        part = _multipart("alternative", [part, html])
    if files:
        part = _multipart("mixed", [part, *(_file_part(file, inline=False) for file in files)])
    return part


def _multipart(subtype: str, parts: list[bytes]) -> bytes:
    boundary = f"=_{secrets.token_hex(16)}".encode()
    head = b'Content-Type: multipart/%s; boundary="%s"\r\n\r\n' % (subtype.encode(), boundary)
    return head + b"".join(b"--%s\r\n%s\r\n" % (boundary, part) for part in parts) + b"--%s--\r\n" % boundary


def _text_part(subtype: str, text: str) -> bytes:
    lines = re.split(r"\r\n|\r|\n", text.replace("\0", "").rstrip("\r\n"))
    raw = [line.encode("utf-8", "replace") for line in lines]
    plain = text.isascii() and all(
        len(line) <= _LONGEST_LINE and not line.startswith(b"From ") for line in raw
    )
    if plain:
        encoding, content = b"7bit", _CRLF.join(raw)
    else:
        encoding, content = b"quoted-printable", _CRLF.join(_quoted_printable(line) for line in raw)
    charset = b"us-ascii" if text.isascii() else b"utf-8"
    head = b"Content-Type: text/%s; charset=%s\r\nContent-Transfer-Encoding: %s\r\n\r\n"
    return head % (subtype.encode(), charset, encoding) + content + _CRLF


def _quoted_printable(line: bytes) -> bytes:
    encoded = quopri.encodestring(line, quotetabs=False)
    if line.startswith(b"From "):
        encoded = b"=46" + encoded[1:]
    return encoded.replace(b"\r", b"=0D").replace(b"\n", _CRLF)


def _file_part(file: OutgoingFile, *, inline: bool) -> bytes:
    media_type = file.type.lower() if _TYPE.match(file.type.lower()) else "application/octet-stream"
    if media_type.startswith(("multipart/", "message/")):
        media_type = "application/octet-stream"  # these may not be sent as base64 (RFC 2046 section 5.2)
    name = _file_name(file.name)
    disposition = "inline" if inline else "attachment"
    lines = [
        f"Content-Type: {media_type};\r\n {_name_parameter('name', name)}",
        f"Content-Disposition: {disposition};\r\n {_name_parameter('filename', name)}",
        "Content-Transfer-Encoding: base64",
    ]
    if inline:
        if not re.match(r"[!-;=?-~]{1,200}$", file.content_id):
            raise _invalid("content_id")
        lines.append(f"Content-ID: <{file.content_id}>")
    encoded = base64.encodebytes(file.content).replace(b"\n", _CRLF)
    return "\r\n".join(lines).encode("ascii") + _CRLF + _CRLF + encoded


def _file_name(name: str) -> str:
    if _FORBIDDEN.search(name):
        raise _invalid("filename")
    name = _CONTROL.sub("", re.split(r"[/\\]", name)[-1]).strip()
    return name[-caps.FILE_NAME :] or "attachment"


def _name_parameter(key: str, name: str) -> str:
    """`filename="…"`, or the RFC 2231 form in pieces when the name is not plain."""
    if name.isascii() and len(name) <= 60:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'{key}="{quoted}"'
    encoded = percent(name, safe="")
    if len(encoded) <= 48:
        return f"{key}*=utf-8''{encoded}"
    return ";\r\n ".join(
        f"{key}*{number}*={'utf-8' + chr(39) * 2 if number == 0 else ''}{piece}"
        for number, piece in enumerate(_cut(encoded))
    )


def _cut(encoded: str) -> list[str]:
    """Pieces of a percent-encoded text that never split a `%XX`."""
    return re.findall(r"(?:%[0-9A-F]{2}|[^%]){1,20}", encoded)
