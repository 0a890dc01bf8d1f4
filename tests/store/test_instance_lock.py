"""Who uses an instance holds its lock; who replaces its files has it alone."""

import os
import signal
from pathlib import Path

import pytest

from soinbox_web.problems import StoreError
from soinbox_web.store import instance_lock


def test_many_use_it_and_nobody_replaces_it_meanwhile(tmp_path: Path) -> None:
    with instance_lock.share(tmp_path), instance_lock.share(tmp_path):
        with pytest.raises(StoreError) as caught, instance_lock.alone(tmp_path):
            pass
        assert caught.value.problem.code == "instance_running"
    with instance_lock.alone(tmp_path):
        pass


def test_nobody_begins_while_it_is_replaced(tmp_path: Path) -> None:
    with instance_lock.alone(tmp_path):
        with pytest.raises(StoreError) as caught:
            instance_lock.share(tmp_path)
        assert caught.value.problem.code == "instance_restoring"
    instance_lock.share(tmp_path).close()


def test_a_killed_user_holds_nothing_and_a_living_one_is_named(tmp_path: Path) -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        held = instance_lock.share(tmp_path)
        os.write(write, b"held")
        signal.pause()
        held.close()
    assert os.read(read, 4) == b"held"
    with pytest.raises(StoreError) as caught, instance_lock.alone(tmp_path):
        pass
    assert str(child) in caught.value.problem.evidence
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with instance_lock.alone(tmp_path):
        pass


def test_it_tells_that_the_instance_was_made(tmp_path: Path) -> None:
    assert not instance_lock.was_made(tmp_path)
    with instance_lock.share(tmp_path) as lock:
        assert not instance_lock.was_made(tmp_path)
        instance_lock.mark_made(lock)
    assert instance_lock.was_made(tmp_path)
