"""The web process: `/live` as a native coroutine beside Flask in a pool of threads, on one port."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from a2wsgi import WSGIMiddleware

from soinbox_web import logs
from soinbox_web.app import create_app
from soinbox_web.runtime import build
from soinbox_web.settings import from_environment
from soinbox_web.web.live import make_live

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

POOL_THREADS = 24


def application() -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Built in each worker process, after the fork; settings come from the environment."""
    logs.configure()
    settings = from_environment()
    runtime = build(settings)
    flask = WSGIMiddleware(create_app(settings, runtime), workers=POOL_THREADS)  # type: ignore[arg-type]
    live = make_live(runtime)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await live.lifespan(receive, send)
        elif scope["path"] == "/live":
            await live(scope, receive, send)
        else:
            await flask(scope, receive, send)  # type: ignore[arg-type]

    return serve
