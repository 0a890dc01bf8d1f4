"""What a flooding server said is gone when the try is over; see tests/trust/memory.py."""

from pathlib import Path

import pytest

from soinbox_web.rehearsal.certificates import Authority
from tests.trust.memory import FLOODS, curve, wrong

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("name", FLOODS)
def test_failed_tries_leave_nothing_behind(ca: Authority, ca_file: Path, name: str) -> None:
    found = curve(ca.issue("localhost").server_context(), ca_file, name, 10)
    print([round(each / 1e6) for each in found])
    assert wrong(found) == []
