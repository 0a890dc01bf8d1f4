"""The headers that every answer carries, whoever makes it: a page, a stream, or a refusal before any page."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_ALWAYS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "private, no-store",
}


def headers(*, secure: bool = False) -> dict[str, str]:
    """What an answer says where its maker says nothing else, by small names; `secure`: people use https."""
    return {**_ALWAYS, "strict-transport-security": "max-age=31536000"} if secure else dict(_ALWAYS)


class Sealed:
    """An ASGI application, whose answers lack none of the headers."""

    def __init__(self, application: Application, *, secure: bool) -> None:
        self._application = application
        self._headers = [(name.encode(), value.encode()) for name, value in headers(secure=secure).items()]

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = list(message["headers"])
                names = {name.lower() for name, _ in told}
                message["headers"] = [*told, *(each for each in self._headers if each[0] not in names)]
            await send(message)

        await self._application(scope, receive, complete)
