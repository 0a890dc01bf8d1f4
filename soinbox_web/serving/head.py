"""The head of a request has a size, a number of fields and a time; connections have a number.

The parser keeps whatever comes: one header line of 1 GB. So it is fed in small pieces, and what is no body
is counted, trailers and the extensions of chunks too.
"""

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from soinbox_web import sealed

MOST_BYTES = 65_536  # that come in a row without being a body
MOST_URL = 16_384
MOST_FIELDS = 100
MOST_PIPELINED = 16
PIECE = 16_384
SECONDS = 10.0  # from a request's first byte to the end of its head; and for what comes after its answer
MOST_CONNECTIONS = 1_000  # of one process; the oldest that asks for nothing, or does not read, makes room
UNREAD_SECONDS = 30.0  # that the end of a last answer may wait for its reader

_REASONS = {
    400: "Bad Request", 408: "Request Timeout", 414: "URI Too Long", 431: "Request Header Fields Too Large",
}  # fmt: skip


class BoundedHead(HttpToolsProtocol):
    """uvicorn's protocol with these bounds; `http.abort` in the scope's extensions ends the connection."""

    secure: ClassVar[bool] = False  # people use https

    _waiting: ClassVar[dict["BoundedHead", None]] = {}  # who keeps us waiting, the longest first
    _timer: asyncio.TimerHandle | None = None
    _in_head = False
    _no_body = 0
    _refusal = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > MOST_CONNECTIONS:
            next(iter(self._waiting), self).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._worked_on()

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE):
            piece = data[start : start + PIECE]
            self._no_body += len(piece)
            super().data_received(piece)
            if self.transport.is_closing():
                return
            if self._no_body > MOST_BYTES or len(self.pipeline) > MOST_PIPELINED:
                self._refusal = self._refusal or 431
            if self._refusal:
                self._refuse(self._refusal)
                return
        if self._idle() and self._timer is None:
            self._wait()

    def send_400_response(self, msg: str) -> None:
        self._end_with(400) if self._idle() else self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self.scope["extensions"] = {"http.abort": {"abort": self.transport.abort}}

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MOST_URL:
            self._refusal = 414

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > MOST_FIELDS:
            self._refusal = 431

    def on_headers_complete(self) -> None:
        if self._refusal:
            return
        self._in_head = False
        self._worked_on()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._idle():
            self._waiting[self] = None
        if self.transport.is_closing():
            self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def pause_writing(self) -> None:
        """Who does not read keeps us waiting as well."""
        super().pause_writing()
        self._waiting[self] = None

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self._idle():
            self._waiting.pop(self, None)

    def on_body(self, body: bytes) -> None:
        self._no_body = 0
        if not self._refusal:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._no_body = 0
        if not self._refusal:
            super().on_message_complete()

    def timeout_keep_alive_handler(self) -> None:
        """Who has not even taken the last answer is not waited for."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def _idle(self) -> bool:
        return self.cycle is None or bool(self.cycle.response_complete)

    def _wait(self) -> None:
        self._waiting[self] = None
        self._timer = self.loop.call_later(SECONDS, self._too_slow)

    def _worked_on(self) -> None:
        if not self.flow.write_paused:
            self._waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self._refuse(408)

    def _refuse(self, status: int) -> None:
        """One short line to who is still asking, and the end."""
        if self._idle() and self._in_head:
            self._end_with(status)
        else:
            self.transport.abort()

    def _end_with(self, status: int) -> None:
        line = f"{status} {_REASONS[status]}"
        fields = {
            "content-type": "text/plain; charset=utf-8",
            "content-length": str(len(line)),
            "connection": "close",
            **sealed.headers(secure=self.secure),
        }
        told = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.transport.write(f"HTTP/1.1 {line}\r\n{told}\r\n{line}".encode())
        self.transport.close()
        self.loop.call_later(1.0, self.transport.abort)
