"""A few backups under write load; all fifty are `make trust`."""

from tests.trust.figures import t12_copies


def test_backups_under_write_load_are_whole_and_recent() -> None:
    backups, plain = t12_copies.figures(25)
    assert backups["met"] and backups["runs"] == 2 and backups["transactions"] > 0
    assert plain["met"], "the look at a copy sees nothing"
