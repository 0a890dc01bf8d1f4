"""Closed by default: who is asking, what they may reach, and the headers every answer carries."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user
from flask_wtf.csrf import CSRFError, CSRFProtect

from soinbox_web import sealed
from soinbox_web.model.member import Member
from soinbox_web.problems import AccessError, Problem
from soinbox_web.services import members
from soinbox_web.web import failures, hosts, hx
from soinbox_web.web.page import runtime, see_other

View = TypeVar("View", bound=Callable[..., Any])

APP_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class SignedIn(UserMixin):
    """Flask-Login's view of a member; its id is the session's token (trust.md section 3)."""

    def __init__(self, member: Member, token: str) -> None:
        self.member = member
        self._token = token

    def get_id(self) -> str:
        return self._token

    def __getattr__(self, name: str) -> Any:
        return getattr(self.member, name)


def open_to_all(view: View) -> View:
    """Mark a view that needs no sign-in."""
    view.open_to_all = True  # type: ignore[attr-defined]
    return view


def token_in_form(view: View) -> View:
    """Mark a view whose `forms.Form` checks the CSRF token itself: a stale one re-shows what was typed."""
    view.token_in_form = True  # type: ignore[attr-defined]
    return view


def administrators_only() -> None:
    """AccessError not_allowed unless the person is an administrator."""
    if not current_user.is_admin:
        raise AccessError(Problem("not_allowed"))


def install(app: Flask) -> None:
    """Sign-in, CSRF and headers for every view."""
    login = LoginManager(app)
    login.session_protection = None
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.extensions["soinbox_csrf"] = CSRFProtect(app)

    @login.user_loader
    def load(token: str) -> SignedIn | None:
        member = members.of_session(runtime(), token)
        return SignedIn(member, token) if member else None

    app.before_request(_guard)
    app.after_request(_headers)
    app.register_error_handler(CSRFError, _stale)


def _guard() -> ResponseReturnValue | None:
    asks_itself = request.endpoint == "operator.metrics" and hosts.is_loopback(hosts.name(request.host))
    if not (asks_itself or hosts.is_ours(runtime().settings, request.headers.get("Host", ""))):
        raise AccessError(Problem("host_unknown", facts={"host": request.headers.get("Host", "")[:100]}))
    if request.environ.get("soinbox.too_large"):
        abort(413)
    if request.method not in SAFE_METHODS and request.headers.get("Sec-Fetch-Site", "same-origin") not in (
        "same-origin",
        "none",
    ):
        abort(403)
    if request.endpoint is None or request.endpoint == "static":
        return None
    view = current_app.view_functions[request.endpoint]
    _keep_signed_in()
    if getattr(view, "open_to_all", False) or current_user.is_authenticated:
        if current_app.config["WTF_CSRF_ENABLED"] and not getattr(view, "token_in_form", False):
            current_app.extensions["soinbox_csrf"].protect()
        return None
    if request.method in SAFE_METHODS and not hx.is_partial():
        return see_other(
            url_for("session.sign_in", next=request.full_path if request.query_string else request.path)
        )
    raise AccessError(Problem("not_signed_in"))


def _keep_signed_in() -> None:
    """The cookie of a person who is signed in lasts 30 days more from the first request of each day."""
    today = runtime().clock.now().date().isoformat()
    if current_user.is_authenticated and session.get("day") != today:
        session["day"] = today


def _stale(error: CSRFError) -> ResponseReturnValue:
    """A stale token on a form without typed content; those with it are drawn again by their view."""
    return failures.show(Problem("session_stale", evidence=str(error.description or "")))


def _headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", APP_CSP)
    for name, value in sealed.headers(secure=runtime().settings.secure).items():
        headers.setdefault(name, value)
    if request.endpoint != "static":
        hx.vary(response)
    return response
