"""Compare the provider table with a directory of autoconfig XML files: `python -m ….compare DIR`."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from soinbox_web.mail.discovery.providers import is_known_host, provider_of
from soinbox_web.mail.discovery.published import Published, read_autoconfig
from soinbox_web.model.address import Address
from soinbox_web.model.provider import Provider
from soinbox_web.model.server import Candidate, Protocol

IMAP, POP_ONLY = "IMAP", "POP only"


@dataclass
class Comparison:
    """Domains by kind of file (`kinds`), those of them that the table knows, and where they disagree.

    `known` has the domains themselves in the table; `family` has the table's servers, whatever the domain.
    """

    kinds: dict[str, set[str]] = field(default_factory=lambda: {IMAP: set(), POP_ONLY: set()})
    known: dict[str, set[str]] = field(default_factory=lambda: {IMAP: set(), POP_ONLY: set()})
    family: set[str] = field(default_factory=set)
    unreadable: list[str] = field(default_factory=list)
    disagreements: dict[str, list[str]] = field(default_factory=dict)  # what differs, the domains

    def coverage(self, kind: str) -> float:
        """The share of the domains of that kind that the table knows; 0 to 1."""
        return len(self.known[kind]) / max(1, len(self.kinds[kind]))

    def lines(self) -> Iterator[str]:
        for kind, domains in self.kinds.items():
            known = f"{len(self.known[kind])} of {len(domains)} domains known"
            yield f"{kind}: {known}, {self.coverage(kind):.1%}"
        share = len(self.family) / max(1, len(self.kinds[IMAP]))
        yield f"{IMAP}: {len(self.family)} domains at servers of a known family, {share:.1%}"
        yield f"disagreements: {len(self.disagreements)}"
        for what, where in sorted(self.disagreements.items()):
            more = f" and {len(where) - 3} more" if len(where) > 3 else ""
            yield f"  {what}  [{', '.join(where[:3])}{more}]"
        for name in self.unreadable:
            yield f"  {name}: not read"


def compare(folder: Path) -> Comparison:
    """Compare the table with every file of `folder`; a file that is no autoconfig is listed as unreadable."""
    result = Comparison()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        xml = path.read_bytes()
        domains = _domains(xml)
        if not domains:
            result.unreadable.append(path.name)
        for domain in domains:
            address = Address("jan", domain)
            published = read_autoconfig(xml, address) or Published()
            _count(result, address, published, path.name)
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Print coverage and disagreements; 2 when there is no such directory."""
    words = sys.argv[1:] if arguments is None else arguments
    if len(words) != 1 or not Path(words[0]).is_dir():
        print("usage: python -m soinbox_web.mail.discovery.compare DIR", file=sys.stderr)
        return 2
    for line in compare(Path(words[0])).lines():
        print(line)
    return 0


def _count(result: Comparison, address: Address, published: Published, name: str) -> None:
    kind = POP_ONLY if published.pop_only else IMAP
    result.kinds[kind].add(address.domain)
    provider = provider_of(address.domain)
    if kind == IMAP and (provider or any(is_known_host(c.host) for c in published.candidates)):
        result.family.add(address.domain)
    if provider is None:
        return
    result.known[kind].add(address.domain)
    for what in _differences(provider, published):
        result.disagreements.setdefault(f"{provider.key} / {name}: {what}", []).append(address.domain)


def _differences(provider: Provider, published: Published) -> Iterator[str]:
    pop_only = "pop_only" in provider.policies
    if pop_only != published.pop_only:
        yield f"the table says {POP_ONLY if pop_only else IMAP}, the file does not"
        return
    protocol: Protocol
    for protocol in get_args(Protocol):
        ours = [c for c in provider.candidates if c.protocol == protocol]
        theirs = [c for c in published.candidates if c.protocol == protocol]
        if ours and theirs and _told(ours[0]) not in map(_told, theirs):
            yield f"{protocol} {_told(ours[0])}, the file {' or '.join(map(_told, theirs))}"


def _told(candidate: Candidate) -> str:
    return f"{candidate.host}:{candidate.port} {candidate.security} {candidate.username}"


def _domains(xml: bytes) -> list[str]:
    try:
        root = fromstring(xml, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return []
    return [(e.text or "").strip().lower() for e in root.findall("./emailProvider/domain")]


if __name__ == "__main__":
    sys.exit(main())
