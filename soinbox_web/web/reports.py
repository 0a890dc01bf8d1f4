"""The technical report as a page to read and copy from, and as a file."""

from flask import Response, request

from soinbox_web.web.page import page


def show(text: str, *, back: str) -> Response:
    """The page; the file when the address says `file`."""
    if "file" in request.args:
        answer = Response(text, mimetype="text/plain")
        answer.headers["Content-Disposition"] = 'attachment; filename="soinbox-report.txt"'
        return answer
    return page(
        "technical_report.html", text=text, back=back, masked="masked" in request.args, path=request.path
    )
