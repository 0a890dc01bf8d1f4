"""The operator's list of hosts that may be private or use unusual ports (SOINBOX_ALLOW_HOSTS)."""

import ipaddress
import re
from dataclasses import dataclass

from soinbox_web.model.public_address import IPAddress, IPNetwork

_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


@dataclass(frozen=True, slots=True)
class AllowEntry:
    """One exemption: a host name or a network, on one port or (None) on all.

    Of mail servers, or (`web`) of the pages that set-up looks up: autoconfig, OAuth.
    """

    target: str | IPNetwork
    port: int | None
    web: bool = False

    def covers(self, host: str, address: IPAddress | None, port: int, web: bool) -> bool:
        if self.web != web or self.port not in (None, port):
            return False
        if isinstance(self.target, str):
            return self.target == host
        return address is not None and address.version == self.target.version and address in self.target


@dataclass(frozen=True, slots=True)
class AllowList:
    """Entries `name`, `name:port`, `cidr`, `cidr:port`; IPv6 with a port is `[cidr]:port`.

    They are mail servers; those with `https://` before them are pages that set-up looks up.
    """

    entries: tuple[AllowEntry, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "AllowList":
        """The list of a comma separated setting; raises ValueError naming the entry that is wrong."""
        return cls(tuple(_entry(part.strip().lower()) for part in text.split(",") if part.strip()))

    def permits(self, host: str, address: IPAddress | None, port: int, *, web: bool = False) -> bool:
        """True when `host` (lower-case A-labels) at `address` may be reached on `port` by an entry."""
        host = host.lower().rstrip(".")
        plain = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return any(entry.covers(host, plain or address, port, web) for entry in self.entries)


def _entry(text: str) -> AllowEntry:
    web, text = text.startswith("https://"), text.removeprefix("https://")
    if text.startswith("["):
        target, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise ValueError(f"not a host, network or host:port: {text}")
        port = rest[1:]
    elif text.count(":") == 1:
        target, _, port = text.partition(":")
    else:
        target, port = text, ""
    number = int(port) if port.isascii() and port.isdigit() else 0
    if (port and not 0 < number < 65536) or (text.endswith(":") and "::" not in text):
        raise ValueError(f"not a port: {text}")
    try:
        return AllowEntry(ipaddress.ip_network(target, strict=False), number or None, web)
    except ValueError:
        if not _NAME.fullmatch(target):
            raise ValueError(f"not a host, network or host:port: {text}") from None
        return AllowEntry(target, number or None, web)
