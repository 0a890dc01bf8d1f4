"""An authorisation server on a real https socket: consent, PKCE, rotation, revocation, discovery."""

import base64
import hashlib
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from soinbox_web.rehearsal.certificates import Identity

CLIENT_ID, CLIENT_SECRET = "soinbox-client", "client-geheim"


class OAuthServer:
    """`approve(link)` and `deny(link)` are the person in front of the form; each returns where they are sent.

    `access` maps every live access token to its address; refresh tokens rotate at each use.
    """

    def __init__(self, identity: Identity, address: str) -> None:
        self.address = address  # who signs in here
        self.life = 3600
        self.access: dict[str, str] = {}
        self.refresh: dict[str, str] = {}
        self.codes: dict[str, tuple[str, str, str]] = {}
        self.renewals = 0
        self.revoked: list[str] = []
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._server.socket = identity.server_context().wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.issuer = f"https://localhost:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> "OAuthServer":
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2)

    def approve(self, link: str) -> str:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
        assert asked["client_id"] == CLIENT_ID and asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = (self.address, asked["code_challenge"], asked["redirect_uri"])
        return f"{asked['redirect_uri']}?{urlencode({'state': asked['state'], 'code': code})}"

    def deny(self, link: str) -> str:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
        return f"{asked['redirect_uri']}?{urlencode({'state': asked['state'], 'error': 'access_denied'})}"

    def grant(self, address: str) -> dict[str, Any]:
        access, refresh = f"access-{secrets.token_hex(8)}", f"refresh-{secrets.token_hex(8)}"
        self.access[access], self.refresh[refresh] = address, address
        return {
            "access_token": access, "token_type": "Bearer", "expires_in": self.life, "refresh_token": refresh,
        }  # fmt: skip

    def withdraw(self) -> None:
        """The person takes the permission back."""
        self.access.clear()
        self.refresh.clear()

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer,
                **{f"{n}_endpoint": f"{self.issuer}/{n}" for n in ("authorization", "token", "revocation")},
            }
        if path == "/introspect":
            address = self.access.get(form.get("token", ""))
            return 200, {"active": True, "email": address} if address else {"active": False}
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        if path == "/revocation":
            self.revoked.append(form["token"])
            self.refresh.pop(form["token"], None)
            return 200, {}
        if form.get("grant_type") == "authorization_code":
            address, challenge, redirect = self.codes.pop(form.get("code", ""), ("", "", ""))
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if not address or proof != challenge or redirect != form.get("redirect_uri"):
                return 400, {"error": "invalid_grant"}
            return 200, self.grant(address)
        address = self.refresh.pop(form.get("refresh_token", ""), "")
        if not address:
            return 400, {"error": "invalid_grant", "error_description": "expired or revoked"}
        self.renewals += 1
        return 200, self.grant(address)


class _Handler(BaseHTTPRequestHandler):
    owner: OAuthServer
    timeout = 10

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        self._answer({name: values[0] for name, values in parse_qs(body).items()})

    def _answer(self, form: dict[str, str]) -> None:
        status, found = self.owner.answer(urlsplit(self.path).path, form)
        body = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""
