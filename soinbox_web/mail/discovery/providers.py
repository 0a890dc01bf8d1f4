"""The table of mail providers: by domain, by MX host, by key; and what their app passwords look like."""

import re
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, get_args

from soinbox_web.model.provider import PasswordShape, Provider
from soinbox_web.model.server import Candidate, Policy, Protocol, Security, Source

TABLE = Path(__file__).with_name("providers.toml")
TABLE_SCORE = 100
MX_SCORE = 50

_SERVER = re.compile(r"(?P<host>[a-z0-9.{}-]+):(?P<port>\d{1,5}) (?P<security>ssl|starttls|none)")
_LEARNT = re.compile(
    r"(ispdb|provider-db|fairemail|mailspring|nodemailer|code):\S.*|page:https://\S+|emailengine|setup\.md|unverified"
)
_BLANKS = re.compile(r"[\s\u00a0\u2007\u200b\u202f\u2060\ufeff]+")
_SHAPES: dict[str, re.Pattern[str]] = {
    "google16": re.compile(r"[a-z]{16}"),
    "letters16": re.compile(r"[a-z]{16}"),
    "apple4x4": re.compile(r"[a-z]{4}-[a-z]{4}-[a-z]{4}-[a-z]{4}"),
}


def provider_of(domain: str) -> Provider | None:
    """The family that runs mail for `domain` (A-labels), by the domain alone; no network."""
    domain = domain.lower()
    exact, below = _by_domain()
    provider = exact.get(domain) or next((found for end, found in below if domain.endswith(f".{end}")), None)
    return provider and _filled(provider, domain)


def by_mx(host: str) -> Provider | None:
    """The family that the MX host belongs to, by the longest pattern; its candidates' source is `mx`."""
    host = host.lower().rstrip(".")
    for end, provider in _by_mx():
        if host == end.lstrip("!") or host.endswith(f".{end.lstrip('!')}"):
            return (
                None
                if end.startswith("!")
                else replace(
                    provider,
                    candidates=tuple(
                        replace(candidate, source="mx", score=MX_SCORE) for candidate in provider.candidates
                    ),
                )
            )
    return None


def by_key(key: str) -> Provider | None:
    return next((provider for provider in all_providers() if provider.key == key), None)


def by_host(host: str) -> Provider | None:
    """The family whose server this is; for hosts that were typed by hand."""
    host = host.lower()
    return next((p for p in all_providers() if any(c.host == host for c in p.candidates)), None)


def is_known_host(host: str) -> bool:
    """True for a server host that the table itself names."""
    return host.lower() in _hosts()


def clean_password(provider: Provider | None, secret: str) -> str:
    """`secret` without the blanks that people paste along with an app password, where that makes it one."""
    if provider is None or not provider.password_shape:
        return secret
    bare = _BLANKS.sub("", secret)
    return bare if _SHAPES[provider.password_shape].fullmatch(bare) else secret


def password_fits(provider: Provider | None, secret: str) -> bool:
    """False when `secret` cannot be the app password that the provider asks for."""
    if provider is None or not provider.password_shape or "app_password" not in provider.policies[:1]:
        return True
    return bool(_SHAPES[provider.password_shape].fullmatch(clean_password(provider, secret)))


@cache
def all_providers() -> tuple[Provider, ...]:
    """The whole table; raises ValueError naming the entry that is wrong."""
    with TABLE.open("rb") as file:
        return tuple(read_provider(entry) for entry in tomllib.load(file)["provider"])


def read_provider(entry: dict[str, Any]) -> Provider:
    """One entry of the table; raises ValueError when it breaks the rules at the top of the file."""
    key = entry.get("key", "")
    try:
        rest = dict(entry)
        username = {p: rest.pop(f"{p}_username", "address") for p in ("imap", "smtp")}
        auth = tuple(rest.pop("auth", ("password",)))
        servers: list[Candidate] = []
        for protocol in get_args(Protocol):
            servers += [_server(protocol, text, username[protocol], auth) for text in rest.pop(protocol, ())]
        sources = {fact: tuple(learnt) for fact, learnt in rest.pop("sources", {}).items()}
        facts: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in rest.items()}
        provider = Provider(**{"domains": (), "mx": (), **facts}, candidates=tuple(servers), sources=sources)
    except (TypeError, AttributeError) as error:
        raise ValueError(f"{key}: {error}") from error
    if not set(provider.policies) <= set(get_args(Policy)):
        raise ValueError(f"{key}: unknown policy")
    if provider.password_shape not in get_args(PasswordShape):
        raise ValueError(f"{key}: unknown password shape")
    _check_sources(provider)
    return provider


def _check_sources(provider: Provider) -> None:
    """ValueError unless just the facts that are told have sources, each of a known kind."""
    told = {
        "domains": provider.domains,
        "mx": provider.mx,
        "servers": provider.candidates,
        "policies": provider.policies != ("password",),
        "password_shape": provider.password_shape,
        "help_url": provider.help_url,
        "files_sent_copy": provider.files_sent_copy != "unknown",
    }
    if {fact for fact, value in told.items() if value} != {
        f for f, learnt in provider.sources.items() if learnt
    }:
        raise ValueError(f"{provider.key}: sources do not fit the facts")
    for source in (source for learnt in provider.sources.values() for source in learnt):
        if not _LEARNT.fullmatch(source):
            raise ValueError(f"{provider.key}: not a source: {source}")


def _server(protocol: Protocol, text: str, username: str, auth: tuple[str, ...]) -> Candidate:
    match = _SERVER.fullmatch(text)
    if match is None or not 0 < int(match["port"]) < 65536:
        raise ValueError(f"not a server: {text}")
    security: Security = match["security"]  # type: ignore[assignment]  # the pattern names just these
    source: Source = "table"
    return Candidate(
        protocol, match["host"], int(match["port"]), security, username, auth, source, True, TABLE_SCORE
    )


def _filled(provider: Provider, domain: str) -> Provider:
    candidates = tuple(replace(c, host=c.host.replace("{domain}", domain)) for c in provider.candidates)
    return replace(provider, candidates=candidates)


@cache
def _by_domain() -> tuple[dict[str, Provider], list[tuple[str, Provider]]]:
    exact: dict[str, Provider] = {}
    below: list[tuple[str, Provider]] = []
    for provider in all_providers():
        for domain in provider.domains:
            if domain.startswith("*."):
                below.append((domain[2:], provider))
            else:
                exact[domain] = provider
    return exact, sorted(below, key=lambda pair: -len(pair[0]))


@cache
def _by_mx() -> list[tuple[str, Provider]]:
    pairs = [(end, provider) for provider in all_providers() for end in provider.mx]
    return sorted(pairs, key=lambda pair: -len(pair[0]))


@cache
def _hosts() -> frozenset[str]:
    return frozenset(c.host for provider in all_providers() for c in provider.candidates)
