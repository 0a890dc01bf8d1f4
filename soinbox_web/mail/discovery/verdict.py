"""What all that was found amounts to: ranked servers, the provider and its policy, or why there are none."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from soinbox_web.mail.discovery.providers import by_host, by_mx
from soinbox_web.model.address import Address, suggestion
from soinbox_web.model.provider import Detection, Provider
from soinbox_web.model.server import Candidate, Policy
from soinbox_web.problems import DiscoveryError, NetworkError, Problem

_KNOWS_POLICY = ("operator", "pacc", "autoconfig", "ispdb")


def detection(candidates: Iterable[Candidate], mx_hosts: Iterable[str] = ()) -> Detection:
    """The candidates, IMAP before SMTP and best first; the provider is whose servers won."""
    unique = {(c.protocol, c.endpoint): c for c in sorted(candidates, key=lambda c: c.score)}
    ordered = sorted(unique.values(), key=lambda c: (c.protocol, -c.score))
    found = Detection(None, tuple(ordered))
    provider = _owner(found.best("imap") or found.best("smtp"), mx_hosts)
    best = [c for c in (found.best("imap"), found.best("smtp")) if c is not None]
    return replace(
        found,
        provider=provider,
        policies=provider.policies if provider else _policies(found),
        needs_consent=tuple(dict.fromkeys(c.host for c in best if not c.trusted)),
    )


def _owner(winner: Candidate | None, mx_hosts: Iterable[str]) -> Provider | None:
    """The family of the winning host; where families share it, the one that the MX hosts name."""
    if winner is None:
        return None
    for host in mx_hosts:
        provider = by_mx(host)
        if provider and any(c.host == winner.host for c in provider.candidates):
            return provider
    return by_host(winner.host)


def _policies(found: Detection) -> tuple[Policy, ...]:
    """What the source itself says of passwords."""
    imap = [c for c in found.candidates if c.protocol == "imap"]
    if imap and all(c.auth == ("oauth2",) for c in imap):
        return ("oauth_only",)
    return ("password",) if imap and imap[0].source in _KNOWS_POLICY else ("unknown",)


def refuse_without_imap(provider: Provider, domain: str) -> None:
    """Raises DiscoveryError provider_pop_only or provider_no_imap for a family that cannot be read."""
    first = provider.policies[0]
    if first == "pop_only":
        raise no_imap("provider_pop_only", domain, provider)
    if first in ("no_imap", "bridge"):
        raise no_imap("provider_no_imap", domain, provider)


def no_imap(code: str, domain: str, provider: Provider | None) -> DiscoveryError:
    facts = {"domain": domain, "provider": provider.name if provider else domain}
    if provider is not None:
        facts["provider_key"] = provider.key
    help_url = provider.help_url if provider else ""
    return DiscoveryError(_problem(code, facts).at(help_url=help_url, field="address"))


Silent = Literal["domain_missing", "domain_no_mail", "nothing_found"]


def no_server(address: Address, code: Silent, *, takes_mail: bool = False) -> DiscoveryError:
    """No mail server answers for the domain: perhaps it is a slip of a big one that somebody parked.

    `takes_mail`: it has MX hosts of its own, so it is no slip, whatever it looks like.
    """
    meant = None if takes_mail else suggestion(address.domain)
    facts = {"domain": address.domain_unicode, "suggestion": meant or ""}
    found = _problem("address_typo" if meant else code, facts)
    return DiscoveryError(found if found.code == "nothing_found" else found.at(field="address"))


def dns_failed(domain: str, evidence: str) -> NetworkError:
    return NetworkError(_problem("dns_failure", {"host": domain}).at(evidence=evidence))


def _problem(code: str, facts: dict[str, str]) -> Problem:
    return Problem(code, side="detection", stage="lookup", facts=facts)
