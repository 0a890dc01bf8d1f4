"""A lock tells who lives: it is let go of by whoever ends, also by SIGKILL."""

import os
import signal
from pathlib import Path

import pytest

from soinbox_web.problems import StoreError
from soinbox_web.store import locks


def test_one_at_a_time_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "one.lock"
    with locks.held(path) as first, locks.held(path) as second:
        assert (first, second) == (True, False)
        with locks.held(tmp_path / "other.lock") as other:
            assert other
    assert list(tmp_path.iterdir()) == []
    with locks.held(path) as again:
        assert again


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "one.lock"
    child = os.fork()
    if child == 0:
        with locks.held(path):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert path.exists()
    with locks.held(path) as dead:
        assert dead
    assert not path.exists()


def test_a_folder_that_cannot_be_written_is_a_problem_with_a_name(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught, locks.held(tmp_path / "none" / "one.lock"):
        pass
    assert caught.value.problem.code == "instance_unusable"
