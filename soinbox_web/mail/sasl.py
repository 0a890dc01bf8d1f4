"""SASL for passwords and tokens: what goes over the line, and what a refused token's challenge says.

Every function gives base64 without line ends, as IMAP's AUTHENTICATE and SMTP's AUTH want it.
"""

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Mechanism = Literal["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"]
TOKEN_MECHANISMS = frozenset({"XOAUTH2", "OAUTHBEARER"})


@dataclass(frozen=True, slots=True)
class Challenge:
    """Why a token was refused (RFC 7628 section 3.2.2): `status` is "401", "invalid_token", … or ""."""

    status: str = ""
    scope: str = ""
    schemes: str = ""

    @property
    def too_narrow(self) -> bool:
        """The token is a good one, but was given for other things (RFC 6750 section 3.1)."""
        return self.status in ("insufficient_scope", "403")


def plain(username: str, secret: str) -> bytes:
    """PLAIN (RFC 4616), in UTF-8."""
    return base64.b64encode(f"\0{username}\0{secret}".encode())


def login_step(word: str) -> bytes:
    """One answer of SMTP's LOGIN."""
    return base64.b64encode(word.encode())


def bearer(mechanism: Mechanism, username: str, token: str, host: str, port: int) -> bytes:
    """OAUTHBEARER (RFC 7628) or Google's older XOAUTH2."""
    if mechanism == "OAUTHBEARER":
        name = username.replace("=", "=3D").replace(",", "=2C")
        text = f"n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01"
    else:
        text = f"user={username}\x01auth=Bearer {token}\x01\x01"
    return base64.b64encode(text.encode())


def challenge(data: bytes) -> Challenge:
    """The JSON in a base64 challenge; an empty Challenge when it cannot be read."""
    try:
        found = json.loads(base64.b64decode(data[:8192], validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return Challenge()
    if not isinstance(found, dict):
        return Challenge()
    return Challenge(*(str(found.get(key, ""))[:200] for key in ("status", "scope", "schemes")))


def token_mechanism(offered: Iterable[str]) -> Mechanism | None:
    """The mechanism for a token among those offered (capitals), the standard one first."""
    offered = set(offered)
    if "OAUTHBEARER" in offered:
        return "OAUTHBEARER"
    return "XOAUTH2" if "XOAUTH2" in offered else None
