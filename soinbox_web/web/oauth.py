"""Signing in at a provider's own page: a page of ours with one link there, and the way back."""

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from soinbox_web.problems import AccessError, Problem, SoinboxError
from soinbox_web.services import setup as service
from soinbox_web.web import hx
from soinbox_web.web.access import open_to_all
from soinbox_web.web.page import page, runtime, see_other

oauth = Blueprint("oauth", __name__)


@oauth.post("/setup/<token>/oauth")
def begin(token: str) -> ResponseReturnValue:
    """To the page with the link: `form-action 'self'` lets no form lead to another host."""
    view = service.view(runtime(), current_user.id, token)
    try:
        service.begin_consent(runtime(), current_user.id, current_user.session_id, token)
    except SoinboxError as error:
        return page(
            "oauth.html", status=error.problem.kind.status, view=view, attempt=view.attempt, link="",
            problem=error.problem,
        )  # fmt: skip
    return see_other(url_for("oauth.leave", token=token))


@oauth.post("/accounts/<int:account_id>/oauth")
def renew(account_id: int) -> ResponseReturnValue:
    """Fix sign-in of an account: consent anew."""
    token = service.start_consent(runtime(), current_user.id, account_id)
    return begin(token)


@oauth.get("/setup/<token>/oauth")
def leave(token: str) -> ResponseReturnValue:
    """One link: Continue to <issuer>."""
    view = service.view(runtime(), current_user.id, token)
    link = service.consent_link(runtime(), token, current_user.session_id)
    return page("oauth.html", view=view, attempt=view.attempt, link=link, problem=None)


@oauth.get("/oauth/callback")
@open_to_all
def callback() -> ResponseReturnValue:
    """Back from the issuer; the single-use state, bound to the session, is what lets this in."""
    if not current_user.is_authenticated:  # never via `next`: the code must not get into another address
        raise AccessError(Problem("oauth_state_invalid"))
    given = [request.args.get(name, "")[:4000] for name in ("state", "code", "error", "error_description")]
    token = service.come_back(runtime(), current_user.id, current_user.session_id, *given)
    url = url_for("setup.attempt", token=token)
    return hx.go(page("oauth.html"), url) if hx.is_partial() else see_other(url)
