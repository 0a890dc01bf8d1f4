"""Delivering one outbox row: claimed once, its phase durable before the final dot, never doubled."""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from functools import partial

from soinbox_web.mail import credentials
from soinbox_web.mail.net.network import Network
from soinbox_web.mail.smtp.submission import SmtpConnection
from soinbox_web.model import backoff
from soinbox_web.model.account import Account
from soinbox_web.model.message import MessageKey
from soinbox_web.model.submission import RecipientResult, SubmissionResult
from soinbox_web.problems import Problem, SendError, SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.services.sending.answered import mark_answered
from soinbox_web.services.sending.rule import objection
from soinbox_web.services.sending.uncertain import fetch_sent
from soinbox_web.store import accounts, actions, drafts, locks, options, outbox
from soinbox_web.store.outbox import OutboxRow, Phase, Recipient

FIRST_RETRY = timedelta(seconds=60)
LONGEST_RETRY = timedelta(hours=1)
SOON = 5  # tries that something here broke off are followed by another soon; then the pauses grow
GIVE_UP = timedelta(hours=48)
PROVIDER_FILES = timedelta(seconds=30)  # that a provider may take to file the Sent copy itself


def deliver(runtime: Runtime, outbox_id: int) -> SubmissionResult | None:
    """Send one held row now; its result, or None when somebody else has it or it was undone.

    A connection that fails before the final dot ends in `failed` with the problem; when that passes by itself
    the row is held again. No transaction is open while the network is used.
    """
    with _sender(runtime, outbox_id) as ours:
        return _deliver(runtime, outbox_id) if ours else None


def _sender(runtime: Runtime, outbox_id: int) -> AbstractContextManager[bool]:
    """Be the one who sends this row, as long as the block lasts; False when somebody else is, and lives."""
    return locks.held(runtime.settings.instance / f"sending-{outbox_id}.lock")


def _deliver(runtime: Runtime, outbox_id: int) -> SubmissionResult | None:
    worker = f"{os.getpid()}"
    with runtime.db.write() as connection:
        if not outbox.claim(connection, outbox_id, worker, runtime.clock.now()):
            return None
        row = outbox.of(connection, outbox_id)
        assert row is not None
        account = accounts.read(connection, row.account_id)
        refused = objection(connection, runtime.settings, account)
        wire = outbox.wire(connection, outbox_id)
    result = _failed(row, refused) if refused else _submit(runtime, account, row, wire)
    _settle(runtime, account, row, result)
    if result.state == "uncertain":
        fetch_sent(runtime, account)
    return result


def recover(runtime: Runtime, *, at_once: bool) -> None:
    """What a dead sender claimed is held again; after the dot, uncertain. Who lives is left alone.

    `at_once`: due now. Otherwise after a pause: what made the sender fail may still be there.
    """
    with runtime.db.read() as connection:
        claimed = [row.id for row in outbox.interrupted(connection)]
    for outbox_id in claimed:
        with _sender(runtime, outbox_id) as dead:
            if dead:
                _give_back(runtime, outbox_id, at_once)


def _give_back(runtime: Runtime, outbox_id: int, at_once: bool) -> None:
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        row = outbox.of(connection, outbox_id)
        if row is None:
            return
        if row.phase == "dot":
            problem = Problem("send_uncertain", side="smtp", facts={"host": _host(row)})
            outbox.settle(connection, row.id, "uncertain", row.recipients, now, problem)
        else:
            soon = row.attempts <= SOON and timedelta(seconds=backoff.OURS_AGAIN)
            pause = timedelta() if at_once else soon or _doubled(row)
            outbox.hold(connection, row.id, row.recipients, now + pause, now)


def _submit(runtime: Runtime, account: Account, row: OutboxRow, wire: bytes) -> SubmissionResult:
    network = Network(runtime.settings, runtime.clock)

    def reach(phase: Phase, told: Sequence[RecipientResult] = ()) -> None:
        with runtime.db.write() as connection:
            if not outbox.reach(connection, row.id, row.attempts, phase, _merged(row, told)):
                raise SendError(Problem("too_late"))  # another mailroom has it: nothing is sent twice

    def opened(secret: str, token: bool) -> SmtpConnection:
        assert account.smtp is not None
        smtp = SmtpConnection.connect(account.smtp, network)
        try:
            smtp.sign_in(secret, token=token)
        except BaseException:
            smtp.close()
            raise
        return smtp

    try:
        with credentials.sign_in(account, "smtp", runtime.secrets, network, opened) as smtp:
            reach("connected")
            return smtp.submit(row.envelope_from, row.waiting, wire, before_dot=partial(reach, "dot"))
    except SoinboxError as error:
        return _failed(row, error.problem)


def _settle(runtime: Runtime, account: Account, row: OutboxRow, result: SubmissionResult) -> None:
    """Write down what became of it: one transaction."""
    now = runtime.clock.now()
    recipients = _merged(row, result.recipients)
    delayed = any(each.state == "delayed" for each in recipients)
    passing = result.state == "failed" and result.problem is not None and result.problem.retry == "later"
    with runtime.db.write() as connection:
        if not outbox.is_held_by(connection, row.id, row.attempts):
            return
        _note_attempt(runtime, account, result)
        if result.state == "sent" and not row.reached:
            _file_copy(runtime, account, row)
            mark_answered(connection, row, now)
        if result.state == "uncertain":
            outbox.settle(connection, row.id, "uncertain", recipients, now, result.problem)
        elif (passing or (delayed and result.state == "sent")) and now - row.created_at < GIVE_UP:
            waiting = [replace(r, state="waiting") if r.state == "not_sent" else r for r in recipients]
            outbox.hold(connection, row.id, waiting, now + _pause(row, result), now, result.problem)
        elif all(each.state in ("sent", "refused") for each in recipients) and any(
            each.state == "sent" for each in recipients
        ):
            refused = [r for r in recipients if r.state != "sent"]
            problem = result.problem if refused else None
            outbox.settle(connection, row.id, "sent", recipients, now, problem)
            if row.draft_id is not None:
                drafts.remove(connection, row.user_id, row.draft_id, now)
        else:
            outbox.settle(connection, row.id, "failed", recipients, now, result.problem)


def _merged(row: OutboxRow, results: Sequence[RecipientResult]) -> list[Recipient]:
    """The recipients with the server's new words about those that were tried."""
    told = {each.address: each for each in results}
    merged = []
    for each in row.recipients:
        new = told.get(each.address)
        merged.append(each if new is None else Recipient(each.address, new.state, new.line))
    return merged


def _pause(row: OutboxRow, result: SubmissionResult) -> timedelta:
    named = result.problem.retry_after_seconds if result.problem else None
    if named:
        return timedelta(seconds=named)
    ours = result.problem is not None and result.problem.code in backoff.OURS
    return timedelta(seconds=backoff.OURS_AGAIN) if ours else _doubled(row)


def _doubled(row: OutboxRow) -> timedelta:
    doublings: int = 2 ** max(0, min(row.attempts, 10) - 1)
    return min(FIRST_RETRY * doublings, LONGEST_RETRY)


def _failed(row: OutboxRow, problem: Problem | None) -> SubmissionResult:
    return SubmissionResult("failed", tuple(RecipientResult(a, "not_sent") for a in row.waiting), problem)


def _note_attempt(runtime: Runtime, account: Account, result: SubmissionResult) -> None:
    """How the outgoing side fares; a refused recipient or message says nothing about it."""
    problem = result.problem if result.problem is not None and result.problem.stage in _SIDE_STAGES else None
    if result.problem is not None and problem is None and result.state == "failed":
        return
    with runtime.db.write() as connection:
        accounts.record_attempt(connection, account.id, "smtp", runtime.clock.now(), problem)


_SIDE_STAGES = ("lookup", "connect", "encrypt", "greet", "sign_in")


def _file_copy(runtime: Runtime, account: Account, row: OutboxRow) -> None:
    """One Sent copy, by an action; none where the provider files it itself."""
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        if account.files_sent_copy == "yes" or not options.of(connection, row.user_id).save_sent_copy:
            return
        unknown = account.files_sent_copy == "unknown"
        actions.add(
            connection, row.user_id, "append", MessageKey(account.id, "", 0, 0), now,
            arguments={"flags": ["\\Seen"], "message_id": row.message_id, "look_first": unknown},
            not_before=now + PROVIDER_FILES if unknown else now,
            content=outbox.sent_copy(connection, row.id),
        )  # fmt: skip


def _host(row: OutboxRow) -> str:
    return row.envelope_from.rpartition("@")[2]
