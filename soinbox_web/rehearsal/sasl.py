"""The server's side of SASL: what a client's response says."""

import base64
import binascii
import re

TOKEN_MECHANISMS = frozenset({"XOAUTH2", "OAUTHBEARER"})

_BEARER = re.compile(r"auth=Bearer ([^\x01]*)")
_USER = re.compile(r"(?:^|\x01)user=([^\x01]*)|^n,a=([^,]*),")


def decoded(response: bytes) -> str:
    """The text of a base64 response; damaged base64 gives an empty text."""
    try:
        return base64.b64decode(response).decode("utf-8", "replace")
    except binascii.Error:
        return ""


def plain(response: bytes) -> tuple[str, str]:
    """User name and secret of a PLAIN response (RFC 4616)."""
    _, username, secret = [*decoded(response).split("\0"), "", "", ""][:3]
    return username, secret


def bearer(response: bytes) -> tuple[str, str]:
    """User name and token of an XOAUTH2 or OAUTHBEARER (RFC 7628) response."""
    text = decoded(response)
    user, token = _USER.search(text), _BEARER.search(text)
    return (user[1] or user[2] or "") if user else "", token[1] if token else ""
