"""A place is one URL: the full page, or the partial that htmx asks for by its target."""

from typing import Any

from flask import Response, current_app, g, make_response, redirect
from flask.typing import ResponseReturnValue

from soinbox_web.runtime import Runtime
from soinbox_web.web import hx
from soinbox_web.web.jinja import draw


def page(template: str, *partials: str, status: int = 200, **context: Any) -> Response:
    """Draw `template`, or the partial `_name.html` when the request's target `name` is listed in `partials`.

    A partial's file, its root id and its target carry one name: `message-list` is `_message_list.html`.
    """
    wanted = hx.target_id()
    name = f"_{wanted.replace('-', '_')}.html" if wanted in partials else template
    return make_response(draw(name, **context), status)


def look_again(seconds: int) -> None:
    """Without JavaScript this page comes again by itself; with it, htmx brings what is new."""
    g.look_again = seconds


def see_other(url: str) -> ResponseReturnValue:
    """303: the act is done, look there."""
    return redirect(url, 303)


def inside(path: str | None) -> str:
    """A path of this site to go to; "" for anything that could lead elsewhere."""
    path = path or ""
    safe = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if safe else ""


def row_number(text: str) -> int:
    """A number that a row can have; ValueError otherwise."""
    number = int(text[:20])
    if not 0 <= number < 2**63:
        raise ValueError("no row has this number")
    return number


def runtime() -> Runtime:
    """The process's long-lived things."""
    found: Runtime = current_app.extensions["soinbox"]
    return found
