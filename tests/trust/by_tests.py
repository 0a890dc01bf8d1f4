"""A figure counted over tests that exist: each case of theirs is a run, and what fails is said at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest


class _Counting:
    """A plugin of pytest: takes each N-th case, and keeps what became of it."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.seconds: dict[str, float] = {}
        self.wrong: dict[str, str] = {}
        self.memory_mb: dict[str, int] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = items[:: self.every]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.partition("::")[2]
        if report.when == "call":
            self.seconds[name] = round(report.duration, 2)
            if told := dict(report.user_properties).get("memory_mb"):
                self.memory_mb[name] = round(float(str(told)))
        if report.skipped:
            self.seconds.setdefault(name, 0.0)
            self.wrong[name] = "left out"
        elif report.failed:
            self.seconds.setdefault(name, 0.0)
            lines = [line for line in report.longreprtext.splitlines() if line.startswith("E ")]
            self.wrong[name] = "; ".join(lines[:2])[:200] or report.when or ""
            print(f"    WRONG: {name}: {self.wrong[name]}", flush=True)


def counted(figure: str, least: int, tests: Sequence[str], every: int) -> dict[str, Any]:
    """Run these tests (`file::name`); at least so many cases must be there, and none wrong or left out."""
    counting = _Counting(every)
    ended = pytest.main(
        ["-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:xdist", "-o", "addopts=", *tests],
        plugins=[counting],
    )
    runs, wrong = len(counting.seconds), len(counting.wrong)
    whole = ended in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    met = whole and not wrong and runs >= least // every
    print(f"{figure}: {runs} runs (goal >= {least}), {wrong} wrong (goal 0)", flush=True)
    return {
        "figure": figure, "runs": runs, "wrong": wrong, "goal": least, "met": met,
        "seconds": round(sum(counting.seconds.values()), 1), "memory_mb": _ten_most(counting.memory_mb),
        "slowest": _ten_most(counting.seconds),
        **({"failures": counting.wrong} if wrong else {}),
        **({} if whole else {"error": f"pytest ended with {ended!r}"}),
    }  # fmt: skip


def _ten_most(measured: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(measured.items(), key=lambda each: -each[1])[:10])
