"""Sending a message that exists as a file (`soinbox send`): queued, delivered at once, reported."""

import re
import secrets
from datetime import timedelta
from typing import Any

from soinbox_web.mail.mime.compose import new_message_id
from soinbox_web.mail.mime.reader import header_fault
from soinbox_web.mail.mime.worker import open_guarded
from soinbox_web.model.account import Account
from soinbox_web.model.recipients import read_recipients, write_recipients
from soinbox_web.problems import InputError, Problem, SendError
from soinbox_web.runtime import Runtime
from soinbox_web.services.sending.delivery import deliver
from soinbox_web.services.sending.rule import objection
from soinbox_web.store import outbox
from soinbox_web.texts import Translate

_LINE_END = re.compile(rb"\r\n|\r|\n")
LEFT_ALONE = timedelta(seconds=5)  # before a mailroom sends what this process has put in the outbox
_BCC = re.compile(rb"(?im)^(?:resent-)?bcc[ \t]*:.*\r\n(?:[ \t].*\r\n)*")


def queue_file(runtime: Runtime, account: Account, raw: bytes) -> int:
    """Put a whole message in the outbox, for `deliver` to send at once, else for the mailroom; the row's id.

    InputError when there is no recipient, or some cannot be read or do not fit; SendError sender_not_first
    or sending_not_set_up, also when its From is not the account's address.
    """
    message = open_guarded(raw).message
    fault = header_fault(raw)
    if fault:
        raise InputError(Problem("header_too_big", evidence=fault))
    fields = [read_recipients(write_recipients(each)) for each in (message.to, message.cc, message.bcc)]
    for wrong in filter(None, (field.objection() for field in fields)):
        raise InputError(wrong)
    addresses = {each.address.casefold(): each.address for field in fields for each in field.people}
    if not addresses:
        raise InputError(Problem("recipient_missing"))
    if [each.address.casefold() for each in message.sender] not in ([], [account.address.casefold()]):
        raise SendError(Problem("sender_not_first", facts={"address": message.sender[0].address}))
    copy = _LINE_END.sub(b"\r\n", raw)
    message_id = message.message_id
    if not message_id:
        message_id = new_message_id(account.address)
        copy = f"Message-ID: {message_id}\r\n".encode() + copy
    if not message.sender:
        copy = f"From: {account.address}\r\n".encode() + copy
    head, _, body = copy.partition(b"\r\n\r\n")
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        problem = objection(connection, runtime.settings, account)
        if problem is not None:
            raise SendError(problem)
        return outbox.add(
            connection, account.user_id, account.id, now, compose_token=secrets.token_urlsafe(24),
            message_id=message_id, subject=message.subject, envelope_from=account.address,
            recipients=list(addresses.values()),
            wire=_BCC.sub(b"", head + b"\r\n") + b"\r\n" + body, sent_copy=copy, not_before=now + LEFT_ALONE,
        )  # fmt: skip


def send_file(runtime: Runtime, account: Account, raw: bytes, translate: Translate) -> dict[str, Any]:
    """Queue and deliver at once; the shape `send` of contract.md but for the address."""
    outbox_id = queue_file(runtime, account, raw)
    deliver(runtime, outbox_id)
    with runtime.db.read() as connection:
        row = outbox.of(connection, outbox_id)
    assert row is not None
    return {
        "message_id": row.message_id,
        "state": row.state,
        "recipients": [
            {"address": each.address, "state": each.state, "line": each.line} for each in row.recipients
        ],
        "problem": row.problem.as_json(translate) if row.problem else None,
    }
