"""The product finds the demo's servers as it would in life: by name server and the operator's files."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from soinbox_web.rehearsal import misbehaving
from soinbox_web.rehearsal.mail_world import World, mail_world
from soinbox_web.runtime import Runtime, build
from soinbox_web.services.setup import doctor
from soinbox_web.settings import from_environment
from tests.cast import DAAN

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with mail_world(tmp_path_factory.mktemp("world"), NOW) as world:
        yield world


@pytest.fixture
def outside(world: World, tmp_path: Path) -> Iterator[Runtime]:
    """An instance set up as the demo's."""
    environ = {f"SOINBOX_{name}": value for name, value in world.variables.items()}
    runtime = build(from_environment(environ, instance=tmp_path))
    yield runtime
    runtime.close()


def test_newcomer_walks_set_up(outside: Runtime, world: World) -> None:
    report = doctor(outside, DAAN.address, secret=DAAN.mail_password)
    assert report.problems == []
    assert {(c.protocol, c.host, c.port, c.source) for c in report.candidates} == {
        ("imap", world.host, world.imap_port, "operator"),
        ("smtp", world.host, world.smtp_port, "operator"),
    }
    assert report.seconds < 5


@pytest.mark.parametrize("name", ["wrong-password", "expired-certificate", "no-such-host", "smtp-off"])
def test_each_misbehaving_address_has_its_own_host(outside: Runtime, name: str) -> None:
    case = next(one for one in misbehaving.CASES if one.name == name)
    report = doctor(outside, case.mail_address, secret=misbehaving.PASSWORD)
    assert {candidate.host for candidate in report.candidates} == {case.host}
    assert [problem.code for problem in report.problems][:1] == [case.expect]


def test_no_such_domain(outside: Runtime) -> None:
    report = doctor(outside, "somebody@nowhere.example")
    assert [problem.code for problem in report.problems] == ["domain_missing"]
