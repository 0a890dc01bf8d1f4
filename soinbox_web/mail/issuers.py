"""The authorisation servers: Google and Microsoft are known, any other tells its addresses itself."""

import json
from urllib.parse import urlsplit

from soinbox_web.mail.discovery import providers
from soinbox_web.mail.net.network import Network
from soinbox_web.model.oauth import Issuer
from soinbox_web.problems import Problem, SignInError
from soinbox_web.settings import OAuthClient, Settings

SECONDS = 8.0
_GOOGLE = "https://accounts.google.com"
_MICROSOFT = "https://login.microsoftonline.com"
# What each asks for to let IMAP and SMTP in (the providers' own pages about OAuth for mail).
_GOOGLE_SCOPES = ("https://mail.google.com/",)
_MICROSOFT_SCOPES = (
    "https://outlook.office.com/IMAP.AccessAsUser.All",
    "https://outlook.office.com/SMTP.Send",
    "offline_access",
)


def client_for(settings: Settings, host: str) -> OAuthClient | None:
    """The operator's client for a mail host: by its list of hosts, else by the provider whose host it is.

    A token goes to these hosts only, whatever a look-up has found.
    """
    listed = next((client for client in settings.oauth_clients if host in client.hosts), None)
    provider = providers.by_host(host)
    if listed is not None or provider is None or not provider.oauth_issuer:
        return listed
    return settings.oauth_client(provider.oauth_issuer)


def issuer_url(client: OAuthClient) -> str:
    """What a stored refresh token is bound to."""
    if client.issuer:
        return client.issuer.rstrip("/")
    if client.name == "google":
        return _GOOGLE
    return f"{_MICROSOFT}/{client.tenant}" if client.name == "microsoft" else ""


def title(client: OAuthClient) -> str:
    """The name people know."""
    known = {"google": "Google", "microsoft": "Microsoft"}.get(client.name)
    return known or urlsplit(client.issuer).hostname or client.name


def issuer_of(client: OAuthClient, network: Network) -> Issuer:
    """The issuer's addresses; a network round trip for one that is not known.

    Raises SignInError oauth_issuer_bad when its discovery document (RFC 8414, OpenID Connect Discovery) is
    not one, and what `Network.http_get` raises.
    """
    url = issuer_url(client)
    if client.name == "google" and not client.issuer:
        return Issuer(
            url, title(client), f"{_GOOGLE}/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token",
            "https://oauth2.googleapis.com/revoke", client.scopes or _GOOGLE_SCOPES,
        )  # fmt: skip
    if client.name == "microsoft" and not client.issuer:
        base = f"{url}/oauth2/v2.0"
        scopes = client.scopes or _MICROSOFT_SCOPES
        return Issuer(url, title(client), f"{base}/authorize", f"{base}/token", "", scopes)
    return _discovered(client, url, network)


def _discovered(client: OAuthClient, url: str, network: Network) -> Issuer:
    if not url.startswith("https://"):
        raise _bad(client, "https://")
    status, body, _ = network.http_get(f"{url}/.well-known/openid-configuration", timeout=SECONDS)
    if status != 200:
        parts = urlsplit(url)
        place = f"https://{parts.netloc}/.well-known/oauth-authorization-server{parts.path}"
        status, body, _ = network.http_get(place, timeout=SECONDS)
    try:
        found = json.loads(body) if status == 200 else None
    except (ValueError, RecursionError) as error:
        raise _bad(client, "JSON") from error
    if not isinstance(found, dict):
        raise _bad(client, f"HTTP {status}")
    if str(found.get("issuer", "")).rstrip("/") != url:
        raise _bad(client, "issuer")
    names = ("authorization_endpoint", "token_endpoint", "revocation_endpoint")
    authorize, token, revoke = (str(found.get(name) or "") for name in names)
    if not all(place.startswith("https://") for place in (authorize, token, revoke or token)):
        raise _bad(client, "endpoints")
    return Issuer(url, title(client), authorize, token, revoke, client.scopes)


def _bad(client: OAuthClient, evidence: str) -> SignInError:
    return SignInError(Problem("oauth_issuer_bad", evidence=evidence, facts={"provider": title(client)}))
