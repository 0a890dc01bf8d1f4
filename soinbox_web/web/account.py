"""E-mail accounts: the options tab, status, edit, remove, check now."""

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from soinbox_web.clock import moment
from soinbox_web.model.account import Account
from soinbox_web.model.message import MessageKey
from soinbox_web.problems import AccessError, InputError, Problem, ServerError, SoinboxError
from soinbox_web.services import accounts, skipped_messages, triage
from soinbox_web.services import setup as setups
from soinbox_web.services.setup import report
from soinbox_web.web import hx, reports
from soinbox_web.web.access import token_in_form
from soinbox_web.web.dates import clock_time, file_size, full_date
from soinbox_web.web.forms.setup import AddressForm, ServerForm, tested_side
from soinbox_web.web.names import place_name
from soinbox_web.web.page import inside, look_again, page, runtime, see_other

account = Blueprint("account", __name__)


@account.get("/options/account")
def options() -> ResponseReturnValue:
    """The tab E-mail account of the options: the list, with edit and remove."""
    return page("options_account.html", accounts=accounts.of_user(runtime(), current_user.id))


@account.get("/banners")
def banners() -> ResponseReturnValue:
    """What stands on every page of an account that fails, drawn anew when an account changes."""
    if hx.target_id() not in ("banners", "health"):
        return see_other(url_for("account.options"))
    return page("options_account.html", "banners", "health")


@account.get("/accounts/<int:account_id>/status")
def status(account_id: int) -> ResponseReturnValue:
    """How an account fares, and its last 20 attempts."""
    return _status(account_id)


@account.post("/accounts/<int:account_id>/refresh")
def refresh(account_id: int) -> ResponseReturnValue:
    """Check now; back to where the person was."""
    told = hx.target_id() == "toasts"
    try:
        accounts.refresh(runtime(), current_user.id, account_id)
        flash(gettext("Checking now."))
    except ServerError as error:
        if not told:
            return _status(account_id, error.problem)
        flash(error.problem.title(gettext))
    if told:
        return page("options_account.html", "toasts")
    return see_other(inside(request.form.get("next")) or url_for("account.status", account_id=account_id))


@account.app_template_global()
def fetch_back_choices() -> list[tuple[int | None, str]]:
    """How far back one can choose to fetch, in days, and in words."""
    return [
        (None, gettext("all the time")),
        (30, gettext("the last month")),
        (91, gettext("the last three months")),
        (365, gettext("the last year")),
        (5 * 365, gettext("the last five years")),
    ]


@account.post("/accounts/<int:account_id>/fetch-back")
def fetch_back(account_id: int) -> ResponseReturnValue:
    """Choose how far back messages are fetched; what is none of the choices changes nothing."""
    chosen = {str(days or ""): days for days, _ in fetch_back_choices()}
    wanted = request.form.get("days", "?")
    if wanted in chosen:
        accounts.fetch_back(runtime(), current_user.id, account_id, chosen[wanted])
        flash(gettext("Saved."))
    return see_other(url_for("account.status", account_id=account_id, _anchor="fetch-back"))


@account.get("/accounts/<int:account_id>/edit")
def edit(account_id: int) -> ResponseReturnValue:
    """The server data, prefilled, with what is wrong with them now."""
    view = setups.edit_view(runtime(), current_user.id, account_id)
    own = accounts.own(runtime(), current_user.id, account_id)
    problem = next(iter(view.attempt.problems), None)
    if view.issuer and (own.auth == "oauth2" or (problem and problem.code == "oauth_required")):
        return page("oauth.html", view=view, attempt=view.attempt, link="", problem=problem)
    return _edit(account_id, view, ServerForm.of(view, plain=_plain()), view.attempt.problems)


@account.post("/accounts/<int:account_id>/edit")
@token_in_form
def save(account_id: int) -> ResponseReturnValue:
    """Both sign-ins are tried; the account changes when incoming works."""
    view = setups.edit_view(runtime(), current_user.id, account_id)
    form = ServerForm.of(view, plain=_plain())
    if "fill" in request.form and AddressForm().validate():
        form.fill(request.form["fill"])
        return _edit(account_id, view, form, view.attempt.problems)
    if not form.validate():
        return _edit(account_id, view, form, (), 422)
    try:
        typed = form.typed(accounts.own(runtime(), current_user.id, account_id))
        token = setups.submit_edit(
            runtime(), current_user.id, account_id, typed, only=tested_side(request.form)
        )
    except InputError as error:
        return _edit(account_id, view, form, (error.problem,), 422)
    return see_other(url_for("setup.attempt", token=token))


@account.get("/accounts/<int:account_id>/report")
def technical_report(account_id: int) -> ResponseReturnValue:
    """All that is known of the account, for support; `masked` hides the address."""
    found = accounts.own(runtime(), current_user.id, account_id)
    return reports.show(
        report.of_account(runtime(), found, masked="masked" in request.args),
        back=url_for("account.status", account_id=account_id),
    )


@account.get("/accounts/<int:account_id>/remove")
def remove(account_id: int) -> ResponseReturnValue:
    """Asks, and says what goes and what stays."""
    found = accounts.own(runtime(), current_user.id, account_id)
    return page("account_remove.html", account=found, unsent=accounts.unsent(runtime(), found))


@account.post("/accounts/<int:account_id>/remove")
def removed(account_id: int) -> ResponseReturnValue:
    """Gone from here; the mailbox itself stays."""
    found = accounts.own(runtime(), current_user.id, account_id)
    accounts.remove(runtime(), found.id)
    flash(gettext("%(address)s is no longer connected.", address=found.address))
    return see_other(url_for("account.options"))


@account.app_template_filter()
def stored_time(text: str) -> str:
    """A stored RFC 3339 time as a person reads it; "" for none."""
    return clock_time(moment(text)) if text else ""


@account.app_template_filter()
def code_title(code: str, found: Account, side: str) -> str:
    """The title of a problem of which only the code was kept."""
    login = found.imap if side == "imap" else found.smtp or found.imap
    facts = {"host": login.host, "port": str(login.port), "provider": login.host, "username": login.username}
    return Problem(code, facts=facts).title(gettext)


@account.app_template_global()
def aside_place(found: skipped_messages.SetAside) -> str:
    """Where a message is that could not be fetched, and what else is known of it."""
    size = file_size(found.size) if found.size else ""
    place = place_name(found.role, found.key.folder)
    return " · ".join(filter(None, (place, full_date(found.date), size)))


@account.app_template_global()
def why_aside(reason: str) -> str:
    """Why a message could not be fetched."""
    words: dict[str, str] = {
        "too_large": gettext("What the server tells of it is far larger than soinbox takes in."),
        "unreadable": gettext("What the server says of it cannot be read."),
        "refused": gettext("The server refuses to give it."),
        "not_given": gettext("The server lists it, but does not give it."),
        "hung_up": gettext("The connection ends whenever it is asked for; tomorrow it is tried again."),
    }
    return words.get(reason, "")


@account.get("/accounts/<int:account_id>/aside/<key>")
def aside_source(account_id: int, key: str) -> ResponseReturnValue:
    """What the source of a message that stands aside begins with; looked for again until it is here."""
    found = skipped_messages.one(runtime(), current_user.id, _aside_key(account_id, key))
    raw, problem = None, None
    try:
        raw = skipped_messages.source(runtime(), current_user.id, found.key)
    except SoinboxError as error:
        problem = error.problem
    if raw is None and problem is None:
        look_again(2)
    text = None if raw is None else raw.decode("utf-8", "replace")
    own = accounts.own(runtime(), current_user.id, account_id)
    return page(
        "account_aside.html", "account-aside", account=own, message=found, source=text, problem=problem
    )


@account.post("/accounts/<int:account_id>/aside/<key>/delete")
def aside_delete(account_id: int, key: str) -> ResponseReturnValue:
    """Deleted at the provider like any other message, and can be taken back as long."""
    found = skipped_messages.one(runtime(), current_user.id, _aside_key(account_id, key))
    triage.act(runtime(), current_user.id, [found.key], "delete")
    return see_other(url_for("account.status", account_id=account_id, _anchor="aside"))


def _aside_key(account_id: int, text: str) -> MessageKey:
    key = MessageKey.read(text)
    if key is None or key.account_id != account_id:
        raise AccessError(Problem("not_found"))
    return key


def _status(account_id: int, problem: Problem | None = None) -> Response:
    report = accounts.report(runtime(), current_user.id, account_id)
    return page(
        "account_status.html",
        "account-status",
        status=problem.kind.status if problem else 200,
        report=report,
        account=report.account,
        set_aside=skipped_messages.listing(runtime(), current_user.id, account_id),
        folders_left_out=skipped_messages.folders_left_out(runtime(), current_user.id, account_id),
        problem=problem,
    )


def _edit(
    account_id: int,
    view: setups.SetupView,
    form: ServerForm,
    problems: tuple[Problem, ...],
    status: int = 200,
) -> Response:
    return page(
        "setup.html",
        "setup-card",
        status=status,
        view=view,
        attempt=view.attempt,
        problems=problems,
        server_form=form,
        account=accounts.own(runtime(), current_user.id, account_id),
        action=request.path,
        pinning=runtime().settings.allow_pinning,
    )


def _plain() -> bool:
    return bool(runtime().settings.allow_plain.entries)
