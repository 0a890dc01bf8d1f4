"""The published sources of setup, each a function that answers or gives None, never an error."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from soinbox_web.mail.discovery import dns
from soinbox_web.mail.discovery.domains import registrable, same_owner
from soinbox_web.mail.discovery.providers import by_mx
from soinbox_web.mail.discovery.published import (
    MAX_BYTES,
    Published,
    covers_domain,
    ranked,
    read_autoconfig,
    read_pacc,
)
from soinbox_web.mail.net.network import Network
from soinbox_web.model.address import Address
from soinbox_web.model.server import Source
from soinbox_web.problems import SoinboxError

REQUEST_SECONDS = 3.0
MAX_FILES = 2000  # of the operator's directory
_CONFIG = "mail/config-v1.1.xml"


class DiscoveryCache(Protocol):
    """Remembered answers of the ISPDB; a known miss is (True, None)."""

    def get(self, source: str, domain: str) -> tuple[bool, str | None]: ...

    def put(self, source: str, domain: str, answer: str | None) -> None: ...


@dataclass(frozen=True, slots=True)
class Search:
    """What every source is given."""

    address: Address
    network: Network
    cancelled: Callable[[], bool]
    cache: DiscoveryCache | None = None

    @property
    def domain(self) -> str:
        return self.address.domain

    def get(self, url: str) -> bytes | None:
        """The body of a page that is there; None for everything else."""
        try:
            status, body, _ = self.network.http_get(url, timeout=REQUEST_SECONDS, cancelled=self.cancelled)
        except SoinboxError:
            return None
        return body if status == 200 else None

    def autoconfig(self, url: str, source: Source, trusted: bool | None = None) -> Published | None:
        body = self.get(url)
        return self.read(body, source, trusted) if body else None

    def read(self, xml: bytes, source: Source, trusted: bool | None = None) -> Published | None:
        found = read_autoconfig(xml, self.address)
        if found is None or not (found.candidates or found.pop_only):
            return None
        return Published(ranked(found.candidates, source, self.domain, trusted=trusted), found.pop_only)


def operator(search: Search, folder: Path | None) -> Published | None:
    """The operator's own autoconfig files: `<domain>.xml`, or any that lists the domain."""
    if folder is None or not folder.is_dir():
        return None
    for path in (folder / f"{search.domain}.xml", folder / search.domain):
        if path.is_file():
            return search.read(_small(path), "operator")
    for path in sorted(folder.iterdir())[:MAX_FILES]:
        if path.is_file() and covers_domain(xml := _small(path), search.domain):
            return search.read(xml, "operator")
    return None


def pacc(search: Search) -> Published | None:
    """The PACC document, believed only when its SHA-256 stands in DNS."""
    digests = dns.pacc_digests(search.network, search.domain)
    if not digests:
        return None
    body = search.get(f"https://ua-auto-config.{search.domain}/.well-known/user-agent-configuration.json")
    if body is None or hashlib.sha256(body).digest() not in digests:
        return None
    found = read_pacc(body)
    return found and Published(ranked(found.candidates, "pacc", search.domain), found.pop_only)


def autoconfig(search: Search) -> Published | None:
    address = quote(search.address.full)
    url = f"https://autoconfig.{search.domain}/{_CONFIG}?emailaddress={address}"
    return search.autoconfig(url, "autoconfig")


def well_known(search: Search) -> Published | None:
    return search.autoconfig(f"https://{search.domain}/.well-known/autoconfig/{_CONFIG}", "autoconfig")


def http_autoconfig(search: Search) -> Published | None:
    """Over plain http anybody on the way may have written it: never trusted."""
    for url in (
        f"http://autoconfig.{search.domain}/{_CONFIG}",
        f"http://{search.domain}/.well-known/autoconfig/{_CONFIG}",
    ):
        if found := search.autoconfig(url, "http", trusted=False):
            return found
    return None


def ispdb(search: Search, domain: str, source: Source = "ispdb") -> Published | None:
    """The ISPDB's entry for `domain`, which is all it is told; from the cache where it is known."""
    base = search.network.settings.ispdb_url
    if not base:
        return None
    known, answer = search.cache.get("ispdb", domain) if search.cache else (False, None)
    if not known:
        try:
            status, body, _ = search.network.http_get(
                f"{base.rstrip('/')}/{domain}", timeout=REQUEST_SECONDS, cancelled=search.cancelled
            )
        except SoinboxError:
            return None
        answer = body.decode("utf-8", "replace") if status == 200 else None
        if search.cache and status in (200, 404):
            search.cache.put("ispdb", domain, answer)
    return search.read(answer.encode()[:MAX_BYTES], source, trusted=True) if answer else None


def srv(search: Search) -> Published | None:
    found = dns.services(search.network, search.domain)
    return found and Published(ranked(found.candidates, "srv", search.domain), no_imap=found.no_imap)


def by_mail_exchanger(search: Search, hosts: tuple[str, ...]) -> Published | None:
    """Who runs the MX hosts: our own patterns, then the ISPDB, then what the hoster publishes by https."""
    for host in hosts:
        if provider := by_mx(host):
            kinds = provider.policies[:1]
            return Published(
                provider.candidates, "pop_only" in kinds, bool({"no_imap", "bridge"} & set(kinds))
            )
    owners = dict.fromkeys(registrable(host) for host in hosts if not same_owner(host, search.domain))
    for owner in list(owners)[:2]:
        if found := ispdb(search, owner, "mx"):
            return found
    for name in list(dict.fromkeys([*(h.partition(".")[2] for h in hosts), *owners]))[:3]:
        if registrable(name) in owners and (
            found := search.autoconfig(f"https://autoconfig.{name}/{_CONFIG}", "mx")
        ):
            return found
    return None


def _small(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)
