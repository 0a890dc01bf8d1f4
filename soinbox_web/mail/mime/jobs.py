"""What a reading child is asked for, by name: one job reads foreign bytes and answers with plain values."""

import dataclasses
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from soinbox_web.mail.mime import caps
from soinbox_web.mail.mime.invitation import invitation
from soinbox_web.mail.mime.parse import parse, part_bytes, readable_text, source_only
from soinbox_web.mail.mime.render import render
from soinbox_web.mail.mime.sanitize import safe_html
from soinbox_web.model import card_file, quoting
from soinbox_web.model.message import ParsedMessage, SafeHtml
from soinbox_web.problems import InputError

_LONGEST_URL = 2_000


@dataclass(frozen=True, slots=True)
class Answer:
    """`value` is what JSON can hold; long texts and bytes travel beside it.

    An answer may come in pieces, the surest first: what came before the child was ended is of use. Where
    `anew`, what follows has as much time as the job had.
    """

    value: Any
    blobs: tuple[bytes, ...] = ()
    last: bool = True
    anew: bool = False


def opened(raw: bytes, _: Any) -> Iterator[Answer]:
    """Everything that the pages of one message show of it; its raw HTML stays here."""
    yield Answer({"message": _fields(source_only(raw[: caps.HEADER_BLOCK], ""))}, last=False)
    message = parse(raw)
    blocks = [(folded, len(words)) for folded, words in quoting.blocks(message.text)]
    yield Answer({"message": _fields(message), "blocks": blocks}, (_bytes(message.text),), last=False)
    urls: list[str] = []
    mark = f"/{secrets.token_hex(12)}/"
    safe = _safe(message, urls, mark)
    remote = [url for url in urls if url[:4].lower() != "cid:"]
    value = {
        "mark": mark if safe else "",
        "urls": urls,
        "remote": list(dict.fromkeys((*remote, *safe.remote)))[: caps.PICTURES] if safe else [],
    }
    yield Answer(value, (_bytes(safe.html if safe else ""),), last=False)
    meeting = invitation(message.invitation) if message.invitation else None
    yield Answer({"invitation": _meeting(meeting)})


def _safe(message: ParsedMessage, urls: list[str], mark: str) -> SafeHtml | None:
    """The safe HTML in which each picture is `mark` and the number of its URL."""
    if not message.html or message.source_only:
        return None
    numbers: dict[str, int] = {}

    def stand_in(url: str) -> str | None:
        if url not in numbers:
            if len(urls) >= caps.PICTURES or len(url) > _LONGEST_URL:
                return None
            numbers[url] = len(urls)
            urls.append(url)
        return f"{mark}{numbers[url]}"

    return safe_html(message.html, allow_remote=True, rewrite_image=stand_in)


def _fields(message: ParsedMessage) -> dict[str, Any]:
    fields = dataclasses.asdict(dataclasses.replace(message, text="", html=None, invitation=None))
    return {**fields, "date": message.date.isoformat() if message.date else None}


def _meeting(found: Any) -> dict[str, Any] | None:
    if found is None:
        return None
    moments = {
        name: each.isoformat() if (each := getattr(found, name)) else None for name in ("start", "end")
    }
    return {**dataclasses.asdict(found), **moments}


def fields(raw: bytes, reason: Any) -> Iterator[Answer]:
    """Only what stands at the top, of a message that took too much."""
    yield Answer(_fields(source_only(raw, str(reason))))


def part(raw: bytes, number: Any) -> Iterator[Answer]:
    """One part: its type, its name, its bytes; None when there is none."""
    try:
        media_type, name, content = part_bytes(raw, number)
    except KeyError:
        yield Answer(None)
        return
    yield Answer([media_type, name], (content,))


def texts(raw: bytes, given: Any) -> Iterator[Answer]:
    """The texts of some messages that stand one behind the other."""
    lengths, longest = given
    found, position = [], 0
    for length in lengths:
        found.append(_bytes(readable_text(raw[position : position + length])[:longest]))
        position += length
    yield Answer(None, tuple(found))


def cards(raw: bytes, given: Any) -> Iterator[Answer]:
    """The cards of a file, some at a time, or in words what cannot be read in it; each has its own time."""
    kind, at_once = given
    text = raw.decode("utf-8", "surrogatepass")
    found: list[Any] = []
    count = kept = 0
    try:
        for draft in card_file.vcards(text) if kind == "vcard" else card_file.rows(text):
            count += 1
            if draft.holds_anything:
                found.append([draft.values, draft.addresses])
                kept += 1
            if count % at_once == 0:
                yield Answer({"count": count}, (json.dumps(found).encode(),), last=False, anew=True)
                found = []
            if kept > card_file.MAX_CARDS:
                break
    except InputError as error:
        yield Answer({"detail": str(error.problem.facts.get("detail", ""))[:300]})
        return
    yield Answer({"count": count}, (json.dumps(found).encode(),))


def rendering(raw: bytes, _: Any) -> Iterator[Answer]:
    """The shape `render` of contract.md."""
    yield Answer(render(raw).as_json())


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


JOBS: dict[str, Callable[[bytes, Any], Iterator[Answer]]] = {
    each.__name__: each for each in (opened, fields, part, texts, cards, rendering)
}


def warm_up() -> None:
    """What is loaded at its first use is loaded before the first message, and not in its time."""
    html = b'Content-Type: text/html\n\n<p style="color:red">x<img src="cid:a">\n'
    meeting = b"Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;TZID=Europe/Amsterdam:"
    meeting += b"20261201T090000\nEND:VEVENT\nEND:VCALENDAR\n"
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" + html + b"--b\n" + meeting + b"--b--\n"
    for _ in opened(raw, None):
        pass
    for _ in texts(raw, [[len(raw)], 100]):
        pass
