"""Each page of mail and persons in Chromium: accessible, quiet, no wider or higher than the screen."""

import os
import time
from collections.abc import Callable

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.world import one_of_everything
from tests.servers.soinbox import Soinbox

pytestmark = pytest.mark.browser
SECONDS = 60
CUT_OFF = """[...document.querySelectorAll(".card h2, .card h3, .card .button, .problem h2, .lines .button")]
  .filter(each => each.checkVisibility() && !each.closest(".visually-hidden"))
  .filter(each => each.getBoundingClientRect().right > innerWidth || each.scrollWidth > each.clientWidth + 1)
  .map(each => each.textContent.trim())"""
PICTURES = os.environ.get("WALK_PICTURES", "")


@pytest.mark.parametrize(
    ("language", "javascript", "width"),
    [("en", True, 390), ("nl", True, 1440), ("nl", False, 390)],
)
def test_walk(
    product: Callable[..., Soinbox], open_page: OpenPage, language: str, javascript: bool, width: int
) -> None:
    web = product("web")
    world = one_of_everything(web, f"walk.{language}.{width}@noordlicht.example")
    with web.runtime.db.write() as connection:
        connection.execute("UPDATE users SET language = ? WHERE id = ?", (language, world.member.id))
    watched = open_page(
        world.member, product=web, language=language, javascript=javascript, phone=width == 390
    )
    if width != 390:
        watched.page.set_viewport_size({"width": width, "height": 900})
    watched.page.emulate_media(color_scheme="dark" if width == 1440 else "light", reduced_motion="reduce")
    started = time.monotonic()
    for name, path in world.places.items():
        page = watched.goto(path)
        if PICTURES:
            page.wait_for_timeout(200)
            page.screenshot(path=f"{PICTURES}/{name}-{language}-{width}-{javascript}.png")
        for each in (1024, 1440) if width == 1440 else (390,):
            if each != 390:
                page.set_viewport_size({"width": each, "height": 900})
            wide, high = page.evaluate(
                "(({scrollWidth, scrollHeight}) => [scrollWidth, scrollHeight])(document.documentElement)"
            )
            assert wide <= each, f"{path} is {wide} wide on {each}"
            shown = page.viewport_size["height"] if page.viewport_size else 0
            assert high <= shown, f"{path} is {high} high on {shown}: what scrolls is inside"
            assert not page.evaluate(CUT_OFF), f"{path}: {page.evaluate(CUT_OFF)} cannot be seen whole"
        watched.check()
    assert PICTURES or time.monotonic() - started < SECONDS
