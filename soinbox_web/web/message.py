"""One message: its page, its body in a frame of its own, its parts, its source, and what is done to it."""

from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, abort, make_response, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from soinbox_web.model.message import MessageKey
from soinbox_web.model.opened import Opened
from soinbox_web.problems import AccessError, Problem, SoinboxError
from soinbox_web.services import message_content, pictures, reading, triage
from soinbox_web.store import options
from soinbox_web.web import hx, message_pane
from soinbox_web.web.access import open_to_all
from soinbox_web.web.jinja import draw
from soinbox_web.web.page import inside, page, runtime, see_other

message = Blueprint("message", __name__)
message.add_app_template_global(message_pane.as_it_is)

BODY_CSP = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src 'self' data:; "
    "style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
PRINT_CSP = BODY_CSP.replace("frame-ancestors 'self'", "frame-ancestors 'none'")
PART_CSP = "sandbox; default-src 'none'; frame-ancestors 'none'"
MOST_KEYS = 1000
HEADERS = 256_000  # bytes shown


@message.get("/messages/<key>")
def show(key: str) -> ResponseReturnValue:
    context = message_pane.pane(str(_key(key)))
    if context["message"] is None:
        raise AccessError(context["pane_problem"] or Problem("not_found"))
    back = url_for("inbox.folder", account_id=_key(key).account_id, folder=_key(key).folder)
    return page("message.html", "message-pane", list_url=back, **context)


@message.get("/messages/<key>/body")
def body(key: str) -> ResponseReturnValue:
    """The HTML of a message, for the sandboxed frame and nothing else."""
    if request.headers.get("Sec-Fetch-Dest", "iframe") not in ("iframe", "frame"):
        abort(403)
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        abort(403)
    found = _key(key)
    shown = _opened(found)
    html = message_pane.frame(found, shown)
    return _sealed(draw("message_body.html", html=html, parsed=shown.message), BODY_CSP)


@message.get("/messages/<key>/print")
def print(key: str) -> ResponseReturnValue:
    """Header and message on one sheet, under the body's policy."""
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        abort(403)
    found = _key(key)
    row, shown = reading.message(runtime(), current_user.id, found), _opened(found)
    html = message_pane.frame(found, shown)
    return _sealed(draw("message_print.html", html=html, parsed=shown.message, message=row), PRINT_CSP)


@message.get("/messages/<key>/parts/<int:part>")
def part(key: str, part: int) -> ResponseReturnValue:
    """An attachment: saved, or with `preview=1` and a harmless picture shown."""
    found = message_content.part(_raw(_key(key)), part, current_user.id)
    shown = request.args.get("preview") == "1" and found.type != message_content.BINARY
    kind = found.type if shown else message_content.BINARY
    return _file(found.content, kind, found.name, "inline" if shown else "attachment")


@message.get("/messages/<key>/source.eml")
def source(key: str) -> ResponseReturnValue:
    raw = _raw(_key(key))
    name = (message_content.parsed(raw, current_user.id).subject or "message")[:80]
    return _file(raw, message_content.BINARY, f"{name.translate(_NOT_IN_NAMES)}.eml", "attachment")


@message.get("/messages/<key>/headers")
def headers(key: str) -> ResponseReturnValue:
    """The header block as it came, as plain text."""
    raw = _raw(_key(key))
    block = raw[: raw.find(b"\r\n\r\n") if b"\r\n\r\n" in raw else raw.find(b"\n\n")][:HEADERS]
    return _file(block.decode("utf-8", "replace").encode(), "text/plain; charset=utf-8", "", "inline")


@message.get("/image/<token>")
@open_to_all
def image(token: str) -> ResponseReturnValue:
    """A picture for the frame, by capability: the frame's opaque origin has no session."""
    if request.headers.get("Sec-Fetch-Dest", "image") != "image":
        abort(403)
    try:
        found = pictures.open_token(runtime(), token)
        response = _file(found.content, found.type, "", "inline")
    except SoinboxError:  # the frame shows the picture's alternative text
        response = _file(b"", "text/plain", "", "inline")
        response.status_code = 404
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = "private, max-age=600"
    return response


@message.post("/messages/<key>/trust")
def trust(key: str) -> ResponseReturnValue:
    """Always show the pictures of this sender."""
    for sender in _opened(_key(key)).message.sender[:1]:
        message_content.trust(runtime(), current_user.id, sender.address)
    return see_other(inside(request.form.get("next")) or url_for("message.show", key=key))


@message.post("/messages/act")
def act() -> ResponseReturnValue:
    """Mark, move, copy or delete one message or many."""
    keys, verb, folder = _keys(request.form.getlist("key")), request.form.get("do", ""), ""
    if verb.startswith(("move:", "copy:")):
        verb, _, folder = verb.partition(":")
    if verb not in triage.VERBS:
        abort(422)
    after = inside(request.form.get("next")) or _folder_url(keys)
    if not keys:
        return see_other(after)
    if verb == "delete" and request.form.get("confirmed") != "1" and _must_ask(keys):
        return hx.go_or_redirect(
            url_for("message.ask_delete", key=[str(each) for each in keys], next=after), see_other
        )
    triage.act(runtime(), current_user.id, keys, verb, folder)
    return see_other(after)


@message.get("/messages/delete")
def ask_delete() -> ResponseReturnValue:
    """The question before deleting, as a page."""
    keys = _keys(request.args.getlist("key"))
    final = triage.is_final(runtime(), current_user.id, keys)
    rows = [reading.message(runtime(), current_user.id, each) for each in keys[:5]]
    after = inside(request.args.get("next")) or _folder_url(keys)
    return page("message_delete.html", keys=keys, final=final, rows=rows, after=after)


def _must_ask(keys: list[MessageKey]) -> bool:
    with runtime().db.read() as connection:
        asks = options.of(connection, current_user.id).ask_before_deleting
    return asks or triage.is_final(runtime(), current_user.id, keys)


def _key(text: str) -> MessageKey:
    found = MessageKey.read(text)
    if found is None:
        raise AccessError(Problem("not_found"))
    return found


def _keys(texts: list[str]) -> list[MessageKey]:
    return [_key(each) for each in texts[:MOST_KEYS]]


def _raw(key: MessageKey) -> bytes:
    raw = reading.raw(runtime(), current_user.id, key)
    if raw is None:
        raise AccessError(Problem("message_not_here"))
    return raw


def _opened(key: MessageKey) -> Opened:
    return message_content.opened(_raw(key), current_user.id)


def _folder_url(keys: list[MessageKey]) -> str:
    if not keys:
        return url_for("inbox.show")
    return url_for("inbox.folder", account_id=keys[0].account_id, folder=keys[0].folder)


def _sealed(html: str, policy: str) -> Response:
    response = make_response(html)
    response.headers["Content-Security-Policy"] = policy
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _file(content: bytes, kind: str, name: str, disposition: str) -> Response:
    response = make_response(content)
    headers: dict[str, Any] = {"Content-Type": kind, "Content-Security-Policy": PART_CSP}
    plain = name.encode("ascii", "replace").decode().replace("?", "_").translate(_NOT_IN_NAMES)
    names = f"; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}" if name else ""
    headers["Content-Disposition"] = disposition + names
    response.headers.update(headers)
    return response


_NOT_IN_NAMES = {ord(letter): "_" for letter in '"\\/\r\n\t:*?<>|'}
