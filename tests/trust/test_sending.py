"""A short part of `make trust` on sending: faults, some steps, clicks, smuggling, and the control."""

from collections.abc import Iterator

import pytest

from tests.trust import clicks, mailroom_killed, sending_faults, sending_planted, smuggling
from tests.trust.faults import Verdict
from tests.trust.sending_scene import Scene, scene

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
STEPS = 23  # of 45 to 80, each fault begins at another moment
COMMAND = 5  # of 45


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("sending")) as one:
        yield one


def wrong(verdicts: list[Verdict]) -> list[tuple[str, list[str]]]:
    return [(v.name, v.wrong) for v in verdicts if v.wrong]


def test_every_fault_ends_as_it_should(made: Scene) -> None:
    moments = sending_faults.MOMENTS
    faults = sending_faults.FAULTS
    assert len(faults) >= 12
    assert not wrong([sending_faults.met(made, each, moments[n % 3]) for n, each in enumerate(faults)])


def test_some_steps_at_which_the_sender_is_killed(made: Scene) -> None:
    killed = [fault for fault in sending_faults.FAULTS if fault.killed]
    assert len(killed) >= 12
    verdicts = [
        verdict
        for number, fault in enumerate(killed)
        for verdict in sending_faults.killed_at_every_step(
            made, fault, sending_faults.MOMENTS[number % 3], STEPS
        )
    ]
    assert not wrong(verdicts)
    assert {v.code for v in verdicts} >= {"sent", "uncertain"}


def test_the_command_line_is_killed_and_nothing_is_doubled_or_lost(made: Scene) -> None:
    assert not wrong(list(sending_faults.command_killed_at_every_step(made, COMMAND)))


@pytest.mark.parametrize("name", sending_planted.BLIND)
def test_a_mailroom_that_starts_leaves_alone_what_is_at_work(made: Scene, name: str) -> None:
    verdicts = list(sending_faults.beside_at_every_step(made, *sending_planted.BLIND[name], COMMAND))
    assert not wrong(verdicts)
    assert {v.code for v in verdicts} == {"sent"}


def test_the_running_mailroom_is_killed_again_and_again(made: Scene) -> None:
    assert not wrong(list(mailroom_killed.killed(made, 8)))


def test_double_clicks_are_one_mail_each(made: Scene) -> None:
    verdicts = list(clicks.doubled(made, 5))
    assert len(verdicts) == 6 and not wrong(verdicts)


def test_no_way_smuggles_a_second_mail(made: Scene) -> None:
    verdicts = list(smuggling.through_every_way(made))
    assert len(verdicts) == 8 * len(smuggling.WAYS) and not wrong(verdicts)
    assert set(smuggling.unguarded(made).values()) == {2}, "the control: the server believes each of them"


@pytest.mark.parametrize("name", [*sending_planted.PLANTED, *sending_planted.BLIND])
def test_what_is_planted_is_caught(made: Scene, name: str) -> None:
    assert sending_planted.caught(made, name)
