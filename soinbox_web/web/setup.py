"""Set-up, S0 to S5: the address, the password, the connection stage by stage, the server data by hand."""

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from soinbox_web.model.account import Account
from soinbox_web.model.person import Person
from soinbox_web.problems import AccessError, InputError, Problem, ServerError
from soinbox_web.services import accounts, people
from soinbox_web.services import setup as service
from soinbox_web.services.setup import SetupView, report
from soinbox_web.web import hx, reports
from soinbox_web.web.access import token_in_form
from soinbox_web.web.forms.setup import AddressForm, PasswordForm, ServerForm, tested_side
from soinbox_web.web.page import look_again, page, runtime, see_other

setup = Blueprint("setup", __name__)

POLL_SECONDS = 1


@setup.get("/setup")
def start() -> ResponseReturnValue:
    """S1. `from` names an attempt whose address is kept."""
    return _ask_address(AddressForm(data={"address": _address_of(request.args.get("from", ""))}))


@setup.post("/setup")
@token_in_form
def begin() -> ResponseReturnValue:
    """The address: detection begins, or the server data are asked at once."""
    form = AddressForm()
    if not form.validate():
        return _ask_address(form, status=422)
    if request.form.get("go") == "advanced":
        return _to_attempt(service.start_advanced(runtime(), current_user.id, form.address.data or ""))
    try:
        token = service.start(runtime(), current_user.id, form.address.data or "")
    except (InputError, ServerError) as error:
        return _ask_address(form, error.problem)
    return _to_attempt(token)


@setup.get("/setup/<token>")
def attempt(token: str) -> ResponseReturnValue:
    """S2 to S5, whichever it is now."""
    view = service.view(runtime(), current_user.id, token)
    step = view.attempt.step
    if step == "cancelled":
        return see_other(url_for("setup.start"))
    if step == "done":
        for note in view.attempt.faults:
            flash(f"{note.title(gettext)}. {note.cause(gettext)}")
        return _leave(_home(view))
    if view.attempt.running:
        look_again(POLL_SECONDS)
    response = _show(view)
    if hx.is_partial():
        response.headers["HX-Replace-Url"] = url_for("setup.attempt", token=token)
    return response


@setup.post("/setup/<token>/password")
@token_in_form
def password(token: str) -> ResponseReturnValue:
    """S2 → S3; `anyway` tries a password that does not look like an app password."""
    view = service.view(runtime(), current_user.id, token)
    anyway = "anyway" in request.form
    form = PasswordForm()
    form.kept = view.kept_imap
    if not form.validate():
        return _show(view, password_form=form, status=422)
    try:
        service.submit_password(runtime(), current_user.id, token, form.password.data or "", anyway=anyway)
    except InputError as error:
        return _show(view, password_form=form, problem=error.problem, status=422)
    return _to_attempt(token)


@setup.post("/setup/<token>/hosts")
def hosts(token: str) -> ResponseReturnValue:
    """The person knows who runs their mail."""
    service.confirm_hosts(runtime(), current_user.id, token)
    return _to_attempt(token)


@setup.post("/setup/<token>/advanced")
@token_in_form
def advanced(token: str) -> ResponseReturnValue:
    """S4 → S3; `go=open` only opens the form, `fill` takes a suggestion into it, `test` tries one side."""
    view = service.view(runtime(), current_user.id, token)
    if request.form.get("go") == "open":
        if AddressForm().validate():  # its token
            service.open_advanced(runtime(), current_user.id, token)
        return _to_attempt(token)
    if view.attempt.step != "advanced":
        return _to_attempt(token)
    form = ServerForm.of(view, plain=_plain())
    if "fill" in request.form and AddressForm().validate():
        imap_secret, smtp_secret = form.imap_password.data or "", form.smtp_password.data or ""
        service.keep(runtime(), current_user.id, token, imap_secret, smtp_secret)
        view = service.view(runtime(), current_user.id, token)
        form.fill(request.form["fill"])
        return _show(view, server_form=form)
    if not form.validate():
        return _show(view, server_form=form, status=422)
    try:
        typed, only = form.typed(_account(view)), tested_side(request.form)
        service.submit_advanced(runtime(), current_user.id, token, typed, only=only)
    except InputError as error:
        return _show(view, server_form=form, problem=error.problem, status=422)
    return _to_attempt(token)


@setup.post("/setup/<token>/cancel")
def cancel(token: str) -> ResponseReturnValue:
    """Stop whatever runs, and forget what was typed."""
    view = service.view(runtime(), current_user.id, token)
    service.cancel(runtime(), current_user.id, token)
    if view.attempt.account_id is not None:
        return see_other(url_for("account.options"))
    return see_other(url_for("setup.start"))


@setup.get("/setup/<token>/report")
def technical_report(token: str) -> ResponseReturnValue:
    """All that is known of the attempt, for support; `masked` hides the address."""
    view = service.view(runtime(), current_user.id, token)
    masked = "masked" in request.args
    return reports.show(
        report.of_attempt(runtime(), current_user.id, token, masked=masked),
        back=url_for("setup.attempt", token=view.attempt.token),
    )


def _ask_address(form: AddressForm, problem: Problem | None = None, status: int = 200) -> Response:
    return page(
        "setup.html",
        "setup-card",
        status=problem.kind.status if problem else status,
        view=None,
        form=form,
        problem=problem,
        accounts=accounts.of_user(runtime(), current_user.id),
    )


def _show(
    view: SetupView,
    *,
    password_form: PasswordForm | None = None,
    server_form: ServerForm | None = None,
    problem: Problem | None = None,
    status: int = 200,
) -> Response:
    problems = (problem,) if problem else () if status == 422 else view.attempt.faults
    return page(
        "setup.html",
        "setup-card",
        status=status,
        view=view,
        attempt=view.attempt,
        problems=problems,
        password_form=password_form or PasswordForm(formdata=None),
        server_form=server_form or ServerForm.of(view, plain=_plain()),
        account=_account(view),
        action=url_for("setup.advanced", token=view.attempt.token),
        pinning=runtime().settings.allow_pinning,
        card=_reading_only_card(view),
    )


def _reading_only_card(view: SetupView) -> Person | None:
    """The user's card when mail could not be sent from this address; None when it could."""
    if people.may_send(runtime(), current_user.id, view.attempt.address):
        return None
    return people.of_user(runtime(), current_user.id)


def _to_attempt(token: str) -> ResponseReturnValue:
    return see_other(url_for("setup.attempt", token=token))


def _leave(url: str) -> ResponseReturnValue:
    """To another page: by htmx as a page of its own."""
    return hx.go(Response(status=200), url) if hx.is_partial() else see_other(url)


def _home(view: SetupView) -> str:
    """S5: the inbox of the account that was connected."""
    return url_for("inbox.folder", account_id=view.attempt.account_id)


def _account(view: SetupView) -> Account | None:
    if view.attempt.account_id is None or view.attempt.step == "done":
        return None
    return accounts.own(runtime(), current_user.id, view.attempt.account_id)


def _address_of(token: str) -> str:
    if not token:
        return ""
    try:
        return service.view(runtime(), current_user.id, token).attempt.address
    except AccessError:
        return ""


def _plain() -> bool:
    return bool(runtime().settings.allow_plain.entries)
