"""The whole way from an address in the demo's world: every one that misbehaves gets its cause."""

from datetime import UTC, datetime

import pytest

from soinbox_web.rehearsal import misbehaving
from soinbox_web.rehearsal.cast import CHLOE
from soinbox_web.rehearsal.mail_world import mail_world
from soinbox_web.rehearsal.misbehaving import CASES, Case
from soinbox_web.runtime import build
from soinbox_web.services import accounts, members, setup
from soinbox_web.settings import from_environment
from tests.cast import ANNA
from tests.set_up import ended


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A running instance in the demo's world, and its user."""
    folder = tmp_path_factory.mktemp("world")
    with mail_world(folder, datetime(2026, 11, 23, 9, 0, tzinfo=UTC)) as world:
        variables = {f"SOINBOX_{name}": value for name, value in world.variables.items()}
        runtime = build(from_environment(variables, instance=folder / "instance"))
        yield runtime, members.add(runtime, ANNA.address, ANNA.name, ANNA.password)
        runtime.close()


@pytest.fixture
def patient(place):
    """The same, with what earlier tests count towards the limits forgotten."""
    runtime, member = place
    with runtime.db.write() as c:
        c.execute("DELETE FROM setup_attempts")
        c.execute("DELETE FROM refused_secrets")
    return runtime, member


def connect(runtime, member, address, secret):
    """S1 and S2 as a person does them; the attempt in the end."""
    token = setup.start(runtime, member.id, address)
    view = ended(runtime, member.id, token)
    if view.attempt.step != "password" or not view.attempt.asks_password:
        return view
    setup.submit_password(runtime, member.id, token, secret, anyway=True)
    view = ended(runtime, member.id, token)
    if view.attempt.step == "consent":
        setup.confirm_hosts(runtime, member.id, token)
        view = ended(runtime, member.id, token)
    return view


def test_one_address_and_one_secret(patient):
    runtime, member = patient
    view = connect(runtime, member, f" Chloé <{CHLOE.address.upper()}>", CHLOE.mail_password)
    assert view.attempt.step == "done", view.attempt.problems
    assert view.stages and all(timed.stage.ok for timed in view.stages if timed.stage.side != "detection")
    account = accounts.own(runtime, member.id, view.attempt.account_id)
    assert account.state == "connected"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_fault_is_named(patient, case: Case):
    runtime, member = patient
    view = connect(runtime, member, case.mail_address, misbehaving.PASSWORD)
    if view.attempt.step == "done":
        account = accounts.own(runtime, member.id, view.attempt.account_id)
        problem = account.smtp_status.problem
        assert (problem.code if problem else "") == case.expect
    else:
        assert view.attempt.step == "advanced"
        assert view.attempt.problems[0].code == case.expect
        assert view.attempt.imap.host == case.host
