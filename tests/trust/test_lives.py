"""A short part of the figure: each kind of fault meets one worker or two, and mail flows again soon."""

import pytest

from tests.trust.figures import lives
from tests.trust.living import KINDS

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


def test_after_each_kind_of_fault_mail_flows_again() -> None:
    found = lives.figures(every=19)
    assert len(found) == len(KINDS) + 1
    assert [figure for figure in found if not figure["met"]] == []
