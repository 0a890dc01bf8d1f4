"""A few backups under write load, a few ways of damage and one restore; all of it is `make trust`."""

import pytest

from tests.trust.figures import t12_copies


@pytest.mark.real
@pytest.mark.timeout(300)
def test_backups_are_whole_and_recent_and_mailboxes_become_whole_again() -> None:
    backups, plain, damaged, restored = t12_copies.figures(11)
    assert backups["met"] and backups["runs"] >= 2 and backups["transactions"] > 0
    assert plain["met"], "the look at a copy sees nothing"
    assert damaged["met"] and damaged["runs"] >= 2
    assert restored["met"] and restored["runs"] == 1
