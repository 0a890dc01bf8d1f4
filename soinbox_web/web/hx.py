"""The only file that knows htmx's headers (htmx 4: `HX-Target` is `tag#id`)."""

from collections.abc import Callable
from urllib.parse import SplitResult, parse_qs, urlsplit

from flask import Response, request
from flask.typing import ResponseReturnValue


def is_partial() -> bool:
    """The request comes from htmx and wants a fragment, not a boosted or restored page."""
    return (
        request.headers.get("HX-Request") == "true"
        and request.headers.get("HX-Request-Type", "partial") != "full"
    )


def target_id() -> str:
    """The id of the element that the answer will be swapped into; "" when there is none."""
    return request.headers.get("HX-Target", "").partition("#")[2] if is_partial() else ""


def vary(response: Response) -> Response:
    """Answers differ by these headers."""
    response.vary.update(["HX-Request", "HX-Target"])
    return response


def go(response: Response, url: str) -> Response:
    """Make htmx load `url` as a page of its own."""
    response.headers["HX-Redirect"] = url
    return response


def current_argument(name: str) -> str:
    """An argument of the URL in the browser's address line, as htmx tells it; "" when there is none."""
    query = parts(request.headers.get("HX-Current-URL", "")).query
    return next(iter(parse_qs(query).get(name, ())), "")


def parts(url: str) -> SplitResult:
    """A URL that a browser sent, taken apart; empty where it is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def go_or_redirect(url: str, redirect: Callable[[str], ResponseReturnValue]) -> ResponseReturnValue:
    """A whole page at `url` next, asked by htmx or not."""
    return go(Response(), url) if is_partial() else redirect(url)
