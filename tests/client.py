"""A browser without a screen: signed in at will, forms posted with their CSRF token, each answer checked."""

import secrets
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from soinbox_web.model.member import Member
from soinbox_web.runtime import Runtime
from soinbox_web.store import sessions
from tests.html import faults

TRACES = ("Traceback (most recent call last)", "jinja2.exceptions", "werkzeug.exceptions")


def new_session(runtime: Runtime, member: Member) -> dict[str, Any]:
    """What the cookie of a browser holds in which this person has just signed in."""
    token = secrets.token_urlsafe(32)
    with runtime.db.write() as connection:
        sessions.insert(connection, member.id, token, "tests", runtime.clock.now())
    return {"_user_id": token, "_fresh": True, "csrf_token": secrets.token_hex(20)}


def session_cookie(app: Flask, runtime: Runtime, member: Member) -> str:
    """The signed cookie (named by SESSION_COOKIE_NAME) of a browser that has just signed in."""
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    cookie: str = serializer.dumps(new_session(runtime, member))
    return cookie


class SoinboxClient(FlaskClient):
    """Every answer must carry the security headers and no trace of a fault of ours."""

    @property
    def site(self) -> dict[str, str]:
        """Where pages are: at the public URL, where there is one; elsewhere none is answered."""
        runtime: Runtime = self.application.extensions["soinbox"]
        return {"base_url": runtime.settings.public_url} if runtime.settings.public_url else {}

    def sign_in(self, member: Member) -> "SoinboxClient":
        """Be this person from now on; returns itself."""
        runtime: Runtime = self.application.extensions["soinbox"]
        with self.session_transaction(**self.site) as session:
            session.clear()
            session.update(new_session(runtime, member))
        return self

    def csrf_token(self) -> str:
        """A token that fits this browser's session."""
        with self.session_transaction(**self.site) as session:
            raw = session.setdefault("csrf_token", secrets.token_hex(20))
        serializer = URLSafeTimedSerializer(self.application.secret_key, salt="wtf-csrf-token")
        token = serializer.dumps(raw)
        return token if isinstance(token, str) else token.decode()

    def submit(self, path: str, data: dict[str, Any] | None = None, **extra: Any) -> TestResponse:
        """Post a form with its token."""
        return self.post(path, data={"csrf_token": self.csrf_token(), **(data or {})}, **extra)

    def partial(self, path: str, target: str, **extra: Any) -> TestResponse:
        """Ask as htmx does for one element of the page."""
        headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": f"div#{target}"}
        return self.get(path, headers=headers, **extra)

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **(self.site | kwargs))
        assert response.headers.get("Content-Security-Policy"), f"no CSP on {response.request.path}"
        assert response.headers.get("X-Content-Type-Options") == "nosniff"
        if response.mimetype == "text/html":
            text = response.get_data(as_text=True)
            for trace in TRACES:
                assert trace not in text, f"a traceback reached {response.request.path}"
            if not response.request.path.endswith("/body"):
                wrong = faults(text)
                assert not wrong, f"{response.request.path}: {wrong[:5]}"
        return response
