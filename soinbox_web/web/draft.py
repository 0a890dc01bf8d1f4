"""Writing mail: new, reply, reply all, forward; the draft is a row from the first moment on."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, make_response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from soinbox_web.model.message import MessageKey, ParsedMessage
from soinbox_web.problems import AccessError, Problem, SoinboxError
from soinbox_web.services import composing, message_content, reading, recipients, sending
from soinbox_web.services.composing import Source
from soinbox_web.store import persons
from soinbox_web.web import dates
from soinbox_web.web.access import token_in_form
from soinbox_web.web.forms.draft import DraftForm
from soinbox_web.web.jinja import draw
from soinbox_web.web.page import page, row_number, runtime, see_other

draft = Blueprint("draft", __name__)


@draft.get("/drafts/new")
def new() -> ResponseReturnValue:
    """A click on *New*, *Reply* or *Forward*: the draft is made and opened."""
    kind = request.args.get("kind", "new")
    account_id = request.args.get("account", type=row_number) or _default_account()
    if account_id is None:
        return see_other(url_for("setup.start"))
    if kind not in composing.KINDS:
        raise AccessError(Problem("not_found"))
    source = None
    if kind != "new":
        key = MessageKey.read(request.args.get("of", ""))
        raw = reading.raw(runtime(), current_user.id, key) if key else None
        if key is None:
            raise AccessError(Problem("not_found"))
        if raw is None:
            return _wait(key)
        parsed = message_content.parsed(raw, current_user.id)
        source = Source(key, parsed, raw, _line(kind, parsed))
    to = request.args.get("to", "")
    draft_id = composing.start(runtime(), current_user.id, account_id, kind, to=to, source=source)
    return see_other(url_for("draft.edit", draft_id=draft_id))


@draft.get("/drafts/people")
def people() -> ResponseReturnValue:
    """The recipients that fit what is typed, as options of the fields' list."""
    found = recipients.suggested(runtime(), current_user.id, request.args.get("q", "")[:200])
    return make_response(draw("_people.html", people=found))


@draft.get("/drafts/<int:draft_id>")
def edit(draft_id: int) -> ResponseReturnValue:
    return _show(draft_id)


@draft.post("/drafts/<int:draft_id>")
@token_in_form
def save(draft_id: int) -> ResponseReturnValue:
    """Save, and do what the button says: save, attach, remove a file, send, discard."""
    form = DraftForm()
    form.validate()
    if form.stale:
        return _show(draft_id, status=422, form=form)
    composing.save(runtime(), current_user.id, draft_id, form.typed())
    act, _sep, argument = request.form.get("do", "save").partition(":")
    here = url_for("draft.edit", draft_id=draft_id)
    try:
        uploads = [
            (each.filename or "", each.mimetype, each.read())
            for each in request.files.getlist("files")
            if each.filename
        ]
        if uploads:
            composing.attach(runtime(), current_user.id, draft_id, uploads)
        if act == "detach" and argument.isascii() and argument.isdigit() and len(argument) < 19:
            composing.detach(runtime(), current_user.id, draft_id, int(argument))
        elif act == "send":
            return _send(draft_id)
        elif act == "discard":
            return _ask_or_discard(draft_id)
    except SoinboxError as error:
        if error.problem.code in ("not_found", "not_allowed"):
            raise
        return _show(draft_id, status=error.problem.kind.status, problem=error.problem)
    return see_other(here)


@draft.post("/drafts/<int:draft_id>/send")
def send(draft_id: int) -> ResponseReturnValue:
    """Send a draft as it is stored; every rule holds here too."""
    return _send(draft_id)


@draft.get("/drafts/<int:draft_id>/discard")
def ask_discard(draft_id: int) -> ResponseReturnValue:
    """The question before a draft with anything in it goes."""
    return page("draft_discard.html", draft=composing.read(runtime(), current_user.id, draft_id))


@draft.post("/drafts/<int:draft_id>/discard")
def discard(draft_id: int) -> ResponseReturnValue:
    return _discard(draft_id)


def _send(draft_id: int) -> ResponseReturnValue:
    found = composing.read(runtime(), current_user.id, draft_id)
    wrong = sending.check(runtime(), current_user.id, found)
    if wrong:
        return _show(draft_id, status=422, wrong=wrong)
    sending.queue(runtime(), current_user.id, draft_id)
    return see_other(_back(found.source_key, found.account_id))


def _ask_or_discard(draft_id: int) -> ResponseReturnValue:
    found = composing.read(runtime(), current_user.id, draft_id)
    if any((found.to, found.cc, found.bcc, found.subject, found.body.strip(), found.files)):
        return see_other(url_for("draft.ask_discard", draft_id=draft_id))
    return _discard(draft_id)


def _discard(draft_id: int) -> ResponseReturnValue:
    found = composing.read(runtime(), current_user.id, draft_id)
    composing.discard(runtime(), current_user.id, draft_id)
    return see_other(_back(found.source_key, found.account_id))


def _show(draft_id: int, status: int = 200, **context: Any) -> Response:
    found = composing.read(runtime(), current_user.id, draft_id)
    senders = composing.senders(runtime(), current_user.id)
    chosen = next(((account, may) for account, may in senders if account.id == found.account_id), None)
    with runtime().db.read() as connection:
        card = persons.of_user(connection, current_user.id)
    refused = None
    if chosen is not None and not chosen[1]:
        refused = Problem("sender_not_first", facts={"address": chosen[0].address})
    elif chosen is not None and chosen[0].smtp is None:
        refused = Problem("sending_not_set_up", facts={"address": chosen[0].address})
    context.setdefault("wrong", {})
    form = context.setdefault("form", None)
    if form is not None:
        found = replace(found, **form.shown())
    return page(
        "draft.html", "draft-state", status=status, draft=found, senders=senders, refused=refused,
        card=card, account=chosen[0] if chosen else None, back=_back(found.source_key, found.account_id),
        limit=runtime().settings.max_upload,
        people=recipients.suggested(runtime(), current_user.id, ""), **context,
    )  # fmt: skip


def _back(source_key: str, account_id: int | None) -> str:
    """Where the writer came from: the message answered, else the inbox."""
    key = MessageKey.read(source_key)
    if key is not None:
        return url_for("inbox.folder", account_id=key.account_id, folder=key.folder, message=source_key)
    return url_for("inbox.folder", account_id=account_id) if account_id else url_for("inbox.show")


def _default_account() -> int | None:
    """The first account that may send, else the first."""
    senders = composing.senders(runtime(), current_user.id)
    return next((a.id for a, may in senders if may), senders[0][0].id if senders else None)


def _wait(key: MessageKey) -> Response:
    """The text to be quoted is not here yet: the page comes again."""
    problem = Problem("message_not_here")
    response = page("problem.html", problem=problem, status=503)
    response.headers["Refresh"] = "2"
    return response


def _line(kind: str, message: ParsedMessage) -> str:
    """What stands above the quote."""
    sender = ", ".join(str(each) for each in message.sender) or "?"
    date = dates.full_date(message.date)
    if kind != "forward":
        name = message.sender[0].name or message.sender[0].address if message.sender else "?"
        if not date:
            return str(_("%(name)s wrote:", name=name))
        return str(_("On %(date)s, %(name)s wrote:", date=date, name=name))
    lines = [
        "---------- " + _("Forwarded message") + " ----------",
        f"{_('From')}: {sender}",
        f"{_('Date')}: {date}",
        f"{_('Subject')}: {message.subject}",
        f"{_('To')}: {', '.join(str(each) for each in message.to)}",
    ]
    if message.cc:
        lines.append(f"{_('Cc')}: {', '.join(str(each) for each in message.cc)}")
    return "\n".join(lines)
