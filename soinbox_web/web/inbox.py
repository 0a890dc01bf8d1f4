"""The inbox: a folder's list beside the message that is open."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from soinbox_web.clock import moment, timestamp
from soinbox_web.model.listing import EVERY_SENDERS, EVERY_SORT, Listing, Query
from soinbox_web.services import reading, searching, sending, triage
from soinbox_web.store import accounts, options
from soinbox_web.web import dates, hx, list_rows, message_pane, names
from soinbox_web.web.language import local, zone
from soinbox_web.web.live_position import live_since
from soinbox_web.web.page import inside, look_again, page, runtime, see_other

inbox = Blueprint("inbox", __name__)
dates.install(inbox)
names.install(inbox)
inbox.add_app_template_global(live_since)
inbox.add_app_template_global(list_rows.drawn_rows)


@inbox.app_template_global()
def undo_offers() -> dict[str, Any]:
    """What can still be taken back: the last removal, and mail that is held."""
    return {
        "removal": triage.undoable(runtime(), current_user.id),
        "held": sending.undoable(runtime(), current_user.id),
    }


@inbox.get("/inbox")
def show() -> ResponseReturnValue:
    account = reading.default_account(runtime(), current_user.id)
    if account is None:
        return see_other(url_for("setup.start"))
    given: dict[str, Any] = request.args.to_dict()
    return see_other(url_for("inbox.folder", account_id=account.id, **given))


@inbox.get("/inbox/<int:account_id>")
def folder(account_id: int) -> ResponseReturnValue:
    live_since()
    query, wanted = _query(), hx.target_id()
    context: dict[str, Any] = {"query": query, "account_id": account_id}
    open_key = request.args.get("message") or (hx.current_argument("message") if wanted else "")
    if wanted == "message-list":
        context["opened_key"] = open_key
    else:
        context |= message_pane.pane(request.args.get("message", ""))
    if wanted != "message-pane":
        context |= _list_context(account_id, query, open_key)
    else:
        context["list_url"] = _urls(account_id)(query)
    gone = wanted != "message-list" and bool(request.args.get("message")) and context.get("message") is None
    coverage = context.get("coverage")
    if coverage and coverage.state == "asking":
        look_again(message_pane.FETCHING)
    return page("inbox.html", "message-list", "message-pane", status=404 if gone else 200, **context)


@inbox.get("/undo")
def undo_bar() -> ResponseReturnValue:
    return page("undo.html", "undo-bar")


@inbox.get("/recent")
def recent() -> ResponseReturnValue:
    """What was moved or deleted within the last day, each with its way back."""
    return page("recent.html", removals=triage.recent(runtime(), current_user.id))


@inbox.post("/undo")
def undo() -> ResponseReturnValue:
    """Take removals back."""
    given = request.form.getlist("id")[:1000]
    ids = [int(each) for each in given if each.isascii() and each.isdigit() and len(each) < 19]
    back = triage.undo(runtime(), current_user.id, ids)
    if ids and not back:
        flash(_("This could not be taken back: the message is no longer where it was put."))
    return see_other(inside(request.form.get("next")) or url_for("inbox.show"))


def _list_context(account_id: int, query: Query, open_key: str) -> dict[str, Any]:
    listing = reading.listing(runtime(), current_user.id, account_id, query, zone(), open_key)
    reading.open_folder(runtime(), listing.account, listing.folder)
    reading.fetch_texts(runtime(), listing.rows)
    with runtime().db.read() as connection:
        every = accounts.of_user(connection, current_user.id)
        asks = options.of(connection, current_user.id).ask_before_deleting
    searched, url = every if query.everywhere else [listing.account], _urls(account_id)
    folder = None if query.everywhere else listing.folder
    return {
        "listing": listing,
        "coverage": searching.coverage_of(runtime(), searched, folder, query.text) if query.text else None,
        "folders": listing.folders,
        "accounts": every,
        "asks": asks or (listing.folder is not None and listing.folder.role == "trash"),
        "list_url": url(query),
        "url_with": lambda **changes: url(query.with_(**changes)),
        "folder_url": lambda name: url(Query(folder=name)),
        "first_days": _first_days(),
        "as_of": _as_of(listing),
    }


def _first_days() -> list[tuple[str, date]]:
    """The dates that the filter offers by name."""
    today = local(runtime().clock.now()).date()
    return [
        (_("Today"), today),
        (_("Last 7 days"), today - timedelta(days=6)),
        (_("Last 30 days"), today - timedelta(days=29)),
    ]


def _as_of(listing: Listing) -> str:
    success = listing.account.imap_status.last_success_at
    synced = listing.folder.synced_at if listing.folder else ""
    latest = max(synced, timestamp(success) if success else "")
    return dates.clock_time(moment(latest)) if latest else ""


def _urls(account_id: int) -> Callable[[Query], str]:
    """Where a query of this account is shown; a list has some thirty of them, and one route."""
    path = url_for("inbox.folder", account_id=account_id)

    def url(query: Query) -> str:
        asked = urlencode(query.arguments(), safe="!$'()*,/:;?@")
        return f"{path}?{asked}" if asked else path

    return url


def _query() -> Query:
    given = request.args
    sort, senders = given.get("sort", "date"), given.get("senders", "")
    return Query(
        folder=given.get("folder", "")[:1000],
        text=given.get("q", "").strip()[:200],
        everywhere=given.get("everywhere") == "1",
        unread=given.get("unread") == "1",
        attachment=given.get("attachment") == "1",
        since=_day(given.get("since", "")),
        until=_day(given.get("until", "")),
        senders=senders if senders in EVERY_SENDERS else "",
        sort=sort if sort in EVERY_SORT else "date",
        ascending=given.get("order") == "ascending",
        after=given.get("after", "")[:2000],
        before=given.get("before", "")[:2000],
    )


def _day(text: str) -> date | None:
    """The day an `<input type="date">` gives; None when it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
