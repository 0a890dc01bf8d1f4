"""What the reading pane would show of a message in a file (`soinbox render`)."""

from typing import Any

from soinbox_web.mail.mime.worker import render_guarded


def render_json(raw: bytes) -> dict[str, Any]:
    """The shape `render` of contract.md: parsed, sanitised, without remote pictures. Never raises."""
    return render_guarded(raw)
