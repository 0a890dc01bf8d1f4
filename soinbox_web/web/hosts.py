"""Which names this instance goes by: a page of another name (DNS rebinding) is not answered."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from soinbox_web.settings import Settings

USUAL = {"http": 80, "https": 443}


def is_ours(settings: Settings, host: str) -> bool:
    """Whether a Host header names the public URL; without one, this machine or any bare address.

    Rebinding needs a name of the attacker's: a bare address cannot be one.
    """
    asked = _parts(host)
    if asked is None:
        return False
    if settings.public_url:
        public = urlsplit(settings.public_url)
        port = public.port or USUAL[public.scheme]
        return asked[0] == public.hostname and asked[1] in (None, port)  # proxies may leave the port out
    return asked[0] in ("localhost", settings.host.lower()) or _address(asked[0]) is not None


def name(host: str) -> str:
    """The name in a Host header, "" when it cannot be read."""
    asked = _parts(host)
    return asked[0] if asked else ""


def is_loopback(text: str) -> bool:
    """Whether this names the machine itself."""
    address = _address(text)
    return text == "localhost" or (address is not None and address.is_loopback)


def _parts(host: str) -> tuple[str, int | None] | None:
    if not host or any(letter in host for letter in "/@?#\\ \t,"):
        return None
    try:
        parts = urlsplit(f"//{host}")
        return ((parts.hostname or "").rstrip("."), parts.port) if parts.hostname else None
    except ValueError:
        return None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
