"""The guarded reader: foreign bytes are read in child processes that may be killed (docs/adr/0010).

`who` is the user or account on whose behalf it is read: nobody holds more than half of the children.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import accumulate
from typing import Any

from soinbox_web.mail.mime import caps
from soinbox_web.mail.mime.child import NO_MEMORY, NO_TIME, TOO_LARGE, Broken, Slow, Told
from soinbox_web.mail.mime.pool import Busy, pool
from soinbox_web.mail.mime.render import Rendering
from soinbox_web.model import card_file
from soinbox_web.model.card_file import CardDraft
from soinbox_web.model.invitation import Invitation
from soinbox_web.model.message import Attachment, Correspondent, ParsedMessage
from soinbox_web.model.opened import Opened
from soinbox_web.problems import InputError, Problem

TOO_BUSY = "too busy to read it now"
REASONS = {
    NO_TIME: "reading it took too much time",
    NO_MEMORY: "reading it took too much memory",
    TOO_LARGE: "there is too much in it",
}
CRASHED = "the reader broke down over it"
NO_HTML = "its formatted text is left out"
NO_MEETING = "its invitation is left out"
_CARDS_AT_ONCE = 200
_TOP_SECONDS = 0.25  # for the header alone, after the whole took too much


def open_guarded(raw: bytes, who: str = "") -> Opened:
    """A whole message as it is shown, or as much of it as was read in time. Never raises."""
    try:
        told = pool().ask("opened", raw, who=who)
    except Broken as error:
        why = reason(error)
        if "blocks" not in (error.told.value or {}):
            return Opened(_source(raw, why, who, error.told), again=isinstance(error, Slow))
        told = error.told
        lost = NO_MEETING if "mark" in told.value else NO_HTML
        found = _opened(told)
        message = replace(found.message, defects=(*found.message.defects, why, lost))
        return replace(found, message=message, left_out=True, again=isinstance(error, Slow))
    except Busy:
        return Opened(_source(raw, TOO_BUSY, who, None), again=True)
    return _opened(told)


def _opened(told: Told) -> Opened:
    value, (text, *html) = told.value, told.blobs
    words = _text(text)
    ends = list(accumulate(length for _, length in value["blocks"]))
    starts = (0, *ends)
    meeting = value.get("invitation")
    return Opened(
        replace(_message(value["message"]), text=words),
        _text(html[0]) if value.get("mark") else None,
        value.get("mark", ""),
        tuple(value.get("urls", ())),
        tuple(value.get("remote", ())),
        tuple((bool(one[0]), words[starts[n] : ends[n]]) for n, one in enumerate(value["blocks"])),
        _meeting(meeting) if meeting else None,
    )


def reason(error: Broken) -> str:
    """Why there was no whole answer: too much time or memory, a fault of ours, a busy machine."""
    return TOO_BUSY if isinstance(error, Slow) else REASONS.get(error.code or 0, CRASHED)


def part_guarded(raw: bytes, part: int, who: str = "") -> tuple[str, str, bytes]:
    """(media type, name, bytes) of a part; KeyError when there is none, or reading it took too much."""
    try:
        told = pool().ask("part", raw, part, who=who)
    except (Broken, Busy) as error:
        raise KeyError(part) from error
    if told.value is None:
        raise KeyError(part)
    return told.value[0], told.value[1], told.blobs[0]


def texts_guarded(raws: Sequence[bytes], longest: int, who: str = "") -> list[str | None]:
    """The texts of messages, read together; None for one that took too much. Raises Busy: another time."""
    if not raws:
        return []
    try:
        told = pool().ask("texts", b"".join(raws), [[*map(len, raws)], longest], who=who)
        return [*map(_text, told.blobs)]
    except Slow as error:
        raise Busy from error
    except Broken:
        if len(raws) == 1:
            return [None]
        return [text for raw in raws for text in texts_guarded([raw], longest, who)]


def cards_guarded(text: str, kind: str) -> list[CardDraft]:
    """The cards of a file ("csv" or "vcard"); InputError file_unreadable, which names the one that took too
    much. However many there are, some hundreds are read in the time that one message has.
    """
    raw = text.encode("utf-8", "surrogatepass")
    try:
        told = pool().ask("cards", raw, [kind, _CARDS_AT_ONCE], who="cards")
    except (Busy, Slow) as error:
        raise _unreadable(TOO_BUSY) from error
    except Broken as error:
        where = "" if error.code == TOO_LARGE else f"{_guilty_card(raw, kind)}: "
        raise _unreadable(where + reason(error)) from error
    if "detail" in told.value:
        raise _unreadable(told.value["detail"])
    drafts = [CardDraft(values, tuple(each)) for blob in told.blobs for values, each in json.loads(blob)]
    return card_file.kept(drafts)


def _guilty_card(raw: bytes, kind: str) -> str:
    """Which card of a file the reading ended at: read once more, one by one."""
    try:
        count = int(pool().ask("cards", raw, [kind, 1], who="cards").value.get("count", 0))
    except Busy:
        return "?"
    except Broken as error:
        count = int((error.told.value or {}).get("count", 0))
    return f"{'card' if kind == 'vcard' else 'row'} {count + 1}"


def _unreadable(detail: str) -> InputError:
    return InputError(Problem("file_unreadable", facts={"detail": detail}))


def render_guarded(raw: bytes) -> dict[str, Any]:
    """The shape `render` of contract.md; of what took too much, its header and why."""
    try:
        return dict(pool().ask("rendering", raw).value)
    except Broken as error:
        why = reason(error)
    except Busy:
        why = TOO_BUSY
    return Rendering(_source(raw, why, "", None), None, "").as_json()


def _source(raw: bytes, why: str, who: str, told: Told | None) -> ParsedMessage:
    """Its header alone, which came first, or is read by itself; should even that fail, nothing is known."""
    try:
        if told is not None and told.value:
            return replace(_message(told.value["message"]), defects=(why,))
        top = raw[: caps.HEADER_BLOCK]
        return _message(pool().ask("fields", top, why, who=who, seconds=_TOP_SECONDS).value)
    except (Broken, Busy):
        return ParsedMessage(
            "", (), (), (), (), (), None, "", "", (), "", None, (), None, (why,), source_only=True
        )


def _text(blob: bytes) -> str:
    return blob.decode("utf-8", "surrogatepass")


def _message(fields: dict[str, Any]) -> ParsedMessage:
    people = {
        name: tuple(Correspondent(*person) for person in fields[name])
        for name in ("sender", "reply_to", "to", "cc", "bcc")
    }
    return ParsedMessage(
        **{
            **fields,
            **people,
            "date": datetime.fromisoformat(fields["date"]) if fields["date"] else None,
            "attachments": tuple(Attachment(**attachment) for attachment in fields["attachments"]),
            "references": tuple(fields["references"]),
            "defects": tuple(fields["defects"]),
        }
    )


def _meeting(fields: dict[str, Any]) -> Invitation:
    organizer = fields["organizer"]
    return Invitation(
        **{
            **fields,
            "start": _moment(fields["start"]),
            "end": _moment(fields["end"]),
            "organizer": Correspondent(*organizer) if organizer else None,
            "attendees": tuple(Correspondent(*person) for person in fields["attendees"]),
        }
    )


def _moment(text: str | None) -> datetime | date | None:
    if text is None:
        return None
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
