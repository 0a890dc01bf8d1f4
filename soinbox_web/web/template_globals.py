"""What templates draw with: icons, avatars, and static files whose URLs change with their content."""

import hashlib
import zlib
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, cast

from flask import Flask, request, url_for
from markupsafe import Markup

from soinbox_web.web import dates, hx
from soinbox_web.web.jinja import Spoken
from soinbox_web.web.page import inside

STATIC = Path(__file__).parent.parent / "static"
COLOURS = 8
STYLESHEETS = (
    "tokens", "soinbox", "layout", "forms", "inbox", "message", "composer", "card", "setup", "mail", "print",
)  # fmt: skip


def install(app: Flask) -> None:
    """The globals that templates draw with, the filters of dates, and `?v=` on static URLs."""
    if not app.debug:
        environment = cast(Spoken, app.jinja_env)
        environment.functions += (lambda language: {"icon": partial(_drawn, _sprite())},)
        environment.fixed += ("icon", "url_for")
    app.jinja_env.globals.update(
        icon=icon,
        avatar=avatar,
        stylesheets=[name for name in STYLESHEETS if (STATIC / "css" / f"{name}.css").exists()],
        here=here,
        came_from=came_from,
        page_exists=lambda endpoint: endpoint in app.view_functions,
    )
    for show in (dates.row_date, dates.full_date, dates.clock_time, dates.iso, dates.file_size):
        app.add_template_filter(show)

    @app.url_defaults
    def version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "v" not in values:
            values["v"] = _version(values["filename"], app.debug)


def here() -> str:
    """The path and query of this page, for forms that come back; after a post, a place that can be seen."""
    if request.method == "GET":
        return inside(request.full_path.removesuffix("?"))
    rule = request.url_rule
    return inside(request.path) if rule and "GET" in (rule.methods or ()) else came_from()


def came_from() -> str:
    """The path and query of the page of ours that led here; "" when there is none."""
    origin = hx.parts(request.referrer or "")
    path = f"{origin.path}?{origin.query}" if origin.query else origin.path
    return inside(path) if origin.netloc == request.host else ""


def icon(name: str, label: str = "") -> Markup:
    """A Phosphor icon of the sprite; `label` only where no words stand beside it."""
    return _drawn(_sprite(), name, label)


def _sprite() -> str:
    return url_for("static", filename="icons/sprite.svg")


@lru_cache(maxsize=1024)
def _drawn(sprite: str, name: str, label: str = "") -> Markup:
    meaning = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" {}><use href="{}#{}"/></svg>').format(meaning, sprite, name)


def avatar(name: str, address: str = "", size: str = "") -> Markup:
    """A disc with initials, its colour by the address; `size` is "", `small` or `large`."""
    colour = zlib.crc32((address or name).lower().encode()) % COLOURS + 1
    extra = f" avatar-{size}" if size else ""
    return Markup('<span class="avatar avatar-{}{}" aria-hidden="true">{}</span>').format(
        colour, extra, initials(name or address)
    )


def initials(name: str) -> str:
    """Up to two capitals: of the first and the last word, or of the address's local part."""
    words = [word for word in name.partition("@")[0].replace(".", " ").split() if word[0].isalnum()]
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [word[0] for word in words]
    return "".join(letters).upper() or "?"


def _version(filename: str, changing: bool) -> str:
    return _digest.__wrapped__(filename) if changing else _digest(filename)


@cache
def _digest(filename: str) -> str:
    path = STATIC / filename
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10] if path.is_file() else "0"
