"""Who asks, read outside Flask: the session's token in the signed cookie, and the network address."""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature

from soinbox_web.runtime import Runtime

SESSION_DAYS = 30


class SessionCookie:
    """Reads the cookie that Flask signs."""

    def __init__(self, runtime: Runtime) -> None:
        app = Flask(__name__)
        app.secret_key = runtime.vault.derive("flask cookie")
        self._signed = SecureCookieSessionInterface().get_signing_serializer(app)
        self._name = "__Host-soinbox" if runtime.settings.secure else "soinbox"

    def token(self, cookie_header: str) -> str:
        """The session token of the signed cookie; "" when there is none that holds."""
        try:
            morsel = SimpleCookie(cookie_header).get(self._name)
        except CookieError:
            return ""
        if morsel is None or self._signed is None:
            return ""
        try:
            session = self._signed.loads(morsel.value, max_age=SESSION_DAYS * 86400)
        except BadSignature:
            return ""
        return str(session.get("_user_id", ""))


def address_group(scope: Mapping[str, Any]) -> str:
    """The client's address as far as one person has it: an IPv6 network of 64 bits counts as one."""
    host = (scope.get("client") or ("", 0))[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else str(address)
