"""From an address to the servers of its mailbox: the table, what is published, and last of all probes."""

from collections.abc import Callable
from dataclasses import replace

from soinbox_web.mail.discovery import providers, sources
from soinbox_web.mail.discovery.detective import Detective
from soinbox_web.mail.discovery.sources import DiscoveryCache, Search
from soinbox_web.mail.discovery.verdict import detection, no_server, refuse_without_imap
from soinbox_web.mail.net.network import Network
from soinbox_web.model.address import Address
from soinbox_web.model.provider import Detection
from soinbox_web.model.stage import Stage

__all__ = ["DiscoveryCache", "find"]


def find(
    address: Address,
    network: Network,
    *,
    progress: Callable[[Stage], None],
    cancelled: Callable[[], bool],
    offline: bool = False,
    cache: DiscoveryCache | None = None,
) -> Detection:
    """The servers for `address`, within 10 s; at once for a domain of the table.

    `progress` hears each source begin (ok None) and end, from this thread. Raises DiscoveryError
    domain_missing, address_typo, domain_no_mail, provider_no_imap, provider_pop_only, nothing_found (facts:
    `domain`, `provider`, `provider_key`), NetworkError dns_failure; Cancelled.
    """
    begin = network.clock.monotonic()
    search = Search(address, network, cancelled, cache)
    own = sources.operator(search, network.settings.autoconfig_dir)
    provider = providers.provider_of(address.domain)
    if own is not None and own.has("imap"):
        progress(Stage("detection", "lookup", True, 0, "operator"))
        found = detection(own.candidates)
    elif provider is not None:
        progress(Stage("detection", "lookup", True, 0, "table"))
        refuse_without_imap(provider, address.domain)
        found = Detection(provider, provider.candidates, provider.policies)
    elif offline:
        raise no_server(address, "nothing_found", takes_mail=True)
    else:
        found = Detective(search, progress).find()
    return replace(found, seconds=round(network.clock.monotonic() - begin, 3))
