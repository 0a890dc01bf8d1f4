"""The web process: `/live` as a native coroutine beside Flask in a pool of threads, on one port."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from a2wsgi.wsgi import WSGIMiddleware, WSGIResponder

from soinbox_web import logs
from soinbox_web.app import create_app
from soinbox_web.runtime import build
from soinbox_web.settings import from_environment
from soinbox_web.web.live import make_live

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

POOL_THREADS = 24
AHEAD = 65_536  # bytes of a request's body that are waited for before a thread is lent
UPLOADS = 8  # longer ones at once


class Responder(WSGIResponder):
    """a2wsgi's, but the first messages of an answer are not waited for until the loop has sent them.

    Most pages have no more of them, and the waiting was a third of a list's time (measured); whoever sends
    more, a large attachment, goes at the pace of the reader.
    """

    _ahead = 3  # where the answer begins, its only piece, its end

    def send(self, message: Any) -> None:
        if self._ahead:
            self._ahead -= 1
            self.loop.call_soon_threadsafe(self.send_queue.put_nowait, message)
        else:
            super().send(message)


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
