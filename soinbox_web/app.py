"""`create_app`: a list of what is plugged in."""

from datetime import timedelta

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

from soinbox_web.runtime import Runtime, build
from soinbox_web.settings import Settings
from soinbox_web.web import access, banners, blueprints, failures, jinja, language, template_globals


class RowNumber(IntegerConverter):
    """`<int:…>` in a URL: what a row can have; a larger number is no page."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**63 - 1)


def create_app(settings: Settings, runtime: Runtime | None = None) -> Flask:
    """The WSGI application of one instance."""
    app = Flask(__name__)
    runtime = runtime or build(settings)
    app.extensions["soinbox"] = runtime
    app.config.update(
        SECRET_KEY=runtime.vault.derive("flask cookie"),
        MAX_CONTENT_LENGTH=settings.max_upload + 1_000_000,
        MAX_FORM_MEMORY_SIZE=4_000_000,
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        SESSION_COOKIE_NAME="__Host-soinbox" if settings.secure else "soinbox",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,  # once a day: web/access.py
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=30),
    )
    app.url_map.converters["int"] = RowNumber
    for plug in (jinja, language, template_globals, access, banners, failures):
        plug.install(app)
    for blueprint in blueprints.ALL:
        app.register_blueprint(blueprint)
    return app
