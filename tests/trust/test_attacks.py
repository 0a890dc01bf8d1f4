"""An attack as it is measured: nobody is refused a page and nothing dies; how quick pages are is a figure."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.trust.figures.attacks import Pace, measured

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]


def _two(names: list[str]) -> list[str]:
    return [names[0], "searching"]


def test_who_searches_for_costly_words_takes_no_page_from_another() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        figures = pool.submit(measured, Pace(1, 0.5, 1.5), _two).result()
    assert len(figures) == 2
    for figure in figures:
        assert (figure["web_workers_died"], figure["unanswered"], figure["pages_refused"]) == (0, 0, 0)
        assert all(figure["memory_mb"].values()) and all(figure["p95_ms"].values())
