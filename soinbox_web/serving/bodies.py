"""Bodies of requests, read in the loop: their size and pace, and how many at once of one client."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

IN_MEMORY = 65_536  # bytes of one body; the rest of it waits on the disk
GRACE = 10.0  # seconds in which nothing need come
LEAST = 4_000  # bytes a second that come after it
SMALL = 16_384  # bytes: a form, which nearly always comes with its head
AT_ONCE = 1.0  # seconds in which a small body takes no place: else slow ones of many addresses could take all


class Refused(Exception):
    """Not taken: 408, 413, 429 or 503."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Left(Exception):
    """The client has gone: there is nobody to answer."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What one kind of sender may send; who finds no place waits `patience` seconds for one."""

    most: int  # bytes
    seconds: float
    at_once: int  # of one client
    in_all: int
    patience: float = 0.0
    has_pages: bool = False  # a body that is too large is told on a page


STRANGER = Bound(SMALL, seconds=20, at_once=16, in_all=128)
MEMBER = Bound(4_200_000, seconds=120, at_once=16, in_all=128, patience=20, has_pages=True)


def upload(most: int) -> Bound:
    """The largest: a file of `most` bytes and the form around it."""
    return Bound(most + 1_000_000, seconds=1_200, at_once=4, in_all=12, patience=60, has_pages=True)


class Bodies:
    """The places of one process."""

    def __init__(self) -> None:
        self._taken: Counter[Hashable] = Counter()
        self._freed = asyncio.Condition()

    async def read(
        self, scope: Scope, receive: Receive, client: Hashable, bound: Bound
    ) -> "SpooledTemporaryFile[bytes]":
        """The whole body, and `content-length` as it really is; raises Refused or Left."""
        announced = length(scope)
        if announced == 0:
            await _next(receive, bound.seconds)
            return SpooledTemporaryFile()
        if announced is not None and announced > bound.most:
            raise Refused(413)
        body = await self._taken_in(
            receive, client, bound, AT_ONCE if (announced or bound.most) <= SMALL else 0.0
        )
        _tell_length(scope, body.tell())
        body.seek(0)
        return body

    async def _taken_in(
        self, receive: Receive, client: Hashable, bound: Bound, at_once: float
    ) -> "SpooledTemporaryFile[bytes]":
        """All of it; after `at_once` seconds it needs a place."""
        if not at_once:
            async with self._place(client, bound):
                return await _whole(receive, bound)
        reading = asyncio.ensure_future(_whole(receive, bound))
        try:
            if not (await asyncio.wait((reading,), timeout=at_once))[0]:
                async with self._place(client, bound):
                    await asyncio.wait((reading,))
            return await reading
        finally:
            reading.cancel()

    @asynccontextmanager
    async def _place(self, client: Hashable, bound: Bound) -> AsyncIterator[None]:
        groups = [(bound, client), bound]

        def is_free() -> bool:
            return self._taken[groups[0]] < bound.at_once and self._taken[bound] < bound.in_all

        if not is_free():
            status = 429 if self._taken[groups[0]] >= bound.at_once else 503
            try:
                async with asyncio.timeout(bound.patience), self._freed:
                    await self._freed.wait_for(is_free)
            except TimeoutError as error:
                raise Refused(status) from error
        self._taken.update(groups)
        try:
            yield
        finally:
            self._taken.subtract(groups)
            self._taken = +self._taken
            async with self._freed:
                self._freed.notify_all()


def length(scope: Scope) -> int | None:
    """The length of a request's body as announced: 0 when there is none, None when it comes in chunks."""
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return None
    told = headers.get(b"content-length", b"")
    return int(told) if told.isdigit() and len(told) < 20 else 0


async def _whole(receive: Receive, bound: Bound) -> "SpooledTemporaryFile[bytes]":
    body: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
    time = asyncio.get_running_loop().time
    begun, got, more = time(), 0, True
    try:
        while more:
            left = begun + min(bound.seconds, GRACE + got / LEAST) - time()
            message = await _next(receive, left)
            piece, more = message.get("body", b""), message.get("more_body", False)
            got += len(piece)
            if got > bound.most:
                raise Refused(413)
            body.write(piece)
    except BaseException:
        body.close()
        raise
    return body


async def _next(receive: Receive, seconds: float) -> MutableMapping[str, Any]:
    if seconds <= 0:
        raise Refused(408)
    try:
        async with asyncio.timeout(seconds):
            message = await receive()
    except TimeoutError as error:
        raise Refused(408) from error
    if message["type"] == "http.disconnect":
        raise Left
    return message


def _tell_length(scope: Scope, size: int) -> None:
    told = (b"content-length", b"transfer-encoding")
    kept = [(name, value) for name, value in scope["headers"] if name not in told]
    scope["headers"] = [*kept, (b"content-length", b"%d" % size)]
