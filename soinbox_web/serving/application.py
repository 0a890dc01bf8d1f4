"""The web process: `/live` as a native coroutine beside Flask in a pool of threads, on one port."""

import multiprocessing
import signal

from soinbox_web import logs
from soinbox_web.app import create_app
from soinbox_web.runtime import build
from soinbox_web.sealed import Application, Sealed, Send
from soinbox_web.serving.askers import Askers
from soinbox_web.serving.bodies import Receive, Scope
from soinbox_web.serving.bridge import Bridge
from soinbox_web.serving.head import BoundedHead
from soinbox_web.settings import from_environment
from soinbox_web.stopping import stop_with_parent
from soinbox_web.web.live import make_live


def application() -> Application:
    """Built in each worker process, after the fork; settings come from the environment."""
    logs.configure()
    parent = multiprocessing.parent_process()
    if parent is not None:  # uvicorn's own, which holds the port as long as its workers live
        stop_with_parent(parent.pid, signal.SIGKILL)  # it may hang: then its parent was killed for it
    settings = from_environment()
    BoundedHead.secure = settings.secure
    runtime = build(settings)
    flask = Bridge(create_app(settings, runtime), Askers(runtime))
    live = make_live(runtime)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await live.lifespan(receive, send)
        elif scope["path"] == "/live":
            await live(scope, receive, send)
        elif scope["type"] == "http":
            await flask(scope, receive, send)

    return Sealed(serve, secure=settings.secure)
