"""Fixtures of the journeys in Chromium."""

from tests.browser.conftest import chromium, javascript, language, open_page

__all__ = ["chromium", "javascript", "language", "open_page"]
