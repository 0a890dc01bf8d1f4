"""The set-up for the command line: detection, and with a secret the sign-in, as one report (contract.md)."""

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from soinbox_web.mail import discovery
from soinbox_web.mail.net.network import Network, never
from soinbox_web.mail.signin import Secrets
from soinbox_web.model.account import Account
from soinbox_web.model.address import Address
from soinbox_web.model.host import read_host
from soinbox_web.model.provider import Detection
from soinbox_web.model.server import Candidate, Login, Policy, Protocol
from soinbox_web.model.stage import Stage
from soinbox_web.problems import InputError, Problem, SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.services.setup import connect
from soinbox_web.services.setup.job import ScribeCache
from soinbox_web.store import accounts
from soinbox_web.texts import Translate

TYPED_SCORE = 100
_POLICY_OF: dict[str, Policy] = {"provider_no_imap": "no_imap", "provider_pop_only": "pop_only"}
_NO_SIGN_IN = ("oauth_only", "no_imap", "pop_only", "bridge")


@dataclass
class DoctorReport:
    """Everything a set-up finds, in order; `seconds` is the whole of it, `account` what was saved."""

    address: str
    provider: str | None = None
    policies: tuple[Policy, ...] = ("unknown",)
    seconds: float = 0.0
    candidates: tuple[Candidate, ...] = ()
    stages: list[Stage] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    account: Account | None = None
    user: str = ""

    def as_json(self, translate: Translate) -> dict[str, Any]:
        """contract.md's `doctor`, texts in the translator's language; `account` only when one was saved."""
        problems = [problem.as_json(translate) for problem in self.problems]
        report: dict[str, Any] = {
            "address": self.address,
            "provider": self.provider,
            "policy": self.policies[0],
            "policies": list(self.policies),
            "seconds": round(self.seconds, 3),
            "candidates": [candidate.as_json() for candidate in self.candidates],
            "stages": [asdict(stage) for stage in self.stages],
            "problem": problems[0] if problems else None,
            "problems": problems,
        }
        if self.account is not None:
            report["account"] = accounts.as_json(self.account, self.user, 0, translate)
        return report


def doctor(
    runtime: Runtime,
    address: str,
    *,
    offline: bool = False,
    secret: str | None = None,
    imap: Login | None = None,
    smtp: Login | None = None,
    accepted_hosts: Sequence[str] = (),
    save_for_user: int | None = None,
) -> DoctorReport:
    """Detect, and with `secret` sign in; with `save_for_user` save what works. Problems are in the report.

    A typed login replaces what is detected for its side, and its host needs no confirmation.
    """
    report = DoctorReport(address)
    started = runtime.clock.monotonic()
    try:
        _examine(
            runtime,
            report,
            connect.typed_address(address),
            offline,
            secret,
            imap,
            smtp,
            accepted_hosts,
            save_for_user,
        )
    except SoinboxError as error:
        report.problems.append(error.problem)
    report.seconds = runtime.clock.monotonic() - started
    return report


def _examine(
    runtime: Runtime,
    report: DoctorReport,
    address: Address,
    offline: bool,
    secret: str | None,
    imap: Login | None,
    smtp: Login | None,
    accepted_hosts: Sequence[str],
    save_for_user: int | None,
) -> None:
    report.address = address.full
    typed = _typed("imap", imap) + _typed("smtp", smtp)
    found = _detect(runtime, report, address, offline, typed)
    if found is None or secret is None:
        return
    incoming, outgoing = connect.logins(found, address.full)
    if incoming is None:
        facts = {"domain": address.domain}
        report.problems.append(Problem("nothing_found", side="detection", stage="lookup", facts=facts))
        return
    if imap is None and (stop := connect.own_page(runtime, found)):
        report.problems.extend(stop)
        return
    if imap is None and set(found.policies) & set(_NO_SIGN_IN):
        facts = {"provider": found.provider.name if found.provider else address.domain}
        report.problems.append(Problem("provider_no_imap", side="detection", stage="lookup", facts=facts))
        return
    if not _confirmed(report, address, found, (incoming, outgoing), accepted_hosts):
        return
    secrets = Secrets(secret)
    note, lock = report.stages.append, threading.Lock()

    def progress(stage: Stage) -> None:
        if stage.ok is not None:
            with lock:
                note(stage)

    result = connect.run_sign_in(
        runtime, found, address.full, incoming, outgoing, secrets, progress, never,
        found_hosts=None if typed else tuple(accepted_hosts),
    )  # fmt: skip
    report.problems.extend(p for p in (result.imap.problem, result.smtp.problem) if p)
    if result.imap.ok and save_for_user is not None:
        report.account = connect.save(
            runtime, save_for_user, address.full, None, found.provider, result, secrets, incoming, outgoing
        )
        with runtime.db.read() as connection:
            owner = connection.execute("SELECT address FROM users WHERE id = ?", (save_for_user,)).fetchone()
        report.user = owner["address"]


def _detect(
    runtime: Runtime, report: DoctorReport, address: Address, offline: bool, typed: tuple[Candidate, ...]
) -> Detection | None:
    """What is known and found, typed servers before all; None when nothing leads to a mailbox."""
    both = {candidate.protocol for candidate in typed} == {"imap", "smtp"}
    known = connect.known(address.domain)
    try:
        found = discovery.find(
            address,
            Network(runtime.settings, runtime.clock),
            progress=lambda stage: report.stages.append(stage) if stage.ok is not None else None,
            cancelled=never,
            offline=offline or both,
            cache=ScribeCache(runtime),
        )
    except SoinboxError as error:
        policies = known.policies if known else (_POLICY_OF.get(error.problem.code, "unknown"),)
        found = Detection(known.provider if known else None, (), policies)
        if not any(candidate.protocol == "imap" for candidate in typed):
            report.problems.append(error.problem)
    others = (c for c in found.candidates if c.endpoint not in {t.endpoint for t in typed})
    merged = sorted((*typed, *others), key=lambda candidate: candidate.protocol)
    found = replace(found, candidates=tuple(merged))
    report.provider = found.provider.name if found.provider else None
    report.policies = found.policies or ("unknown",)
    report.candidates = found.candidates
    return None if report.problems else found


def _confirmed(
    report: DoctorReport,
    address: Address,
    found: Detection,
    logins: Sequence[Login | None],
    accepted_hosts: Sequence[str],
) -> bool:
    """Every host that a password would go to is known, the address's own, typed, or accepted."""
    accepted = {read_host(host) for host in accepted_hosts}
    used = {login.host for login in logins if login}
    typed = {c.host for c in found.candidates if c.source == "typed"}
    open_ = [host for host in found.needs_consent if host in used - accepted - typed]
    if found.needs_consent:
        report.stages.append(Stage("detection", "consent", not open_, 0, ", ".join(open_)))
    for host in open_:
        report.problems.append(
            Problem("host_unconfirmed", side="detection", stage="consent", field="host",
                    facts={"host": host, "domain": address.domain})
        )  # fmt: skip
    return not open_


def _typed(protocol: Protocol, login: Login | None) -> tuple[Candidate, ...]:
    if login is None:
        return ()
    if not 0 < login.port < 65536:
        raise InputError(Problem("host_invalid", side=protocol, field="port", facts={"host": login.host}))
    return (
        Candidate(protocol, read_host(login.host), login.port, login.security, login.username,
                  source="typed", trusted=True, score=TYPED_SCORE),
    )  # fmt: skip
