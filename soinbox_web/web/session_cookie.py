"""A browser's cookie gets a new session token: at sign-in and when the password changes."""

from flask import session as cookie
from flask_login import login_user

from soinbox_web.model.member import Member
from soinbox_web.web.access import SignedIn

KEPT = ("language", "narrow")


def enter_again(member: Member, token: str) -> None:
    """Go on in this browser under a new session token."""
    fresh_cookie()
    login_user(SignedIn(member, token))
    cookie.permanent = True


def fresh_cookie() -> None:
    """Nothing of an earlier session stays but what says how pages look."""
    kept = {name: cookie[name] for name in KEPT if name in cookie}
    cookie.clear()
    cookie.update(kept)
