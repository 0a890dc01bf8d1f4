"""Problems as pages: the one panel with cause and remedy, never a traceback."""

import logging

from flask import Flask, Response
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from soinbox_web.problems import Problem, SoinboxError
from soinbox_web.web.page import page

log = logging.getLogger(__name__)
HTTP_CODES = {403: "not_allowed", 404: "not_found", 405: "not_found", 413: "upload_too_big"}


def install(app: Flask) -> None:
    """Every error becomes a problem page."""
    app.register_error_handler(SoinboxError, _known)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def show(problem: Problem, status: int | None = None) -> Response:
    """The page (or the panel alone, for htmx) of one problem."""
    return page("problem.html", status=status or problem.kind.status, problem=problem)


def _known(error: SoinboxError) -> ResponseReturnValue:
    return show(error.problem)


def _http(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if code < 400:
        return error
    return show(Problem(HTTP_CODES.get(code, "input_invalid" if code < 500 else "unexpected")), code)


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.error("unexpected %s", type(error).__name__, exc_info=error)
    return show(Problem("unexpected", facts={"kind": type(error).__name__}), 500)
