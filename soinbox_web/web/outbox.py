"""Drafts and outbox: what is being written, what is on its way, and what could not be sent."""

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from soinbox_web.services import composing, sending
from soinbox_web.web.live_position import live_since
from soinbox_web.web.page import page, runtime, see_other

outbox = Blueprint("outbox", __name__)


@outbox.get("/outbox")
def show() -> ResponseReturnValue:
    live_since()
    mails = sending.everything(runtime(), current_user.id)
    return page(
        "outbox.html",
        "outbox-list",
        mails=mails,
        looking={each.id for each in mails if sending.is_looking(runtime(), each)},
        drafts=composing.everything(runtime(), current_user.id),
    )


@outbox.post("/outbox/<int:outbox_id>/undo")
def undo(outbox_id: int) -> ResponseReturnValue:
    """Take a held mail back: its draft opens again."""
    draft_id = sending.undo(runtime(), current_user.id, outbox_id)
    return see_other(url_for("draft.edit", draft_id=draft_id) if draft_id else url_for("outbox.show"))


@outbox.post("/outbox/<int:outbox_id>/again")
def again(outbox_id: int) -> ResponseReturnValue:
    sending.again(runtime(), current_user.id, outbox_id)
    return see_other(url_for("outbox.show"))


@outbox.post("/outbox/<int:outbox_id>/edit")
def edit(outbox_id: int) -> ResponseReturnValue:
    """Back to the draft of a mail that could not be sent."""
    draft_id = sending.give_up(runtime(), current_user.id, outbox_id)
    return see_other(url_for("draft.edit", draft_id=draft_id) if draft_id else url_for("outbox.show"))


@outbox.post("/outbox/<int:outbox_id>/remove")
def remove(outbox_id: int) -> ResponseReturnValue:
    """Take a failed or uncertain mail out of the outbox; its draft stays."""
    sending.give_up(runtime(), current_user.id, outbox_id)
    return see_other(url_for("outbox.show"))
