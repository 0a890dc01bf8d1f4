"""Answering and forwarding, decided purely: the subject, the quote, the recipients, the thread."""

import re
from collections.abc import Collection

from soinbox_web.model.message import Correspondent, ParsedMessage

_REPLY = r"re|aw|antw|sv|vs|ref|rif|r|res|odp|ynt"
_FORWARD = r"fwd?|wg|doorst|vs|vb|tr|rv|enc|i"
_PREFIX = re.compile(
    rf"\s*(?:(?:{_REPLY}|{_FORWARD})(?:\s?\[\d{{1,3}}\]|\s?\(\d{{1,3}}\))?\s?[:：]\s*)", re.IGNORECASE
)
_IS_REPLY = re.compile(rf"\s*(?:{_REPLY})(?:\s?\[\d{{1,3}}\]|\s?\(\d{{1,3}}\))?\s?[:：]", re.IGNORECASE)
_REFERENCES = 30


def base_subject(subject: str) -> str:
    """The subject without its Re:, Antw:, AW:, Fwd:, WG: … in front."""
    while found := _PREFIX.match(subject):
        subject = subject[found.end() :]
    return subject.strip()


def reply_subject(subject: str) -> str:
    """`Re: …`, once, whatever stood there in other languages."""
    rest = subject
    while found := _IS_REPLY.match(rest):
        rest = rest[found.end() :]
    return f"Re: {rest.strip()}".strip()


def forward_subject(subject: str) -> str:
    """`Fwd: …`, once."""
    return f"Fwd: {base_subject(subject)}".strip()


def quote(text: str, header_line: str) -> str:
    """The quoted text under its line ("On … wrote:"), one `>` deeper."""
    lines = text.rstrip("\n").split("\n") if text.strip() else []
    quoted = [f">{line}" if line.startswith(">") else f"> {line}".rstrip(" ") for line in lines]
    return "\n".join([header_line, *quoted])


def references(message: ParsedMessage) -> tuple[str, ...]:
    """The References of an answer (RFC 5322 section 3.6.4); of very long threads the first and the last."""
    chain = message.references or ((message.in_reply_to,) if message.in_reply_to else ())
    own = (message.message_id,) if message.message_id else ()
    chain = tuple(dict.fromkeys((*(item for item in chain if item not in own), *own)))
    return chain if len(chain) <= _REFERENCES else (chain[0], *chain[1 - _REFERENCES :])


def reply_recipients(message: ParsedMessage, own: Collection[str]) -> tuple[Correspondent, ...]:
    """Whom *Reply* answers: Reply-To before From; of an own message, those it went to."""
    if _all_own(message.sender, own) and message.to and not message.reply_to:
        return _unique(message.to, ())
    return _unique(message.reply_to or message.sender, ())


def reply_all_recipients(
    message: ParsedMessage, own: Collection[str]
) -> tuple[tuple[Correspondent, ...], tuple[Correspondent, ...]]:
    """(To, Cc) of *Reply all*: everyone once, in order, without the `own` addresses unless nobody is left.

    Reply-To is honoured; where a list sets it to itself, the writer is still among the recipients by From.
    """
    first = reply_recipients(message, own)
    if message.reply_to and not _all_own(message.sender, own):
        rest: tuple[Correspondent, ...] = (*message.sender, *message.to)
    else:
        rest = message.to
    to = _unique(first, own) or _unique(first, ())
    taken = {*map(str.casefold, own), *(person.address.casefold() for person in to)}
    if _all_own(message.sender, own):
        return to, _unique(message.cc, taken)
    return to, _unique((*rest, *message.cc), taken)


def _all_own(people: tuple[Correspondent, ...], own: Collection[str]) -> bool:
    mine = {address.casefold() for address in own}
    return bool(people) and all(person.address.casefold() in mine for person in people)


def _unique(people: tuple[Correspondent, ...], without: Collection[str]) -> tuple[Correspondent, ...]:
    taken = {address.casefold() for address in without}
    kept: list[Correspondent] = []
    for person in people:
        key = person.address.casefold()
        if "@" in key and key not in taken:
            taken.add(key)
            kept.append(person)
    return tuple(kept)
