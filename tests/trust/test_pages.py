"""A short part of the trust figures of pages: some hostile texts, some strings, every third route."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from tests.mail.mime.corpora import present
from tests.trust.figures import t1_html, t2_strings, t10_access

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
TEXTS, STRINGS, ROUTES = 149, 311, 3  # each of so many


def _missed(figures: Callable[[int], list[dict[str, Any]]], every: int) -> list[dict[str, Any]]:
    """The figures that are not met; in a process of their own, as they bring their own Playwright."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return [figure for figure in pool.submit(figures, every).result() if not figure["met"]]


@present
def test_hostile_html_in_the_reading_pane() -> None:
    assert _missed(t1_html.short, TEXTS) == []


@present
def test_hostile_strings_on_every_page() -> None:
    assert _missed(t2_strings.figures, STRINGS) == []


def test_nobody_reaches_what_is_anothers() -> None:
    assert _missed(t10_access.figures, ROUTES) == []
