"""Host names: their normal form, and their addresses through the resolver that the operator chose."""

import ipaddress
from pathlib import Path

import dns.exception
import dns.nameserver
import dns.resolver
import idna

from soinbox_web.clock import Clock
from soinbox_web.model.public_address import IPAddress, literal_address
from soinbox_web.problems import NetworkError, Problem

DNS_LIFETIME = 3.0  # seconds for one look-up, retries included
_HOSTS_FILE = Path("/etc/hosts")


def make_resolver(servers: tuple[tuple[str, int], ...], lifetime: float) -> dns.resolver.Resolver:
    """A DNS resolver that asks `servers`, else the machine's own; NetworkError dns_failure."""
    try:
        resolver = dns.resolver.Resolver(configure=not servers)
    except dns.exception.DNSException as error:
        raise _unknown("dns_failure", "", "no resolver") from error
    if servers:
        resolver.nameservers = [dns.nameserver.Do53Nameserver(ip, port) for ip, port in servers]
    resolver.search = []
    resolver.lifetime = lifetime
    resolver.timeout = min(1.5, lifetime)
    resolver.use_edns(0, 0, 1232)
    return resolver


def host_name(host: str) -> str:
    """`host` in lower-case A-labels without its final dot; NetworkError host_missing when it is no name."""
    bare = host.strip().rstrip(".").lower()
    try:
        if ":" in bare or (bare.isascii() and all(c.isalnum() or c in "-_." for c in bare)):
            name = bare.removeprefix("[").removesuffix("]")
        else:
            name = idna.encode(bare, uts46=True, std3_rules=True).decode().lower()
    except UnicodeError as error:
        raise _unknown("host_missing", bare[:100]) from error
    if ":" not in name and (len(name) > 253 or not all(0 < len(part) < 64 for part in name.split("."))):
        raise _unknown("host_missing", bare[:100])
    if ":" in name and literal_address(name) is None:
        raise _unknown("host_missing", bare[:100])
    return name


def resolve(
    host: str, servers: tuple[tuple[str, int], ...], clock: Clock, lifetime: float = DNS_LIFETIME
) -> tuple[IPAddress, ...]:
    """The addresses of `host`, not yet judged; NetworkError dns_failure or host_missing."""
    name = host_name(host)
    literal = literal_address(name)
    if literal is not None:
        return (literal,)
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3
        return (ipaddress.IPv6Address("::1"), ipaddress.IPv4Address("127.0.0.1"))
    if not servers and (known := _from_hosts_file(name)):
        return known
    return _ask(name, make_resolver(servers, lifetime), clock, lifetime)


def dns_evidence(error: dns.exception.DNSException) -> str:
    """What went wrong, without the addresses of the operator's name servers."""
    return "SERVFAIL" if isinstance(error, dns.resolver.NoNameservers) else "time-out"


def _ask(name: str, resolver: dns.resolver.Resolver, clock: Clock, lifetime: float) -> tuple[IPAddress, ...]:
    until = clock.monotonic() + lifetime
    found: list[IPAddress] = []
    failure: dns.exception.DNSException | None = None
    for kind in ("A", "AAAA"):
        left = until - clock.monotonic()
        try:
            answer = resolver.resolve(f"{name}.", kind, lifetime=max(0.1, min(left, 1.0) if found else left))
            found += [ipaddress.ip_address(record.address) for record in answer]
        except dns.resolver.NXDOMAIN as error:
            raise _unknown("host_missing", name) from error
        except dns.resolver.NoAnswer:
            continue
        except dns.exception.DNSException as error:
            failure = error
    if not found and failure is not None:
        raise _unknown("dns_failure", name, dns_evidence(failure)) from failure
    if not found:
        raise _unknown("host_missing", name)
    return tuple(found)


def _from_hosts_file(name: str) -> tuple[IPAddress, ...]:
    """Addresses of `name` in the machine's own hosts file."""
    try:
        lines = _HOSTS_FILE.read_text(errors="replace").splitlines()
    except OSError:
        return ()
    rows = [line.partition("#")[0].lower().split() for line in lines]
    found = [literal_address(row[0]) for row in rows if name in row[1:]]
    return tuple(address for address in found if address is not None)


def _unknown(code: str, host: str, evidence: str = "") -> NetworkError:
    return NetworkError(Problem(code, stage="lookup", evidence=evidence, facts={"host": host}))
