"""Signing in and out, the first administrator, and invitations."""

from flask import Blueprint, Response, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from soinbox_web.model.member import Member
from soinbox_web.problems import AccessError, InputError, Problem
from soinbox_web.services import members, sessions
from soinbox_web.web.access import open_to_all, token_in_form
from soinbox_web.web.forms.session import FirstAdministratorForm, NewMemberForm, SignInForm
from soinbox_web.web.language import known_zone
from soinbox_web.web.language import language as chosen_language
from soinbox_web.web.page import inside, page, runtime, see_other
from soinbox_web.web.session_cookie import enter_again, fresh_cookie

session = Blueprint("session", __name__)

DEVICE_DAYS = 365


@session.get("/")
@open_to_all
def home() -> ResponseReturnValue:
    """The inbox, or the way to it."""
    if current_user.is_authenticated:
        return see_other(
            url_for("inbox.show" if "inbox.show" in current_app.view_functions else "person.index")
        )
    return see_other(
        url_for("session.first_administrator" if members.is_empty(runtime()) else "session.sign_in")
    )


@session.route("/sign-in", methods=["GET", "POST"])
@open_to_all
@token_in_form
def sign_in() -> ResponseReturnValue:
    """Address and password; then where the person wanted to go."""
    if members.is_empty(runtime()):
        return see_other(url_for("session.first_administrator"))
    form = SignInForm(data={"next": request.args.get("next", "")})
    if form.validate_on_submit():
        try:
            member, token = sessions.sign_in(
                runtime(),
                form.address.data,
                form.password.data,
                place=request.remote_addr or "",
                device=request.cookies.get(_device_cookie(), ""),
                user_agent=request.user_agent.string,
            )
        except InputError as error:
            status = error.problem.kind.status
            return page("sign_in.html", status=status, form=form, problem=error.problem)
        return _enter(member, token, form.next.data)
    return page("sign_in.html", status=_status(form), form=form, problem=None)


@session.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this session."""
    sessions.end(runtime(), current_user.member, current_user.session_id)
    fresh_cookie()
    return see_other(url_for("session.sign_in"))


@session.route("/first-administrator", methods=["GET", "POST"])
@open_to_all
@token_in_form
def first_administrator() -> ResponseReturnValue:
    """Only while there is no user, and only with the code of the console."""
    if not members.is_empty(runtime()):
        raise AccessError(Problem("not_found"))
    form = FirstAdministratorForm()
    if form.validate_on_submit():
        try:
            member = members.add_first(
                runtime(),
                form.code.data,
                form.address.data,
                form.name.data,
                form.password.data,
                language=chosen_language(),
                timezone=known_zone(form.timezone.data),
            )
        except InputError as error:
            form.blame(error, code_wrong="code", member_delayed="code")
        else:
            return _enter(member, sessions.begin(runtime(), member, request.user_agent.string))
    return page("first_administrator.html", status=_status(form), form=form)


@session.route("/invitation/<token>", methods=["GET", "POST"])
@open_to_all
@token_in_form
def invitation(token: str) -> ResponseReturnValue:
    """Become a user by a one-time link."""
    offered = members.invitation(runtime(), token)
    form = NewMemberForm(data={"name": offered.name})
    if form.validate_on_submit():
        try:
            member = members.accept(
                runtime(),
                token,
                form.name.data,
                form.password.data,
                language=chosen_language(),
                timezone=known_zone(form.timezone.data),
            )
        except InputError as error:
            form.blame(error)
        else:
            return _enter(member, sessions.begin(runtime(), member, request.user_agent.string))
    return page("invitation.html", status=_status(form), form=form, invitation=offered)


def _enter(member: Member, token: str, wanted: str = "") -> Response:
    if current_user.is_authenticated:  # the session that this browser had ends with its cookie
        sessions.end(runtime(), current_user.member, current_user.session_id)
    enter_again(member, token)
    response = current_app.make_response(see_other(inside(wanted) or url_for("session.home")))
    response.set_cookie(
        _device_cookie(),
        sessions.device_cookie(runtime(), member),
        max_age=DEVICE_DAYS * 86400,
        httponly=True,
        samesite="Lax",
        secure=runtime().settings.secure,
    )
    return response


def _device_cookie() -> str:
    return "__Host-soinbox-device" if runtime().settings.secure else "soinbox-device"


def _status(form: NewMemberForm | SignInForm) -> int:
    return 422 if form.is_submitted() else 200
