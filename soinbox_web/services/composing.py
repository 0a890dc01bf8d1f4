"""Composing: a new mail, an answer, a forward; what was typed is saved at once and survives everything."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from soinbox_web.mail.mime.worker import part_guarded
from soinbox_web.model import reply
from soinbox_web.model.account import Account
from soinbox_web.model.message import Correspondent, MessageKey, ParsedMessage
from soinbox_web.model.options import Options
from soinbox_web.model.recipients import write_recipients
from soinbox_web.model.sender import may_send
from soinbox_web.problems import AccessError, InputError, Problem
from soinbox_web.runtime import Runtime
from soinbox_web.store import accounts, drafts, options, outbox, persons
from soinbox_web.store.drafts import Draft, Kind

UNTOUCHED = timedelta(days=1)  # that a draft nobody wrote on is kept
KINDS: tuple[Kind, ...] = ("new", "reply", "reply_all", "forward")


@dataclass(frozen=True, slots=True)
class Typed:
    """The composer's fields as they were typed."""

    account_id: int | None
    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """The message that is answered or forwarded; `line` stands above the quote, in the writer's language."""

    key: MessageKey
    parsed: ParsedMessage
    raw: bytes
    line: str


def senders(runtime: Runtime, user_id: int) -> list[tuple[Account, bool]]:
    """The user's accounts, and whether the first-address rule lets each send."""
    with runtime.db.read() as connection:
        card = persons.of_user(connection, user_id)
        own = [each.address for each in card.addresses] if card else []
        found = accounts.of_user(connection, user_id)
    return [(each, may_send(runtime.settings.sender_rule, each.address, own)) for each in found]


def start(
    runtime: Runtime, user_id: int, account_id: int, kind: Kind, *, to: str = "", source: Source | None = None
) -> int:
    """A new draft of the account; its id. AccessError not_found for a foreign account."""
    with runtime.db.read() as connection:
        account = accounts.read(connection, account_id)
        if account.user_id != user_id:
            raise AccessError(Problem("not_found"))
        own = {each.address for each in accounts.of_user(connection, user_id)}
        chosen = options.of(connection, user_id)
    answer = _answer(kind, source, own) if source else _Answer(to=to)
    token, now = secrets.token_urlsafe(24), runtime.clock.now()
    with runtime.db.write() as connection:
        drafts.prune(connection, user_id, now - UNTOUCHED)
        draft_id = drafts.add(
            connection, user_id, account.id, token, now, kind=kind, to=answer.to, cc=answer.cc,
            subject=answer.subject, body=_signature(kind, chosen) + answer.body,
            source_key=str(source.key) if source else "", in_reply_to=answer.in_reply_to,
            references=answer.references,
        )  # fmt: skip
        for name, media_type, content in _forwarded(kind, source):
            drafts.add_file(connection, draft_id, name, media_type, content)
    return draft_id


def read(runtime: Runtime, user_id: int, draft_id: int) -> Draft:
    """The draft; AccessError not_found when it is another's, or is sent."""
    with runtime.db.read() as connection:
        draft = drafts.of(connection, user_id, draft_id)
    if draft is None:
        raise AccessError(Problem("not_found"))
    return draft


def everything(runtime: Runtime, user_id: int) -> list[Draft]:
    """The user's drafts, the last one touched first."""
    with runtime.db.read() as connection:
        return drafts.of_user(connection, user_id)


def save(runtime: Runtime, user_id: int, draft_id: int, typed: Typed) -> None:
    """Keep what was typed; a draft that is on its way is left as it is."""
    draft = read(runtime, user_id, draft_id)
    with runtime.db.write() as connection:
        if outbox.by_token(connection, user_id, draft.compose_token) is not None:
            return
        owned = {each.id for each in accounts.of_user(connection, user_id)}
        drafts.write(
            connection, user_id, draft_id, runtime.clock.now(),
            account_id=typed.account_id if typed.account_id in owned else draft.account_id,
            to=typed.to, cc=typed.cc, bcc=typed.bcc, subject=typed.subject, body=typed.body,
        )  # fmt: skip


def attach(runtime: Runtime, user_id: int, draft_id: int, files: Sequence[tuple[str, str, bytes]]) -> None:
    """Attach (name, media type, bytes); InputError upload_too_big when all together are over the limit."""
    draft = read(runtime, user_id, draft_id)
    total = sum(file.size for file in draft.files) + sum(len(content) for _, _, content in files)
    if total > runtime.settings.max_upload:
        raise InputError(Problem("upload_too_big"))
    with runtime.db.write() as connection:
        for name, media_type, content in files:
            drafts.add_file(connection, draft_id, _file_name(name), media_type, content)


def detach(runtime: Runtime, user_id: int, draft_id: int, file_id: int) -> None:
    """Take an attachment off."""
    read(runtime, user_id, draft_id)
    with runtime.db.write() as connection:
        drafts.remove_file(connection, draft_id, file_id)


def discard(runtime: Runtime, user_id: int, draft_id: int) -> None:
    """Throw the draft away; AccessError not_allowed while its mail is on its way."""
    draft = read(runtime, user_id, draft_id)
    with runtime.db.write() as connection:
        if outbox.by_token(connection, user_id, draft.compose_token) is not None:
            raise AccessError(Problem("not_allowed"))
        drafts.remove(connection, user_id, draft_id, runtime.clock.now())


@dataclass(frozen=True, slots=True)
class _Answer:
    to: str = ""
    cc: str = ""
    subject: str = ""
    body: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()


def _answer(kind: Kind, source: Source, own: set[str]) -> _Answer:
    message = source.parsed
    if kind == "forward":
        body = f"\n\n{source.line}\n\n{message.text}"
        return _Answer(subject=reply.forward_subject(message.subject), body=body)
    to: tuple[Correspondent, ...] = reply.reply_recipients(message, own)
    cc: tuple[Correspondent, ...] = ()
    if kind == "reply_all":
        to, cc = reply.reply_all_recipients(message, own)
    return _Answer(
        write_recipients(to),
        write_recipients(cc),
        reply.reply_subject(message.subject),
        f"\n\n{reply.quote(message.text, source.line)}\n",
        message.message_id,
        reply.references(message),
    )


def _signature(kind: Kind, chosen: Options) -> str:
    wanted = chosen.signature_in_new if kind == "new" else chosen.signature_in_replies
    return f"\n\n-- \n{chosen.signature.strip()}\n" if wanted and chosen.signature.strip() else ""


def _forwarded(kind: Kind, source: Source | None) -> list[tuple[str, str, bytes]]:
    """A forward keeps the attachments."""
    if kind != "forward" or source is None:
        return []
    found = []
    for each in source.parsed.attachments:
        try:
            media_type, name, content = part_guarded(source.raw, each.part)
        except KeyError as error:
            raise AccessError(Problem("not_found")) from error
        found.append((name, media_type, content))
    return found


def _file_name(name: str) -> str:
    """The last part of a path, without control characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable()).strip()[:200] or "attachment"
