"""A short soak: nothing is lost while one server is restarted, and the mailroom does not grow."""

from pathlib import Path

import pytest

from tests.reports.soak import picture, run


@pytest.mark.real
@pytest.mark.timeout(240)
def test_a_short_soak(tmp_path: Path) -> None:
    figures, soak = run(tmp_path, count=6, arrivals=200, seconds=40.0)
    assert figures["arrivals"] >= 190 and figures["restarts of one server (kill, restart, stop for 8 s)"] >= 1
    assert figures["accounts that differ from their server"] == 0
    assert not soak.pending
    assert picture(soak, figures).startswith("<svg")
