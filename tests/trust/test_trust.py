"""A short part of `make trust`: some faults of every kind, some steps, and the control."""

from collections.abc import Iterator
from itertools import islice

import pytest

from tests.trust import faults, planted
from tests.trust.scene import Scene, scene

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
STEPS = 29  # of some 310, each run takes the next, so that a prime walks through all kinds
LINE = 17


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("trust")) as one:
        yield one


def test_some_steps_at_which_it_is_killed(made: Scene) -> None:
    verdicts = list(faults.killed_at_every_step(made, STEPS))
    assert len(verdicts) >= 8
    assert [(v.name, v.wrong) for v in verdicts if v.wrong] == []


def test_some_faults_of_the_line(made: Scene) -> None:
    verdicts = [faults.on_the_line(made, *each) for each in islice(faults.line_faults(), 3, None, LINE)]
    assert len(verdicts) >= 10
    assert [(v.name, v.wrong) for v in verdicts if v.wrong] == []
    assert any(v.code for v in verdicts), "no fault was met at all"


def test_faults_of_the_machine_of_time_and_of_others(made: Scene) -> None:
    assert [(v.name, v.wrong) for v in faults.of_the_machine(made) if v.wrong] == []


@pytest.mark.parametrize("name", planted.PLANTED)
def test_the_verifier_catches_what_is_planted(made: Scene, name: str) -> None:
    assert planted.caught(made, name)
