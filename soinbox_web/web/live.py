"""`/live`: a stream that names what changed, as a native ASGI coroutine; no thread or database of its own."""

import asyncio
import signal
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from soinbox_web.runtime import Runtime
from soinbox_web.services import members
from soinbox_web.web import hosts
from soinbox_web.web.cookie import SessionCookie, address_group
from soinbox_web.web.watcher import Listener, Watcher

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HEARTBEAT = 12.0  # seconds; the session is looked up again each time
PAUSE = 0.25  # seconds between two batches of one stream, so that a backfill does not redraw without end
OF_ONE_USER = 16  # streams of one process
OF_ONE_ADDRESS = 200  # a team behind one router, or one proxy
HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]


class Live:
    """One per web process; `lifespan` ends the streams when the process is told to stop."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._watcher = Watcher(runtime)
        self._stopping = asyncio.Event()
        self._cookie = SessionCookie(runtime)
        self._streams: Counter[Hashable] = Counter()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        if not hosts.is_ours(self._runtime.settings, headers.get(b"host", "")):
            return await _refuse(send, 421)
        if headers.get(b"sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return await _refuse(send, 403)
        token = self._cookie.token(headers.get(b"cookie", ""))
        member = await asyncio.to_thread(members.of_session, self._runtime, token) if token else None
        if member is None:
            return await _refuse(send, 401)
        groups = {("user", member.id): OF_ONE_USER, ("address", address_group(scope)): OF_ONE_ADDRESS}
        if any(self._streams[group] >= most for group, most in groups.items()):
            return await _refuse(send, 429)
        self._streams.update(groups.keys())
        try:
            await self._serve(scope, headers, member.id, token, receive, send)
        finally:
            self._streams.subtract(groups.keys())
            self._streams = +self._streams

    async def _serve(
        self,
        scope: MutableMapping[str, Any],
        headers: dict[bytes, str],
        user_id: int,
        token: str,
        receive: Receive,
        send: Send,
    ) -> None:
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        since = headers.get(b"last-event-id") or next(iter(asked.get("since", ())), "")
        loop, bell = asyncio.get_running_loop(), asyncio.Event()
        listener = Listener(user_id, lambda: loop.call_soon_threadsafe(bell.set))
        await asyncio.to_thread(self._watcher.join, listener, since)
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await self._stream(listener, bell, gone, token, send)
        finally:
            gone.cancel()
            self._watcher.leave(listener)

    async def _stream(
        self, listener: Listener, bell: asyncio.Event, gone: "asyncio.Future[None]", token: str, send: Send
    ) -> None:
        await _write(send, f"retry: 1000\nid: {listener.vector}\nevent: connected\ndata: \n\n")
        time = asyncio.get_running_loop().time
        heartbeat = time() + HEARTBEAT
        while not (gone.done() or self._stopping.is_set()):
            names, vector = listener.take()
            if names:
                await _write(send, "".join(f"id: {vector}\nevent: {n}\ndata: \n\n" for n in names))
                await _first(PAUSE, gone, self._stopping.wait())
            if time() >= heartbeat:  # however much there is to tell
                if await asyncio.to_thread(members.of_session, self._runtime, token) is None:
                    break
                await _write(send, "event: still-here\ndata: \n\n")
                heartbeat = time() + HEARTBEAT
            bell.clear()
            if listener.waiting:
                continue
            await _first(max(0.0, heartbeat - time()), gone, self._stopping.wait(), bell.wait())
        if not gone.done():
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def lifespan(self, receive: Receive, send: Send) -> None:
        """The process's beginning and end (ASGI lifespan)."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._end_streams_on_sigterm()
                await send({"type": "lifespan.startup.complete"})
            else:
                self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def stop(self) -> None:
        """End every stream and the watcher."""
        self._stopping.set()
        self._watcher.stop()

    def _end_streams_on_sigterm(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        loop, before = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)

        def chained(number: int, frame: Any) -> None:
            loop.call_soon_threadsafe(self._stopping.set)
            if callable(before):
                before(number, frame)

        signal.signal(signal.SIGTERM, chained)


def make_live(runtime: Runtime) -> Live:
    """The ASGI application of `/live` for one process."""
    return Live(runtime)


async def _first(seconds: float, *waits: Awaitable[Any]) -> bool:
    """Wait for any of these; False when the time ran out."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    done, pending = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task, wait in zip(tasks, waits, strict=True):
        if task in pending and task is not wait:
            task.cancel()
    return bool(done)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _refuse(send: Send, status: int) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
