"""An authorisation server on a real https socket, made of Authlib's server parts, with a page for people.

RFC 6749 (codes, refresh), 7636 (PKCE, S256 only), 7009 (revocation), 7662 (introspection), 8414 (discovery).
"""

import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urljoin

import httpx
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask, Response, jsonify, render_template_string, request
from werkzeug.serving import WSGIRequestHandler, make_server

from soinbox_web.rehearsal.certificates import Identity

CLIENT_ID, CLIENT_SECRET = "soinbox-client", "client-geheim"
CLIENT_AUTHENTICATION = ("client_secret_post", "client_secret_basic")
PASSWORD = "paspoort-bij-de-uitgever"

PAGE = """<!doctype html><html lang="en"><title>Sign in – Example Issuer</title>
<h1>Example Issuer</h1>
<p>{{ client }} asks to read and send your mail ({{ scope }}).</p>
{% if wrong %}<p role="alert">Wrong address or password.</p>{% endif %}
<form method="post">
<label>Address <input name="address" value="{{ address }}"></label>
<label>Password <input name="password" type="password"></label>
<button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button>
</form></html>"""


class Client(ClientMixin):
    """The one client that is registered here: confidential, any redirect over https or to loopback."""

    client_id = CLIENT_ID

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str) -> str:
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri.startswith(("https://", "http://127.0.0.1")) and redirect_uri.endswith(
            "/oauth/callback"
        )

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in CLIENT_AUTHENTICATION

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("authorization_code", "refresh_token")


@dataclass
class Code:
    """An authorisation code that waits to be used, once."""

    address: str
    redirect_uri: str
    scope: str
    code_challenge: str
    code_challenge_method: str
    made: float = field(default_factory=time.monotonic)

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


@dataclass
class Refresh:
    """A refresh token, as Authlib asks about it."""

    token: str
    address: str
    scope: str = "mail"

    def check_client(self, client: Client) -> bool:
        return client.client_id == CLIENT_ID

    def get_scope(self) -> str:
        return self.scope


class OAuthServer:
    """`approve(link)` and `deny(link)` are the person at its page; each returns where they are sent.

    `access` maps every live access token to its address, `refresh` every live refresh token; these rotate at
    each use.
    """

    def __init__(self, identity: Identity, address: str) -> None:
        self.address = address  # who signs in here
        self.life = 3600
        self.access: dict[str, str] = {}
        self.refresh: dict[str, str] = {}
        self.codes: dict[str, Code] = {}
        self.renewals = 0
        self.revoked: list[str] = []
        self._server = make_server(
            "127.0.0.1", 0, self._application(), threaded=True, request_handler=_Silent,
            ssl_context=identity.server_context(),
        )  # fmt: skip
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self.port = self._server.server_port
        self.issuer = f"https://localhost:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> "OAuthServer":
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2)

    # The person.

    def approve(self, link: str) -> str:
        return self._decide(link, "allow")

    def deny(self, link: str) -> str:
        return self._decide(link, "deny")

    def withdraw(self) -> None:
        """The person takes the permission back."""
        self.access.clear()
        self.refresh.clear()

    def _decide(self, link: str, decision: str) -> str:
        with httpx.Client(verify=False) as browser:
            page = browser.get(link)
            assert page.status_code == 200 and 'name="decision"' in page.text, page.text
            form = {"address": self.address, "password": PASSWORD, "decision": decision}
            answer = browser.post(link, data=form)
        assert answer.status_code == 302, answer.text
        return urljoin(link, answer.headers["Location"])

    # The server.

    def grant(self, address: str) -> dict[str, Any]:
        """A fresh pair of tokens, as the token endpoint gives them."""
        access, refresh = f"access-{secrets.token_hex(8)}", f"refresh-{secrets.token_hex(8)}"
        self.access[access], self.refresh[refresh] = address, address
        return {
            "access_token": access, "token_type": "Bearer", "expires_in": self.life, "refresh_token": refresh,
        }  # fmt: skip

    def _application(self) -> Flask:
        app = Flask(__name__)
        server = AuthorizationServer(
            app,
            query_client=lambda found: Client() if found == CLIENT_ID else None,
            save_token=lambda *_: None,
        )
        server.register_token_generator("default", lambda grant_type, client, user, **_: self.grant(user))
        server.register_grant(type("Codes", (_CodeGrant,), {"owner": self}), [CodeChallenge(required=True)])
        server.register_grant(type("Refreshing", (_RefreshGrant,), {"owner": self}))
        server.register_endpoint(type("Revocation", (_Revocation,), {"owner": self}))

        @app.get("/.well-known/openid-configuration")
        def metadata() -> Response:
            places = {f"{n}_endpoint": f"{self.issuer}/{n}" for n in ("authorization", "token", "revocation")}
            return jsonify({"issuer": self.issuer, "code_challenge_methods_supported": ["S256"], **places})

        @app.route("/authorization", methods=["GET", "POST"])
        def authorization() -> Any:
            try:
                grant = server.get_consent_grant(end_user=None)
            except OAuth2Error as error:
                return f"{error.error}: {error.description}", 400
            form = request.form
            wrong = form.get("decision") == "allow" and (form.get("address"), form.get("password")) != (
                self.address, PASSWORD,
            )  # fmt: skip
            if not form or wrong:
                return render_template_string(
                    PAGE, client=CLIENT_ID, scope=request.args.get("scope", ""), wrong=wrong,
                    address=request.args.get("login_hint", ""),
                )  # fmt: skip
            user = self.address if form["decision"] == "allow" else None
            return server.create_authorization_response(grant=grant, grant_user=user)

        @app.post("/token")
        def token() -> Any:
            return server.create_token_response()

        @app.post("/revocation")
        def revocation() -> Any:
            return server.create_endpoint_response("revocation")

        @app.post("/introspect")
        def introspect() -> Response:  # Dovecot asks, without credentials of its own
            address = self.access.get(request.form.get("token", ""))
            return jsonify({"active": True, "email": address} if address else {"active": False})

        return app


class LiveTokens(Mapping[str, str]):
    """Passwords for a scripted server: every live access token of the issuer is right for its address."""

    def __init__(self, issuer: OAuthServer) -> None:
        self._issuer = issuer

    def __getitem__(self, username: str) -> str:
        return _LiveToken(self._issuer, username)

    def __iter__(self) -> Iterator[str]:
        return iter(set(self._issuer.access.values()))

    def __len__(self) -> int:
        return len(set(self._issuer.access.values()))


class _LiveToken(str):
    def __new__(cls, issuer: OAuthServer, username: str) -> Self:
        word = super().__new__(cls, "")
        word.issuer, word.username = issuer, username  # type: ignore[attr-defined]
        return word

    def __eq__(self, other: object) -> bool:
        return self.issuer.access.get(other) == self.username  # type: ignore[attr-defined]

    __hash__ = str.__hash__


class _CodeGrant(grants.AuthorizationCodeGrant):
    owner: OAuthServer
    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_AUTHENTICATION

    def save_authorization_code(self, code: str, request: Any) -> None:
        asked = request.payload
        challenge = asked.data.get("code_challenge"), asked.data.get("code_challenge_method")
        self.owner.codes[code] = Code(request.user, asked.redirect_uri, asked.scope or "", *challenge)

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        found = self.owner.codes.get(code)
        return found if found and time.monotonic() - found.made < 300 else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        self.owner.codes = {c: kept for c, kept in self.owner.codes.items() if kept is not authorization_code}

    def authenticate_user(self, authorization_code: Code) -> str:
        return authorization_code.address


class _RefreshGrant(grants.RefreshTokenGrant):
    owner: OAuthServer
    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_AUTHENTICATION
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Refresh | None:
        address = self.owner.refresh.get(refresh_token)
        return Refresh(refresh_token, address) if address else None

    def authenticate_user(self, refresh_token: Refresh) -> str:
        return refresh_token.address

    def revoke_old_credential(self, refresh_token: Refresh) -> None:
        self.owner.refresh.pop(refresh_token.token, None)
        self.owner.renewals += 1


class _Revocation(RevocationEndpoint):
    owner: OAuthServer
    CLIENT_AUTH_METHODS = CLIENT_AUTHENTICATION

    def query_token(self, token_string: str, token_type_hint: str | None) -> Refresh | None:
        address = self.owner.refresh.get(token_string) or self.owner.access.get(token_string)
        return Refresh(token_string, address) if address else None

    def revoke_token(self, token: Refresh, request: Any) -> None:
        self.owner.revoked.append(token.token)
        self.owner.refresh.pop(token.token, None)
        self.owner.access.pop(token.token, None)


class _Silent(WSGIRequestHandler):
    timeout = 10

    def log(self, *_: object) -> None:
        """Silent."""
