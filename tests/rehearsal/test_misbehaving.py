"""Each misbehaving address makes the product name exactly the problem that the demo promises."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from soinbox_web.mail.net.network import Network
from soinbox_web.mail.signin import Secrets, SignInResult, sign_in
from soinbox_web.model.server import Login
from soinbox_web.rehearsal.mail_world import World, mail_world
from soinbox_web.rehearsal.misbehaving import CASES, PASSWORD, Case
from soinbox_web.settings import from_environment

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with mail_world(tmp_path_factory.mktemp("world"), NOW) as world:
        yield world


@pytest.fixture(scope="module")
def outcomes(world: World) -> dict[str, SignInResult]:
    """Every case tried, all at once."""
    with ThreadPoolExecutor(12) as pool:
        results = pool.map(lambda case: outcome(world, case), CASES)
        return {case.name: result for case, result in zip(CASES, results, strict=True)}


def outcome(world: World, case: Case) -> SignInResult:
    network = Network(from_environment({f"SOINBOX_{name}": value for name, value in world.variables.items()}))
    imap = Login(case.host, world.odd_imap_port, "starttls", case.mail_address)
    smtp = Login(case.host, world.odd_smtp_port, "starttls", case.mail_address)
    return sign_in(imap, smtp, Secrets(PASSWORD), network)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case(outcomes: dict[str, SignInResult], case: Case) -> None:
    result = outcomes[case.name]
    side = result.smtp if case.imap is None else result.imap
    if case.expect:
        assert side.problem is not None
        assert side.problem.code == case.expect, side.problem
        assert result.imap.ok is (case.imap is None)
    else:
        assert (result.imap.ok, result.smtp.ok) == (True, True), result
