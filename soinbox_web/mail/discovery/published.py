"""What one source says about an address, and the readers of its two formats: autoconfig XML and PACC JSON."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from soinbox_web.mail.discovery.domains import same_owner
from soinbox_web.mail.discovery.providers import is_known_host
from soinbox_web.mail.net.host_names import host_name
from soinbox_web.model.address import Address
from soinbox_web.model.public_address import literal_address
from soinbox_web.model.server import Candidate, Protocol, Security, Source
from soinbox_web.problems import NetworkError

SCORES: dict[Source, int] = {
    "operator": 110, "pacc": 95, "autoconfig": 80, "ispdb": 75,
    "srv": 60, "mx": 50, "probe": 30, "http": 10,
}  # fmt: skip
DOUBTFUL = 20  # a server that SRV records name and whose certificate does not fit
TRUSTED: frozenset[Source] = frozenset({"operator", "table", "pacc", "ispdb"})
MAX_BYTES = 256_000
MAX_SERVERS = 10  # read of one file

_SECURITY: dict[str, Security] = {"SSL": "ssl", "STARTTLS": "starttls"}
_PASSWORD = {"password-cleartext", "plain", "password-encrypted", "secure"}
_IMPLICIT_TLS: tuple[tuple[Protocol, int], ...] = (("imap", 993), ("smtp", 465))
_PLACEHOLDER = re.compile(r"%([A-Z]+)%")


@dataclass(frozen=True, slots=True)
class Published:
    """Servers that a source names; `pop_only` and `no_imap` when it says that there is no IMAP.

    `doubtful` are named as well, but did not prove who they are: any other source's servers come first.
    """

    candidates: tuple[Candidate, ...] = ()
    pop_only: bool = False
    no_imap: bool = False
    doubtful: tuple[Candidate, ...] = ()

    def has(self, protocol: Protocol) -> bool:
        return any(candidate.protocol == protocol for candidate in self.candidates)


def ranked(
    candidates: Iterable[Candidate], source: Source, domain: str, *, trusted: bool | None = None
) -> tuple[Candidate, ...]:
    """The candidates with the source's score; trusted as the source, or as the domain's own or known host."""

    def trust(host: str) -> bool:
        if trusted is not None:
            return trusted or is_known_host(host)
        return source in TRUSTED or same_owner(host, domain) or is_known_host(host)

    return tuple(replace(c, source=source, score=SCORES[source], trusted=trust(c.host)) for c in candidates)


def read_autoconfig(xml: bytes, address: Address) -> Published | None:
    """The servers of an autoconfig file (draft-ietf-mailmaint-autoconfig); None when it is not one.

    Servers without TLS, with a broken name or an unknown placeholder are passed over.
    """
    try:
        root = fromstring(xml[: MAX_BYTES + 1], forbid_dtd=True) if len(xml) <= MAX_BYTES else None
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return None
    if root is None or root.tag != "clientConfig":
        return None
    incoming = root.findall("./emailProvider/incomingServer")
    outgoing = root.findall("./emailProvider/outgoingServer")
    imap = [s for s in incoming if s.get("type") == "imap"]
    smtp = [s for s in outgoing if s.get("type") == "smtp"]
    found = [_server("imap", s, address) for s in imap[:MAX_SERVERS]]
    found += [_server("smtp", s, address) for s in smtp[:MAX_SERVERS]]
    pop_only = not imap and any(s.get("type") == "pop3" for s in incoming)
    return Published(tuple(candidate for candidate in found if candidate), pop_only)


def covers_domain(xml: bytes, domain: str) -> bool:
    """True when the autoconfig file lists `domain` among its own."""
    try:
        root = fromstring(xml, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return False
    return any((e.text or "").strip().lower() == domain for e in root.findall("./emailProvider/domain"))


def read_pacc(body: bytes) -> Published | None:
    """The servers of a PACC document (draft-ietf-mailmaint-pacc), all with implicit TLS; None when broken."""
    try:
        document: Any = json.loads(body)
        protocols: Any = document["protocols"]
        methods: Any = dict(document.get("authentication", {}))
        hosts = {name: protocols[name]["host"] for name in ("imap", "smtp") if name in protocols}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    ways = [way for way, name in (("oauth2", "oauth-public"), ("password", "password")) if methods.get(name)]
    auth = tuple(ways) or ("password",)
    found = [
        Candidate(protocol, host, port, "ssl", "address", auth)
        for protocol, port in _IMPLICIT_TLS
        if (host := server_name(hosts.get(protocol))) is not None
    ]
    return Published(tuple(found), pop_only="pop3" in protocols and "imap" not in protocols)


def server_name(text: object) -> str | None:
    """A host name in A-labels; None when `text` is none, or an IP address."""
    if not isinstance(text, str) or len(text) > 253:
        return None
    try:
        name = host_name(text)
    except NetworkError:
        return None
    return name if "." in name and literal_address(name) is None else None


def _server(protocol: Protocol, server: Element, address: Address) -> Candidate | None:
    host = _filled(server.findtext("hostname"), address)
    name = server_name(host)
    port = (server.findtext("port") or "").strip()
    security = _SECURITY.get((server.findtext("socketType") or "").strip().upper())
    username = _username(server.findtext("username"), address)
    methods = [(e.text or "").strip() for e in server.findall("authentication")]
    auth = tuple(dict.fromkeys(_method(method) for method in methods if _method(method))) or (
        () if methods else ("password",)
    )
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 0
    if name is None or security is None or username is None or not auth or not 0 < number < 65536:
        return None
    return Candidate(protocol, name, number, security, username, auth)


def _method(text: str) -> str:
    """Our word for a method; password-encrypted is PLAIN, since that is sent inside TLS only."""
    return "password" if text.lower() in _PASSWORD else "oauth2" if text.lower() == "oauth2" else ""


def _username(text: str | None, address: Address) -> str | None:
    bare = (text or "%EMAILADDRESS%").strip()
    if bare == "%EMAILADDRESS%":
        return "address"
    if bare == "%EMAILLOCALPART%":
        return "local"
    filled = _filled(bare, address)
    if filled is None or len(filled) > 320 or any(ord(c) < 32 for c in filled):
        return None
    return "address" if filled == address.full else filled


def _filled(text: str | None, address: Address) -> str | None:
    """`text` with its placeholders replaced; None when one is unknown or not closed."""
    values = {
        "EMAILADDRESS": address.full,
        "EMAILLOCALPART": address.local,
        "EMAILDOMAIN": address.domain,
    }
    parts = _PLACEHOLDER.split((text or "").strip())
    if any(name not in values for name in parts[1::2]) or any("%" in part for part in parts[::2]):
        return None
    return "".join(values[part] if place % 2 else part for place, part in enumerate(parts))
