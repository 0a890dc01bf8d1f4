"""A machine on which no reader is free for somebody."""

from collections.abc import Iterator
from contextlib import contextmanager

from soinbox_web.mail.mime.pool import HALF, pool


@contextmanager
def filled(who: str) -> Iterator[None]:
    """All places that `who` may hold are held."""
    held = [pool()._take(who) for _ in range(HALF)]
    yield
    for each in held:
        pool()._give_back(each, who)
