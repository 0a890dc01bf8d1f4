"""Set-up when too much waits already: the person is told, and nothing stays claimed."""

import contextlib
import threading
from collections.abc import Iterator

import pytest

from soinbox_web.fair import FairPool, Full
from soinbox_web.model.stage import Stage
from soinbox_web.services import setup
from soinbox_web.services.setup import job
from soinbox_web.store import setup_attempts
from tests.set_up import ADDRESS, ended, form_for, mail_servers


@pytest.fixture
def servers(ca):
    with mail_servers(ca) as pair:
        yield pair


@contextlib.contextmanager
def filled(pool: FairPool, client: object) -> Iterator[None]:
    """As many jobs of one client as the pool takes, none of which ends."""
    end = threading.Event()
    with contextlib.suppress(Full):
        while True:
            pool.submit(client, end.wait)
    try:
        yield
    finally:
        end.set()


@pytest.mark.parametrize("only", [None, "imap"])
def test_a_sign_in_that_finds_no_room_is_told_and_tried_again(runtime, member, servers, only):
    imap, smtp = servers
    token = setup.start_advanced(runtime, member.id, ADDRESS)
    form = form_for(imap, smtp)
    with filled(job._JOBS, member.id):
        setup.submit_advanced(runtime, member.id, token, form, only=only)
        attempt = setup.view(runtime, member.id, token).attempt
        assert (attempt.step, attempt.claimed_at) == ("advanced", None)
        assert [problem.code for problem in attempt.problems] == ["setup_busy"]
    setup.submit_advanced(runtime, member.id, token, form)
    assert ended(runtime, member.id, token).attempt.step == "done"


def test_a_search_that_finds_no_room_is_told(runtime, member):
    with filled(job._JOBS, member.id):
        token = setup.start(runtime, member.id, "anna@noordlicht.example")
        attempt = setup.view(runtime, member.id, token).attempt
        assert (attempt.step, attempt.claimed_at) == ("advanced", None)
        assert [problem.code for problem in attempt.problems] == ["setup_busy"]


def test_stages_that_find_no_room_with_the_scribe_are_left_out(runtime, member):
    token = setup.start_advanced(runtime, member.id, ADDRESS)
    with runtime.db.read() as connection:
        attempt = setup_attempts.read(connection, member.id, token, runtime.clock.now())
    its = job.Work(runtime, attempt)
    with filled(job._SCRIBE, "another"):
        for _ in range(1_000):
            its.progress(Stage("detection", "lookup", ok=True))
        assert len(its._asked) <= 100
    its.flush()
    assert not its._asked
