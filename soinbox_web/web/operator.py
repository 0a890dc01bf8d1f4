"""The operator's page over all accounts, storage and versions; and the same for Prometheus."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from soinbox_web.problems import AccessError, Problem
from soinbox_web.services import instance_report
from soinbox_web.web import hosts
from soinbox_web.web.access import administrators_only, open_to_all
from soinbox_web.web.page import page, runtime

operator = Blueprint("operator", __name__)
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


@operator.get("/operator")
def show() -> ResponseReturnValue:
    """For administrators; nothing of anybody's mail is on it."""
    administrators_only()
    return page("operator.html", instance=instance_report.instance(runtime()))


@operator.get("/metrics")
@open_to_all
def metrics() -> ResponseReturnValue:
    """SOINBOX_METRICS: to this machine only, and never through a proxy; else there is no such page."""
    through_proxy = any(name in request.headers for name in FORWARDED)
    if not runtime().settings.metrics or not hosts.is_loopback(request.remote_addr or "") or through_proxy:
        raise AccessError(Problem("not_found"))
    text = instance_report.exposition(instance_report.instance(runtime()))
    return Response(text, content_type="text/plain; version=0.0.4; charset=utf-8")
