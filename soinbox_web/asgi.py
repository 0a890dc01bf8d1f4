"""The web process: `/live` as a native coroutine beside Flask in a pool of threads, on one port."""

import asyncio
import multiprocessing
import signal
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from a2wsgi.wsgi import Body, WSGIMiddleware, WSGIResponder, build_environ

from soinbox_web import logs
from soinbox_web.app import create_app
from soinbox_web.runtime import build
from soinbox_web.settings import from_environment
from soinbox_web.stopping import stop_with_parent
from soinbox_web.web.live import make_live

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

POOL_THREADS = 24
AHEAD = 65_536  # bytes of a request's body that are waited for before a thread is lent
UPLOADS = 8  # longer ones at once


class Responder(WSGIResponder):
    """a2wsgi's, but a page goes to the loop in one piece, together with the end of its thread's work.

    To hand over each of its messages was a third of a list's time (measured). What has more of them, a large
    attachment, goes at the pace of the reader from there on.
    """

    _MESSAGES = 3  # where the answer begins, its only piece, its end

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._ready: list[Any] = []
        self._pass_on = send
        environ = build_environ(scope, Body(self.loop, receive))
        await self.loop.run_in_executor(self.executor, self.wsgi, environ, self.start_response)
        await self._deliver()

    def send(self, message: Any) -> None:
        self._ready.append(message)
        if len(self._ready) > self._MESSAGES:
            asyncio.run_coroutine_threadsafe(self._deliver(), self.loop).result()

    async def _deliver(self) -> None:
        ready, self._ready = self._ready, []
        for message in ready:
            await self._pass_on(message)


class Bridge(WSGIMiddleware):
    """Flask in a pool of threads; whoever sends slowly holds none up, or one of a few with a large upload."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._uploads = asyncio.Semaphore(UPLOADS)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
        elif (size := _announced(scope)) > AHEAD:
            async with self._uploads:
                await self._respond(scope, receive, send)
        elif (whole := await _whole(receive) if size else receive) is not None:
            await self._respond(scope, whole, send)

    async def _respond(self, scope: Any, receive: Any, send: Any) -> None:
        await Responder(self.app, self.executor, self.send_queue_size)(scope, receive, send)


def _announced(scope: Scope) -> int:
    """The length of a request's body; 0 when it is not told, then nobody reads one."""
    told = dict(scope["headers"]).get(b"content-length", b"")
    return int(told) if told.isdigit() else 0


async def _whole(receive: Receive) -> Receive | None:
    """The body once all of it is here; None when its sender has left."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body, more = body + message.get("body", b""), message.get("more_body", False)

    async def at_once() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return at_once


def application() -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Built in each worker process, after the fork; settings come from the environment."""
    logs.configure()
    parent = multiprocessing.parent_process()
    if parent is not None:  # uvicorn's own, which holds the port as long as its workers live
        stop_with_parent(parent.pid, signal.SIGKILL)  # it may hang: then its parent was killed for it
    settings = from_environment()
    runtime = build(settings)
    flask = Bridge(create_app(settings, runtime), workers=POOL_THREADS)
    live = make_live(runtime)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await live.lifespan(receive, send)
        elif scope["path"] == "/live":
            await live(scope, receive, send)
        else:
            await flask(scope, receive, send)

    return serve
