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
from soinbox_web.mail.mime.child import Broken
from soinbox_web.mail.mime.pool import SECONDS, TOO_MUCH, Busy, pool
from soinbox_web.mail.mime.render import Rendering
from soinbox_web.model.card_file import CardDraft
from soinbox_web.model.invitation import Invitation
from soinbox_web.model.message import Attachment, Correspondent, ParsedMessage
from soinbox_web.model.opened import Opened
from soinbox_web.problems import InputError, Problem

_TOO_BUSY = "too busy to read it now"
_CARD_BYTES = 100_000  # that are read in a second at least, however slow the machine


def open_guarded(raw: bytes, who: str = "") -> Opened:
    """A whole message as it is shown; `source_only` when reading it took too much. Never raises."""
    try:
        value, (text, html) = pool().ask("opened", raw, who=who)
    except Broken:
        return Opened(_source(raw, TOO_MUCH, who))
    except Busy:
        return Opened(_source(raw, _TOO_BUSY, who))
    words = _text(text)
    ends = list(accumulate(length for _, length in value["blocks"]))
    starts = (0, *ends)
    meeting = value["invitation"]
    return Opened(
        replace(_message(value["message"]), text=words),
        _text(html) if value["mark"] else None,
        value["mark"],
        tuple(value["urls"]),
        tuple(value["remote"]),
        tuple((bool(one[0]), words[starts[n] : ends[n]]) for n, one in enumerate(value["blocks"])),
        _meeting(meeting) if meeting else None,
    )


def part_guarded(raw: bytes, part: int, who: str = "") -> tuple[str, str, bytes]:
    """(media type, name, bytes) of a part; KeyError when there is none, or reading it took too much."""
    try:
        value, blobs = pool().ask("part", raw, part, who=who)
    except (Broken, Busy) as error:
        raise KeyError(part) from error
    if value is None:
        raise KeyError(part)
    return value[0], value[1], blobs[0]


def texts_guarded(raws: Sequence[bytes], longest: int, who: str = "") -> list[str | None]:
    """The texts of messages, read together; None for one that took too much. Raises Busy."""
    if not raws:
        return []
    try:
        _, blobs = pool().ask("texts", b"".join(raws), [[*map(len, raws)], longest], who=who)
        return [*map(_text, blobs)]
    except Broken:
        if len(raws) == 1:
            return [None]
        return [text for raw in raws for text in texts_guarded([raw], longest, who)]


def cards_guarded(text: str, kind: str) -> list[CardDraft]:
    """The cards of a file ("csv" or "vcard"); InputError file_unreadable, also when reading took too much."""
    raw = text.encode("utf-8", "surrogatepass")
    try:
        value, blobs = pool().ask("cards", raw, kind, seconds=SECONDS + len(raw) / _CARD_BYTES)
    except (Broken, Busy) as error:
        raise InputError(Problem("file_unreadable", facts={"detail": TOO_MUCH})) from error
    if "detail" in value:
        raise InputError(Problem("file_unreadable", facts={"detail": value["detail"]}))
    return [CardDraft(values, tuple(addresses)) for values, addresses in json.loads(blobs[0])]


def render_guarded(raw: bytes) -> dict[str, Any]:
    """The shape `render` of contract.md; of what took too much, its header and why."""
    try:
        value, _ = pool().ask("rendering", raw)
        return dict(value)
    except (Broken, Busy):
        return Rendering(_source(raw, TOO_MUCH, ""), None, "").as_json()


def _source(raw: bytes, reason: str, who: str) -> ParsedMessage:
    """Its header alone is read, by a child as well; should even that fail, nothing is known of it."""
    try:
        value, _ = pool().ask("fields", raw[: caps.HEADER_BLOCK], reason, who=who)
        return _message(value)
    except (Broken, Busy):
        return ParsedMessage(
            "", (), (), (), (), (), None, "", "", (), "", None, (), None, (reason,), source_only=True
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
