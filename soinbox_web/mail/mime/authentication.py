"""Authentication-Results (RFC 8601): what a mail server found out about a message on its way, never raising.

Only fields above the first Received are looked at: whoever wrote the message cannot put any there, since each
server adds its own above what it received. ARC (RFC 8617) is somebody else's word and not looked at.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from soinbox_web.mail.discovery.domains import registrable
from soinbox_web.mail.mime import caps
from soinbox_web.mail.mime.addresses import addresses
from soinbox_web.mail.mime.reader import read_fields

FIELDS = 50  # above the first Received, at most
RESULTS = 30  # of one field
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|\\.|([();])|[^"\\();]+', re.DOTALL)
_AUTHSERV_ID = re.compile(r"\s*([a-z0-9][a-z0-9._-]{0,252})(?:\s+[0-9]{1,3})?\s*$")
_METHOD = re.compile(r"\s*([a-z0-9-]{1,40})(?:\s*/\s*[0-9]{1,3})?\s*=\s*([a-z]{1,20})(?=\s|$)")
_PROPERTY = re.compile(r"([a-z]{1,20})\s*\.\s*([a-z0-9_-]{1,40})\s*=\s*(\S{1,320})")


@dataclass(frozen=True, slots=True)
class Result:
    """One method's result: `dkim`, `pass`, {"header.d": "klant.example"}; all in small letters."""

    method: str
    result: str
    properties: dict[str, str] = field(default_factory=dict)

    def domain(self, *names: str) -> str:
        """The domain of the first of these properties that is there, also when it is an address."""
        found = next((self.properties[name] for name in names if self.properties.get(name)), "")
        return found.rpartition("@")[2].strip("<>.")


@dataclass(frozen=True, slots=True)
class Statement:
    """What one server says of a message."""

    server: str  # authserv-id, in small letters
    results: tuple[Result, ...]


def statements(fields: Sequence[tuple[str, bytes]]) -> tuple[Statement, ...]:
    """What servers said above the first Received; nothing when there is no Received (nobody delivered it)."""
    above: list[bytes] = []
    for name, value in fields:
        if name == "received":
            return tuple(filter(None, map(_statement, above[:FIELDS])))
        if name == "authentication-results":
            above.append(value)
    return ()


def claim(raw: bytes) -> tuple[str, str] | None:
    """(authserv-id, domain of the sender): which server speaks topmost above the first Received, of whom."""
    fields = read_fields(raw[: caps.HEADER_BLOCK])
    said = statements(fields)
    sender = addresses(next((value for name, value in fields if name == "from"), b"")[: caps.DECODED_TEXT])
    domain = sender[0].address.rpartition("@")[2].lower() if sender else ""
    return (said[0].server, registrable(domain)[:253]) if said and domain else None


def _statement(value: bytes) -> Statement | None:
    head, *rest = _pieces(value[: caps.DECODED_TEXT].decode("latin-1").lower())
    found = _AUTHSERV_ID.match(head)
    if found is None:
        return None
    return Statement(found[1].rstrip("."), tuple(_results(rest[:RESULTS])))


def _results(pieces: Sequence[str]) -> Iterator[Result]:
    for piece in pieces:
        found = _METHOD.match(piece)
        if found is not None:
            properties: dict[str, str] = {}
            for kind, name, value in _PROPERTY.findall(piece, found.end()):
                properties.setdefault(f"{kind}.{name}", value)
            yield Result(found[1], found[2], properties)


def _pieces(text: str) -> list[str]:
    """What stands between the semicolons, without comments (they nest) and quotes."""
    pieces: list[list[str]] = [[]]
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[2] == "(":
            depth += 1
        elif token[2] == ")":
            depth = max(0, depth - 1)
        elif depth:
            continue
        elif token[2] == ";":
            pieces.append([])
        else:
            pieces[-1].append(token[1].replace(" ", "") if token[1] is not None else token[0])
    return ["".join(piece) for piece in pieces]
