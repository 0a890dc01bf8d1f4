"""The client's side of OAuth 2.0, by Authlib over our own door: the link, and the tokens."""

import re
import secrets
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
from authlib.deprecate import AuthlibDeprecationWarning

with warnings.catch_warnings():
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)  # Authlib would rather have httpx's successor
    from authlib.integrations.base_client import OAuthError
    from authlib.integrations.httpx_client import OAuth2Client

from soinbox_web.mail.issuers import SECONDS
from soinbox_web.mail.net.https import NetworkTransport
from soinbox_web.mail.net.network import Network, never
from soinbox_web.model.oauth import Grant, Issuer
from soinbox_web.problems import Problem, SignInError
from soinbox_web.settings import OAuthClient

DEFAULT_LIFE = 3600  # seconds, when the issuer does not say (RFC 6749 section 5.1)
LONGEST_LIFE = 86_000
# Answers of Microsoft's sign-in that mean: nobody has approved yet, or an administrator has to.
_CONSENT = re.compile(r"AADSTS(65001|65004|90094|90008|900941|50105)\b")
_CONSENT_ERRORS = ("access_denied", "consent_required", "interaction_required", "invalid_scope")
_CLIENT_ERRORS = ("invalid_client", "unauthorized_client", "redirect_uri_mismatch", "invalid_request")


def new_state() -> tuple[str, str]:
    """A fresh `state`, and a fresh PKCE verifier (RFC 7636 section 4.1)."""
    return secrets.token_urlsafe(32), secrets.token_urlsafe(48)


def link(
    client: OAuthClient, issuer: Issuer, redirect_uri: str, state: str, verifier: str, address: str
) -> str:
    """Where the person signs in and approves; PKCE with S256."""
    with _oauth(client, issuer, None, redirect_uri) as oauth:
        extra = {"access_type": "offline"} if client.name == "google" else {}
        url, _ = oauth.create_authorization_url(
            issuer.authorize, state=state, code_verifier=verifier, login_hint=address,
            prompt="consent" if client.name == "google" else "select_account", **extra,
        )  # fmt: skip
    return str(url)


def exchange(
    client: OAuthClient, issuer: Issuer, network: Network, redirect_uri: str, code: str, verifier: str
) -> Grant:
    """The tokens for a code; SignInError as `problem_of`, or what the network raises."""
    return _ask(
        client, issuer, network,
        lambda oauth: oauth.fetch_token(
            issuer.token, grant_type="authorization_code", code=code, code_verifier=verifier
        ),
        redirect_uri,
    )  # fmt: skip


def renew(client: OAuthClient, issuer: Issuer, network: Network, refresh: str) -> Grant:
    """A new access token, with the refresh token that is good from now on."""
    grant = _ask(
        client, issuer, network, lambda oauth: oauth.refresh_token(issuer.token, refresh_token=refresh)
    )
    return grant if grant.refresh else Grant(grant.access, grant.ends_at, refresh)


def revoke(client: OAuthClient, issuer: Issuer, network: Network, refresh: str) -> None:
    """Tell the issuer that the permission is over (RFC 7009), where it can be told."""
    if issuer.revoke:
        with _oauth(client, issuer, network) as oauth, _told(issuer):
            oauth.revoke_token(issuer.revoke, token=refresh, token_type_hint="refresh_token")  # noqa: S106


def problem_of(issuer: Issuer, error: str, description: str = "") -> Problem:
    """What an `error` of the issuer means (RFC 6749 sections 4.1.2.1 and 5.2)."""
    if _CONSENT.search(description) or error in _CONSENT_ERRORS:
        code = "consent_missing"
    elif error == "invalid_grant":
        code = "token_revoked"
    elif error in _CLIENT_ERRORS:
        code = "oauth_client_refused"
    else:
        code = "oauth_issuer_bad"
    said = "".join(c for c in f"{error}: {description}".strip(": ") if c.isprintable())[:300]
    return Problem(code, stage="sign_in", evidence=said, facts={"provider": issuer.title})


def _ask(
    client: OAuthClient,
    issuer: Issuer,
    network: Network,
    question: Callable[[Any], Any],
    redirect_uri: str = "",
) -> Grant:
    with _oauth(client, issuer, network, redirect_uri) as oauth, _told(issuer):
        answer = question(oauth)
        life = min(int(answer.get("expires_in") or DEFAULT_LIFE), LONGEST_LIFE)
        ends_at = network.clock.now() + timedelta(seconds=life)
        return Grant(str(answer["access_token"]), ends_at, str(answer.get("refresh_token") or ""))


@contextmanager
def _told(issuer: Issuer) -> Iterator[None]:
    """Every way in which an issuer can fail, as one of our errors."""
    try:
        yield
    except OAuthError as error:
        raise SignInError(problem_of(issuer, str(error.error), str(error.description or ""))) from error
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SignInError(problem_of(issuer, "", type(error).__name__)) from error


@contextmanager
def _oauth(
    client: OAuthClient, issuer: Issuer, network: Network | None, redirect_uri: str = ""
) -> Iterator[Any]:
    """Authlib's client; without `network` it can only build links."""
    transport: httpx.BaseTransport = (
        NetworkTransport(network, network.clock.monotonic() + SECONDS, never)
        if network
        else httpx.MockTransport(lambda request: httpx.Response(503))
    )
    oauth = OAuth2Client(
        client.client_id, client.client_secret or None, scope=" ".join(issuer.scopes) or None,
        redirect_uri=redirect_uri or None, code_challenge_method="S256", transport=transport, trust_env=False,
        token_endpoint_auth_method="client_secret_post" if client.client_secret else "none",
        revocation_endpoint_auth_method="client_secret_post" if client.client_secret else "none",
    )  # fmt: skip
    try:
        yield oauth
    finally:
        oauth.close()
