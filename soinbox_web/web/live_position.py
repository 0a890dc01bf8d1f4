"""How far a page has seen: the vector its stream goes on from."""

from flask import g
from flask_login import current_user

from soinbox_web.web.page import runtime
from soinbox_web.web.watcher import current_vector


def live_since() -> str:
    """Taken once a request, before anything is read for the page: what changes meanwhile is then told."""
    if "live_since" not in g:
        g.live_since = current_vector(runtime(), current_user.id)
    return str(g.live_since)
