"""What the reading pane shows of one message; the inbox and the message's own page draw the same."""

from typing import Any

from flask import request, url_for
from flask_login import current_user

from soinbox_web.model.message import MessageKey, ParsedMessage
from soinbox_web.model.opened import Opened
from soinbox_web.problems import Problem, SoinboxError
from soinbox_web.services import message_content, pictures, reading, triage
from soinbox_web.store import options, persons
from soinbox_web.web.page import look_again, runtime
from soinbox_web.web.template_globals import here

FETCHING = 2  # seconds until a page looks again for what the server is asked for


def pane(text: str) -> dict[str, Any]:
    """The context of `_message_pane.html` for the message key in `text` ("" = none is open).

    Opening marks as read when the options say so, except when a browser only looks ahead (Sec-Purpose).
    """
    key = MessageKey.read(text)
    asked = str(key or "unknown") if text else ""
    empty: dict[str, Any] = {"message": None, "opened_key": asked, "pane_problem": None}
    if key is None:
        return empty
    try:
        found = _message(key)
        if found["parsed"] is None and not found["pane_problem"]:
            look_again(FETCHING)
        return {**empty, **found}
    except SoinboxError as error:
        return {**empty, "pane_problem": error.problem}


def as_it_is() -> str:
    """This page again, without marking the message as read: what was marked by hand stays."""
    again = here()
    return again if "mark=0" in again else f"{again}{'&' if '?' in again else '?'}mark=0"


def _message(key: MessageKey) -> dict[str, Any]:
    row = reading.message(runtime(), current_user.id, key)
    with runtime().db.read() as connection:
        chosen = options.of(connection, current_user.id)
    looks = request.args.get("mark") != "0"
    if (
        looks
        and row.unread
        and chosen.mark_as_read
        and "prefetch" not in request.headers.get("Sec-Purpose", "")
    ):
        triage.mark_read(runtime(), current_user.id, key)
        row = reading.message(runtime(), current_user.id, key)
    opened, problem = _opened(key)
    parsed = opened.message if opened else None
    final = triage.is_final(runtime(), current_user.id, [key])
    return {
        "message": row,
        "parsed": parsed,
        "pane_problem": problem,
        "folders": reading.folders_of(runtime(), current_user.id, key.account_id),
        "ask_before_deleting": chosen.ask_before_deleting or final,
        "deletes_for_good": final,
        **(_view(key, opened) if opened else {}),
    }


def _opened(key: MessageKey) -> tuple[Opened | None, Problem | None]:
    """The message, or nothing while it is fetched, or why it cannot be."""
    try:
        raw = reading.raw(runtime(), current_user.id, key)
    except SoinboxError as error:
        return None, error.problem
    return (message_content.opened(raw, current_user.id) if raw is not None else None), None


def _view(key: MessageKey, opened: Opened) -> dict[str, Any]:
    parsed = opened.message
    images = shows_images(parsed)
    as_text = opened.html is None or request.args.get("view") == "text"
    people = (*parsed.sender, *parsed.to, *parsed.cc)
    with runtime().db.read() as connection:
        cards = {
            each.address.lower(): found[0]
            for each in people[:50]
            if (found := persons.by_address(connection, each.address))
        }
    return {
        "as_text": as_text,
        "text_blocks": opened.blocks if as_text else [],
        "invitation": opened.invitation,
        "left_out": opened.left_out,
        "again": opened.again,
        "has_html": opened.html is not None,
        "remote": opened.remote,
        "shows_images": images,
        "body_url": url_for("message.body", key=str(key), images="1" if images else None),
        "cards": cards,
        "files": [
            each for each in parsed.attachments if not (each.inline and each.content_id and opened.html)
        ],
    }


def shows_images(parsed: ParsedMessage) -> bool:
    """Remote pictures were asked for now, or are always wanted of this sender."""
    if request.args.get("images") == "1":
        return True
    return any(message_content.trusts(runtime(), current_user.id, each.address) for each in parsed.sender)


def frame(key: MessageKey, opened: Opened) -> str | None:
    """The safe HTML with its pictures as capabilities; None when there is only text."""
    base, images = url_for("message.image", token=""), shows_images(opened.message)
    rewrite = pictures.rewriter(runtime(), current_user.id, key, opened.message, base)
    return opened.shown(lambda url: rewrite(url) if images or url[:4].lower() == "cid:" else None)
