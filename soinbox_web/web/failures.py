"""Problems as pages: the one panel with cause and remedy, never a traceback."""

import logging

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from markupsafe import escape
from werkzeug.exceptions import HTTPException

from soinbox_web.problems import Problem, SoinboxError
from soinbox_web.texts import LANGUAGES, translator
from soinbox_web.web import healing
from soinbox_web.web.page import page

log = logging.getLogger(__name__)
HTTP_CODES = {403: "not_allowed", 404: "not_found", 405: "not_found", 413: "upload_too_big"}


def install(app: Flask) -> None:
    """Every error becomes a problem page."""
    app.register_error_handler(SoinboxError, _known)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def show(problem: Problem, status: int | None = None) -> Response:
    """The page (or the panel alone, for htmx) of one problem; a plain one where even that cannot be drawn."""
    status = status or problem.kind.status
    try:
        return page("problem.html", status=status, problem=problem)
    except Exception as error:  # whatever a page is made of may be what is broken
        log.error("the page of a problem: %s", type(error).__name__, exc_info=error)
        return plain(problem, status)


def plain(problem: Problem, status: int) -> Response:
    """The problem without anything that can fail: no database, no user, no template, no address looked up."""
    try:
        language = request.accept_languages.best_match(LANGUAGES) or "en"
        translate = translator(language)
        words = [problem.title(translate), problem.cause(translate), problem.remedy(translate)]
    except Exception:
        language, words = "en", ["Something went wrong in soinbox", "This page cannot be drawn.", ""]
    title, cause, remedy = map(escape, words)
    return Response(
        f'<!doctype html>\n<html lang="{language}">\n<head><meta charset="utf-8">'
        f"<title>{title} – soinbox</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"></head>\n'
        f"<body><main><h1>{title}</h1><p>{cause}</p><p><strong>{remedy}</strong></p>"
        '<p><a href="/">soinbox</a></p></main></body>\n</html>\n',
        status,
        content_type="text/html; charset=utf-8",
    )


def _known(error: SoinboxError) -> ResponseReturnValue:
    account_id = healing.begin(error.problem)
    return show(Problem("mailbox_damaged") if account_id else error.problem)


def _http(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if code < 400:
        return error
    return show(Problem(HTTP_CODES.get(code, "input_invalid" if code < 500 else "unexpected")), code)


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.error("unexpected %s", type(error).__name__, exc_info=error)
    return show(Problem("unexpected", facts={"kind": type(error).__name__}), 500)
