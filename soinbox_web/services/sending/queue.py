"""From draft to outbox row and back: checking, holding, undoing, sending again by the user's decision."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from soinbox_web.mail.mime.compose import build, new_message_id
from soinbox_web.model.outgoing import Outgoing, OutgoingFile
from soinbox_web.model.recipients import read_recipients
from soinbox_web.problems import AccessError, InputError, Problem, SendError
from soinbox_web.runtime import Runtime
from soinbox_web.services.sending.rule import objection, sender_of
from soinbox_web.store import accounts, drafts, outbox
from soinbox_web.store.drafts import Draft
from soinbox_web.store.outbox import OutboxRow

HELD = timedelta(seconds=13)  # before the mailroom may send
UNDO = timedelta(seconds=10)  # as long as *Undo* is shown
LONGEST_SUBJECT = 900


@dataclass(frozen=True, slots=True)
class Held:
    """A mail that can still be taken back."""

    id: int
    subject: str
    seconds_left: float


def check(runtime: Runtime, user_id: int, draft: Draft) -> dict[str, Problem]:
    """What is wrong with a draft, by field (`account`, `to`, `cc`, `bcc`, `subject`)."""
    found: dict[str, Problem] = {}
    with runtime.db.read() as connection:
        owned = [each for each in accounts.of_user(connection, user_id) if each.id == draft.account_id]
        problem = objection(connection, runtime.settings, owned[0]) if owned else Problem("not_found")
    if problem is not None:
        found["account"] = problem
    people = 0
    for field in ("to", "cc", "bcc"):
        recipients = read_recipients(getattr(draft, field))
        people += len(recipients.people)
        problem = recipients.objection()
        if problem is not None:
            found[field] = problem
    if not people and not found.keys() & {"to", "cc", "bcc"}:
        found["to"] = Problem("recipient_missing")
    if any(letter in draft.subject for letter in "\r\n\0") or len(draft.subject) > LONGEST_SUBJECT:
        found["subject"] = Problem("subject_invalid")
    return found


def queue(runtime: Runtime, user_id: int, draft_id: int) -> int:
    """Put a draft in the outbox, held for a while; the row's id, the same one however often it is asked.

    AccessError not_found; SendError sender_not_first or sending_not_set_up; InputError when a field is wrong.
    """
    with runtime.db.read() as connection:
        draft = drafts.of(connection, user_id, draft_id)
        if draft is None:
            raise AccessError(Problem("not_found"))
        known = outbox.by_token(connection, user_id, draft.compose_token)
        if known is not None:
            return known
    for field, problem in check(runtime, user_id, draft).items():
        raise (SendError if field == "account" else InputError)(problem)
    assert draft.account_id is not None
    with runtime.db.read() as connection:
        account = accounts.read(connection, draft.account_id)
        sender = sender_of(connection, account)
        files = tuple(
            OutgoingFile(each.name, each.type, drafts.file_content(connection, each.id))
            for each in draft.files
        )
    now = runtime.clock.now()
    built = build(
        Outgoing(
            sender, read_recipients(draft.to).people, draft.subject, draft.body,
            cc=read_recipients(draft.cc).people, bcc=read_recipients(draft.bcc).people, attachments=files,
            in_reply_to=draft.in_reply_to, references=draft.references,
        ),
        message_id=new_message_id(account.address), date=now,
    )  # fmt: skip
    with runtime.db.write() as connection:
        return outbox.add(
            connection, user_id, account.id, now, compose_token=draft.compose_token,
            message_id=built.message_id, subject=draft.subject, envelope_from=built.envelope_from,
            recipients=built.recipients, wire=built.wire, sent_copy=built.sent_copy, not_before=now + HELD,
            draft_id=draft.id, answers_key=draft.source_key,
        )  # fmt: skip


def undoable(runtime: Runtime, user_id: int) -> list[Held]:
    """Mail that was sent less than ten seconds ago."""
    now = runtime.clock.now()
    with runtime.db.read() as connection:
        young = outbox.held_since(connection, user_id, now - UNDO)
    return [Held(row.id, row.subject, (row.created_at + UNDO - now).total_seconds()) for row in young]


def undo(runtime: Runtime, user_id: int, outbox_id: int) -> int:
    """Take a mail back while it is held; its draft's id.

    SendError too_late when it is on its way, or somebody has it.
    """
    with runtime.db.write() as connection:
        row = _own(runtime, user_id, outbox_id)
        if row.reached or not outbox.cancel(connection, row.id, "held", runtime.clock.now()):
            raise SendError(Problem("too_late"))
        return _back_to_draft(runtime, user_id, row)


def again(runtime: Runtime, user_id: int, outbox_id: int) -> None:
    """Send a failed or uncertain mail once more, by the user's decision; SendError too_late otherwise."""
    row = _own(runtime, user_id, outbox_id)
    with runtime.db.write() as connection:
        if not outbox.reopen(connection, row.id, runtime.clock.now()):
            raise SendError(Problem("too_late"))


def give_up(runtime: Runtime, user_id: int, outbox_id: int) -> int | None:
    """Take a failed or uncertain mail out of the outbox; its draft, if that is still there.

    Of a mail that somebody has there is no draft any more: it would be sent to them once more.
    """
    row = _own(runtime, user_id, outbox_id)
    with runtime.db.write() as connection:
        if row.state not in ("failed", "uncertain") or not outbox.cancel(
            connection, row.id, row.state, runtime.clock.now()
        ):
            raise SendError(Problem("too_late"))
        if row.reached and row.draft_id is not None:
            drafts.remove(connection, user_id, row.draft_id, runtime.clock.now())
        return _back_to_draft(runtime, user_id, row) or None


def everything(runtime: Runtime, user_id: int) -> list[OutboxRow]:
    """The user's outbox, newest first."""
    with runtime.db.read() as connection:
        return outbox.of_user(connection, user_id)


def _own(runtime: Runtime, user_id: int, outbox_id: int) -> OutboxRow:
    with runtime.db.read() as connection:
        row = outbox.of(connection, outbox_id)
    if row is None or row.user_id != user_id:
        raise AccessError(Problem("not_found"))
    return row


def _back_to_draft(runtime: Runtime, user_id: int, row: OutboxRow) -> int:
    """The draft may be sent again, as another mail; 0 when there is none."""
    with runtime.db.write() as connection:
        if row.draft_id is None or drafts.of(connection, user_id, row.draft_id) is None:
            return 0
        drafts.renew_token(connection, row.draft_id, secrets.token_urlsafe(24))
        return row.draft_id
