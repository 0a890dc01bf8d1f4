"""Flask behind the loop: a thread is lent once a body is whole, and never waits for who reads the answer.

A large answer waits for its reader on the disk: slow readers cost no memory.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Mapping, MutableMapping
from contextlib import closing
from dataclasses import dataclass, field
from io import BytesIO
from tempfile import SpooledTemporaryFile
from types import MappingProxyType
from typing import Any, cast

from a2wsgi.wsgi import WSGIResponder, build_environ

from soinbox_web.fair import FairPool, Full
from soinbox_web.serving.bodies import Bodies, Bound, Left, Receive, Refused, Scope

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

TOO_LARGE = "soinbox.too_large"  # in the environment of a request whose body was not taken
NOTHING: Mapping[str, Any] = MappingProxyType({})
TURN = 30.0  # seconds that a request waits for a thread
PIECE = 65_536  # bytes handed on at a time
READER_GRACE = 30.0  # seconds that a reader may take for anything
READER_LEAST = 8_000  # bytes a second that it takes after them
LARGE = 1_000_000  # bytes: the answers that are counted, and wait on the disk
HELD = 64_000_000  # bytes of large answers that wait for one client
HELD_IN_ALL = 256_000_000

REASONS = {
    408: "The request came too slowly.",
    413: "The request is too large.",
    429: "Too many requests at once. Wait a little.",
    503: "soinbox is busy. Wait a little.",
}


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, what they may send, and whose threads they use."""

    client: Hashable
    bound: Bound
    pool: FairPool
    shares: Mapping[Hashable, int] = field(default_factory=dict)


class Bridge:
    """`whose` tells who asks; `wsgi` answers."""

    def __init__(self, wsgi: Any, whose: Callable[[Scope], Awaitable[Asker]]) -> None:
        self._wsgi = wsgi
        self._whose = whose
        self._bodies = Bodies()
        self._held: Counter[Hashable] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asker = await self._whose(scope)
        try:
            body = await self._bodies.read(scope, receive, asker.client, asker.bound)
            with body:
                answer = await self._answer(scope, body, receive, asker)
            with closing(answer):
                await self._deliver(scope, answer, asker.client, send)
        except Refused as refusal:
            if refusal.status == 413 and asker.bound.has_pages:
                await self._told_by_page(scope, receive, asker, send)
            else:
                await refuse(send, refusal.status)
        except Left:
            return

    async def _told_by_page(self, scope: Scope, receive: Receive, asker: Asker, send: Send) -> None:
        """A member sees why on a page like any other."""
        scope["headers"] = [each for each in scope["headers"] if each[0] != b"transfer-encoding"]
        with closing(await self._answer(scope, BytesIO(), receive, asker, {TOO_LARGE: True})) as answer:
            await self._deliver(scope, answer, asker.client, send)

    async def _answer(
        self, scope: Scope, body: Any, receive: Receive, asker: Asker, more: Mapping[str, Any] = NOTHING
    ) -> "_Answer":
        answer = _Answer(self._wsgi)
        environ = {**build_environ(cast(Any, scope), body), **more}
        try:
            future = asker.pool.submit(asker.client, answer.make, environ, shares=asker.shares)
        except Full as error:
            raise Refused(503) from error
        made, gone = asyncio.wrap_future(future), asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait((made, gone), timeout=TURN, return_when=asyncio.FIRST_COMPLETED)
            if not made.done() and future.cancel():  # no thread yet
                raise Left if gone.done() else Refused(503)
            await made
        except OSError as error:  # no room for it on the disk
            raise Refused(503) from error
        finally:
            gone.cancel()
        return answer

    async def _deliver(self, scope: Scope, answer: "_Answer", client: Hashable, send: Send) -> None:
        length = answer.length
        size = length if length > LARGE else 0
        held = self._held[client], self._held.total()
        if size and ((held[0] and held[0] + size > HELD) or (held[1] and held[1] + size > HELD_IN_ALL)):
            raise Refused(503)
        self._held[client] += size
        try:
            async with asyncio.timeout(READER_GRACE + length / READER_LEAST):
                await send(answer.start)
                for left in range(length, 0, -PIECE):
                    piece = answer.content.read(PIECE)
                    await send({"type": "http.response.body", "body": piece, "more_body": left > PIECE})
                if not length:
                    await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            scope.get("extensions", {}).get("http.abort", {"abort": lambda: None})["abort"]()
        finally:
            self._held[client] -= size
            self._held = +self._held


class _Answer(WSGIResponder):
    """a2wsgi's, but what the application says is kept until it has said all."""

    def __init__(self, wsgi: Any) -> None:
        self.app = wsgi
        self.response_started = False
        self.exc_info = None
        self.start: MutableMapping[str, Any] = {}
        self.content: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(LARGE)  # noqa: SIM115
        self.length = 0

    def make(self, environ: Any) -> None:
        self.wsgi(environ, self.start_response)
        self.content.seek(0)

    def send(self, message: Any) -> None:
        if not self.start:
            self.start = message
            return
        self.length += len(message["body"])
        if self.length > LARGE:
            self.content.rollover()  # before it is in memory once more
        self.content.write(message["body"])

    def close(self) -> None:
        self.content.close()


async def refuse(send: Send, status: int) -> None:
    """One short line, and the end of the connection: what else it sends is not read."""
    line = REASONS[status].encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(line)),
        (b"connection", b"close"),
    ]
    if status in (429, 503):
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": line})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
