"""Signing in and out."""

from flask import Blueprint

from soinbox_web.web.access import open_to_all
from soinbox_web.web.page import page

session = Blueprint("session", __name__)


@session.get("/sign-in")
@open_to_all
def sign_in():  # type: ignore[no-untyped-def]
    return page("problem.html", problem=None)


@session.get("/")
def home():  # type: ignore[no-untyped-def]
    return page("problem.html", problem=None)


@session.post("/sign-out")
def sign_out():  # type: ignore[no-untyped-def]
    return page("problem.html", problem=None)
