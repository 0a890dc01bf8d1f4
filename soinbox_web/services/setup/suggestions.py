"""What else could be right: suggestions beside the server form, each a click away, none tried unasked."""

from collections.abc import Iterator
from dataclasses import replace

from soinbox_web.mail.discovery import providers
from soinbox_web.mail.discovery.domains import same_owner
from soinbox_web.model.chip import Chip
from soinbox_web.model.server import DEFAULT_PORTS, Endpoint, Login, Protocol, Security
from soinbox_web.model.setup_attempt import SetupAttempt
from soinbox_web.problems import Problem

MOST = 4  # of one side
_ENCRYPTED: tuple[Security, ...] = ("ssl", "starttls")
_OTHER_DOOR = {
    *("refused", "timeout", "private_blocked", "wrong_service", "tls_on_plain_port", "plain_on_tls_port"),
    *("starttls_missing", "starttls_failed", "encryption_required", "smtp_relay_only"),
}
_SAME_PORT: dict[str, Security] = {"plain_on_tls_port": "ssl", "tls_on_plain_port": "starttls"}
_OTHER_NAME = {"credentials_wrong", "username_form"}


def chips(attempt: SetupAttempt) -> tuple[Chip, ...]:
    """The suggestions of both sides; none repeats what the form already holds."""
    return (*_of_side(attempt, "imap", attempt.imap), *_of_side(attempt, "smtp", attempt.smtp))


def _of_side(attempt: SetupAttempt, side: Protocol, login: Login | None) -> list[Chip]:
    problem = next((problem for problem in attempt.problems if problem.side == side), None)
    wanted: list[Chip] = []
    if problem and login and login.host:
        wanted += _from_problem(attempt, side, login, problem)
    wanted += _found(attempt, side)
    seen = {(login.endpoint, login.username)} if login else set()
    fresh = []
    for chip in wanted:
        key = (chip.login.endpoint, chip.login.username)
        if key not in seen:
            seen.add(key)
            fresh.append(chip)
    return fresh[:MOST]


def _from_problem(attempt: SetupAttempt, side: Protocol, login: Login, problem: Problem) -> Iterator[Chip]:
    if problem.code in _OTHER_NAME or "username_form" in problem.alternatives:
        local, at, _ = login.username.rpartition("@")
        name = problem.facts.get("suggestion") if problem.code == "username_form" else None
        yield Chip(side, "username", replace(login, username=name or (local if at else attempt.address)))
    if problem.code == "cert_name_mismatch":
        for name in problem.facts.get("names", "").split(", "):
            if name and "*" not in name and _is_theirs(name, login, attempt):
                yield Chip(side, "certificate_name", replace(login, host=name, pin=""))
    if problem.code in _SAME_PORT:
        yield Chip(side, "security", replace(login, security=_SAME_PORT[problem.code]))
    if problem.code in _OTHER_DOOR:
        for security in _ENCRYPTED:
            door = Endpoint(login.host, DEFAULT_PORTS[side, security], security)
            yield Chip(side, "security", replace(login, port=door.port, security=security))


def _is_theirs(name: str, login: Login, attempt: SetupAttempt) -> bool:
    """The name is the same owner's, or a known provider's: whoever answered may have written any other."""
    domain = attempt.address.rpartition("@")[2]
    return same_owner(name, login.host) or same_owner(name, domain) or providers.by_host(name) is not None


def _found(attempt: SetupAttempt, side: Protocol) -> Iterator[Chip]:
    """What detection found besides."""
    for candidate in attempt.detection.candidates if attempt.detection else ():
        if candidate.protocol == side and candidate.trusted:
            yield Chip(side, "found", candidate.login(attempt.address))
