"""What DNS says of a mail domain: MX, SRV (RFC 6186, RFC 8314) and the digests of PACC."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Literal

import dns.exception
import dns.resolver

from soinbox_web.mail.discovery.published import Published, server_name
from soinbox_web.mail.net.host_names import dns_evidence
from soinbox_web.mail.net.network import Network
from soinbox_web.model.server import Candidate, Protocol, Security
from soinbox_web.problems import NetworkError

MAX_HOSTS = 20  # of one record set
LOOKUP_SECONDS = 3.0

_SERVICES: tuple[tuple[str, Protocol, Security], ...] = (
    ("_imaps._tcp", "imap", "ssl"),
    ("_imap._tcp", "imap", "starttls"),
    ("_submissions._tcp", "smtp", "ssl"),
    ("_submission._tcp", "smtp", "starttls"),
)


@dataclass(frozen=True, slots=True)
class MailDomain:
    """`hosts` are the MX hosts, lowest preference first; `unknown` says that DNS failed, and how."""

    state: Literal["mail", "missing", "no_mail", "unknown"]
    hosts: tuple[str, ...] = ()
    evidence: str = ""


def mail_domain(network: Network, domain: str) -> MailDomain:
    """Whether the domain exists and takes mail: null MX (RFC 7505) and neither MX nor address mean no."""
    try:
        records = _ask(network, domain, "MX")
    except dns.resolver.NXDOMAIN:
        return MailDomain("missing")
    except dns.exception.DNSException as error:
        return MailDomain("unknown", evidence=dns_evidence(error))
    except NetworkError as error:
        return MailDomain("unknown", evidence=error.problem.evidence)
    targets = [r.exchange.to_text(omit_final_dot=True).lower() for r in sorted(records, key=_preference)]
    if targets == [""] or targets == ["."]:
        return MailDomain("no_mail")
    if targets:
        named = [name for name in map(server_name, targets[:MAX_HOSTS]) if name]
        return MailDomain("mail", tuple(dict.fromkeys(named)))
    try:
        has_address = _ask(network, domain, "A") or _ask(network, domain, "AAAA")
    except (dns.exception.DNSException, NetworkError):
        return MailDomain("unknown")
    return MailDomain("mail" if has_address else "no_mail")


def services(network: Network, domain: str) -> Published | None:
    """The servers that SRV records name, best first; a target `.` says that a service is not offered."""
    found: list[Candidate] = []
    refused: set[str] = set()
    for service, protocol, security in _SERVICES:
        try:
            records = _ask(network, f"{service}.{domain}", "SRV")
        except dns.resolver.NXDOMAIN:
            continue
        except (dns.exception.DNSException, NetworkError):
            break
        for record in sorted(records, key=_priority)[:MAX_HOSTS]:
            target = record.target.to_text(omit_final_dot=True).lower()
            name = server_name(target)
            if target in ("", "."):
                refused.add(service)
            elif name is not None:
                found.append(Candidate(protocol, name, record.port, security))
    offered = {candidate.protocol for candidate in found}
    no_imap = "imap" not in offered and {"_imaps._tcp", "_imap._tcp"} <= refused
    return Published(tuple(found), no_imap=no_imap) if found or no_imap else None


def pacc_digests(network: Network, domain: str) -> tuple[bytes, ...]:
    """The SHA-256 digests that the domain publishes for its PACC document; none on any failure."""
    try:
        records = _ask(network, f"_ua-auto-config.{domain}", "TXT")
    except (dns.exception.DNSException, NetworkError):
        return ()
    digests = (_digest(b"".join(record.strings)) for record in records[:MAX_HOSTS])
    return tuple(digest for digest in digests if digest)


def _digest(text: bytes) -> bytes:
    """The value of a record `v=UAAC1; a=sha256; d=<base64>`; b"" when it is another one."""
    pairs = (part.partition("=") for part in text.decode("ascii", "replace").split(";"))
    tags = {name.strip(): value.strip() for name, _, value in pairs}
    if tags.get("v") != "UAAC1" or tags.get("a", "").lower() != "sha256":
        return b""
    try:
        return base64.b64decode(tags.get("d", ""), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _ask(network: Network, name: str, kind: str) -> list[Any]:
    """The records; empty when the name exists without them; raises NXDOMAIN and other DNSExceptions."""
    try:
        return list(network.resolver(LOOKUP_SECONDS).resolve(f"{name}.", kind))
    except dns.resolver.NoAnswer:
        return []
    except (dns.name.LabelTooLong, dns.name.NameTooLong) as error:
        raise dns.resolver.NXDOMAIN from error


def _preference(record: Any) -> int:
    return int(record.preference)


def _priority(record: Any) -> tuple[int, int]:
    return record.priority, -record.weight
