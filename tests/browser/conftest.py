"""Debian's Chromium through Playwright: wide or phone, Dutch or English, with and without JavaScript."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from soinbox_web.model.member import Member
from tests.browser.page import Watched, new_context
from tests.servers.noordlicht import connected_world
from tests.servers.soinbox import Soinbox

__all__ = ["connected_world"]

OpenPage = Callable[..., Watched]


@pytest.fixture
def open_page(chromium: Browser, live_server: Soinbox) -> Iterator[OpenPage]:
    """`open_page(member, language="nl", javascript=False, phone=True, product=…)`: a page of its own context.

    Without `member` nobody is signed in. At the end every page must have been quiet.
    """
    opened: list[Watched] = []

    def open_one(
        member: Member | None = None,
        *,
        language: str = "en",
        javascript: bool = True,
        phone: bool = False,
        product: Soinbox | None = None,
    ) -> Watched:
        product = product or live_server
        context = new_context(chromium, language=language, javascript=javascript, phone=phone)
        if member is not None:
            context.add_cookies([product.cookie(member)])
        opened.append(Watched(context, product.url, javascript=javascript))
        return opened[-1]

    yield open_one
    try:
        for one in opened:
            one.check_quiet()
    finally:
        for one in opened:
            one.context.close()


@pytest.fixture(params=["en", "nl"])
def language(request: pytest.FixtureRequest) -> str:
    """The test runs in each language."""
    return str(request.param)


@pytest.fixture(params=[True, False], ids=["js", "no-js"])
def javascript(request: pytest.FixtureRequest) -> bool:
    """The test runs with and without JavaScript."""
    return bool(request.param)
