"""The browser fixtures reach the product: the door, in each language, with and without JavaScript."""

import pytest

from tests.browser.conftest import OpenPage
from tests.servers.soinbox import Soinbox

pytestmark = pytest.mark.browser


def test_sign_in_page(open_page: OpenPage, live_server: Soinbox, language: str, javascript: bool) -> None:
    live_server.add_member(f"door.{language}.{javascript}@noordlicht.example", "Door de Vries")
    visitor = open_page(language=language, javascript=javascript)
    page = visitor.goto("/sign-in")
    assert page.locator("html").get_attribute("lang") == language
    assert page.locator("form input[type=password]").count() == 1
    visitor.check()
