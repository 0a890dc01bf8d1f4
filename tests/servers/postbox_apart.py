"""A submission server in a process of its own, so that a fault of this one does not meet it."""

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.managers import BaseManager
from typing import Any

from soinbox_web.rehearsal.behaviour import SmtpBehaviour
from tests.servers.postbox import Postbox


class _Remote:
    """What the other process does when asked."""

    def __init__(self, behaviour: SmtpBehaviour) -> None:
        self._postbox = Postbox(behaviour).start()

    def get(self, name: str) -> Any:
        return getattr(self._postbox, name)

    def put(self, name: str, value: Any) -> None:
        setattr(self._postbox, name, value)

    def do(self, name: str) -> None:
        getattr(self._postbox, name)()


class _Manager(BaseManager):
    remote: Any


_Manager.register("remote", _Remote)


class PostboxApart:
    """A Postbox as far as a scene uses one: what is read from it is a copy, what is set is set there."""

    port: int
    behaviour: SmtpBehaviour
    messages: list[Any]

    def __init__(self, remote: Any) -> None:
        object.__setattr__(self, "_remote", remote)

    def go_on(self) -> None:
        self._remote.do("go_on")

    def rest(self) -> None:
        self._remote.do("rest")

    def __getattr__(self, name: str) -> Any:
        return self._remote.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._remote.put(name, value)


@contextmanager
def apart(behaviour: SmtpBehaviour) -> Iterator[PostboxApart]:
    """It runs until the end of the block."""
    with _Manager(ctx=get_context("spawn")) as manager:
        yield PostboxApart(manager.remote(behaviour))
