"""The technical report: all that is known of a set-up or an account, for support; no secret is in it."""

import platform
import re
import ssl
from base64 import b64encode
from collections.abc import Iterable, Iterator

from soinbox_web import __version__
from soinbox_web.clock import timestamp
from soinbox_web.model.account import Account
from soinbox_web.model.server import Login
from soinbox_web.model.setup_attempt import SetupAttempt
from soinbox_web.problems import Problem
from soinbox_web.runtime import Runtime
from soinbox_web.services.setup.typed_secrets import Typed
from soinbox_web.store import accounts, setup_attempts

REMOVED = "[removed]"


def of_attempt(runtime: Runtime, user_id: int, token: str, *, masked: bool) -> str:
    """The report of a set-up; `masked` hides the person's address. AccessError setup_ended."""
    with runtime.db.read() as connection:
        attempt = setup_attempts.read(connection, user_id, token, runtime.clock.now())
        stages = setup_attempts.stages(connection, token)
    lines = [*_head(runtime, "set-up", attempt.address), f"step: {attempt.step} ({attempt.purpose})"]
    lines += _detection(attempt)
    lines += [*_login("imap", attempt.imap), *_login("smtp", attempt.smtp), "", "stages:"]
    for timed in stages:
        stage = timed.stage
        state = "running" if stage.ok is None else "ok" if stage.ok else "failed"
        done = f"{stage.side} {stage.stage}: {state} {stage.ms} ms {stage.detail}"
        lines.append(f"  {timestamp(timed.at)}  {done}".rstrip())
    lines += _problems(attempt.problems)
    typed = Typed.of(runtime, attempt)
    return _redacted("\n".join(lines) + "\n", attempt.address, (typed.imap, typed.smtp), masked)


def of_account(runtime: Runtime, account: Account, *, masked: bool) -> str:
    """The report of a connected account, which is the asking person's own."""
    with runtime.db.read() as connection:
        tried = accounts.attempts(connection, account.id)
        kept = {accounts.stored_secret(connection, runtime.vault, account, side) for side in ("imap", "smtp")}
    lines = [*_head(runtime, "account", account.address), f"state: {account.state}"]
    lines += [
        f"provider: {account.provider or '-'}",
        *_login("imap", account.imap),
        *_login("smtp", account.smtp),
    ]
    for side, status in (("imap", account.imap_status), ("smtp", account.smtp_status)):
        for name in ("last_success_at", "last_attempt_at", "next_retry_at"):
            at = getattr(status, name)
            lines.append(f"{side} {name}: {timestamp(at) if at else '-'}")
        lines.append(f"{side} consecutive failures: {status.consecutive_failures}")
    lines += ["", "last attempts:"]
    lines += [
        f"  {timestamp(one.at)}  {one.side}: {'ok' if one.ok else one.code} {one.line}".rstrip()
        for one in tried
    ]
    lines += _problems(p for p in (account.imap_status.problem, account.smtp_status.problem) if p)
    return _redacted("\n".join(lines) + "\n", account.address, kept, masked)


def _head(runtime: Runtime, what: str, address: str) -> Iterator[str]:
    yield f"soinbox technical report: {what}"
    yield f"made: {timestamp(runtime.clock.now())}"
    yield f"soinbox {__version__}, Python {platform.python_version()}, {ssl.OPENSSL_VERSION}"
    yield f"address: {address}"


def _detection(attempt: SetupAttempt) -> Iterator[str]:
    found = attempt.detection
    if found is None:
        return
    yield f"provider: {found.provider.name if found.provider else '-'}"
    yield f"policies: {', '.join(found.policies)}"
    yield f"detection took: {found.seconds:.2f} s"
    yield "candidates:"
    for one in found.candidates:
        trust = "trusted" if one.trusted else "not trusted"
        yield f"  {one.protocol} {one.host}:{one.port} {one.security} user={one.username}"
        yield f"    {one.source}, {trust}, score {one.score}, auth {', '.join(one.auth)}"


def _login(side: str, login: Login | None) -> Iterator[str]:
    if login is None or not login.host:
        yield f"{side}: -"
        return
    pin = f" pinned={login.pin}" if login.pin else ""
    yield f"{side}: {login.host}:{login.port} {login.security} user={login.username}{pin}"


def _problems(problems: Iterable[Problem]) -> Iterator[str]:
    for problem in problems:
        yield ""
        where = ", ".join((problem.side, problem.stage or "-", problem.guilty_field or "-"))
        yield f"problem: {problem.code} ({where})"
        yield f"  {problem.title(str)}"
        if problem.evidence:
            yield f"  evidence: {problem.evidence}"
        if problem.alternatives:
            yield f"  also possible: {', '.join(problem.alternatives)}"
        if problem.retry_after_seconds:
            yield f"  asked to wait: {problem.retry_after_seconds} s"
        yield from (f"  {name}: {value}" for name, value in sorted(problem.facts.items()) if value)


def _redacted(text: str, address: str, secrets: Iterable[str], masked: bool) -> str:
    for secret in filter(None, secrets):
        for form in (secret, b64encode(secret.encode()).decode()):
            text = text.replace(form, REMOVED)
    if masked:
        local, _, domain = address.rpartition("@")
        text = re.sub(re.escape(address), f"…@{domain}", text, flags=re.IGNORECASE)
        if local:
            text = re.sub(rf"(?<![\w.]){re.escape(local)}(?![\w.])", "…", text, flags=re.IGNORECASE)
    return text
