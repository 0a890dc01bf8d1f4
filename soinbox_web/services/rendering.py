"""What the reading pane would show of a message in a file (`soinbox render`)."""

from soinbox_web.mail.mime.render import Rendering, render


def render_message(raw: bytes) -> Rendering:
    """Parsed, sanitised, without remote pictures; `.as_json()` has the shape of contract.md. Never raises."""
    return render(raw)
