"""What the reading pane shows of a raw message: the parsed whole and its HTML made safe."""

from dataclasses import dataclass
from typing import Any

from soinbox_web.clock import timestamp
from soinbox_web.mail.mime.parse import parse
from soinbox_web.mail.mime.sanitize import Rewrite, safe_html
from soinbox_web.mail.mime.text import text_to_html
from soinbox_web.model.message import Correspondent, ParsedMessage, SafeHtml


@dataclass(frozen=True, slots=True)
class Rendering:
    """`html` is None when there is no HTML part or it is beyond the caps: then `text_html` is shown."""

    message: ParsedMessage
    html: SafeHtml | None
    text_html: str

    def as_json(self) -> dict[str, Any]:
        """The shape `render` of contract.md."""
        message = self.message
        return {
            "subject": message.subject,
            "from": _people(message.sender),
            "to": _people(message.to),
            "cc": _people(message.cc),
            "date": timestamp(message.date) if message.date else None,
            "message_id": message.message_id,
            "text": message.text,
            "html": self.html.html if self.html else None,
            "remote": list(self.html.remote) if self.html else [],
            "attachments": [
                {"name": a.name, "type": a.type, "size": a.size, "sha256": a.sha256, "inline": a.inline}
                for a in message.attachments
            ],
            "defects": list(message.defects),
        }


def render(raw: bytes, *, allow_remote: bool = False, rewrite_image: Rewrite | None = None) -> Rendering:
    """Reads and cleans a whole message; never raises, see `sanitize.safe_html` for the pictures."""
    message = parse(raw)
    html = None
    if message.html is not None and not message.source_only:
        html = safe_html(message.html, allow_remote=allow_remote, rewrite_image=rewrite_image)
    return Rendering(message, html, text_to_html(message.text))


def _people(people: tuple[Correspondent, ...]) -> list[dict[str, str]]:
    return [{"name": person.name, "address": person.address} for person in people]
