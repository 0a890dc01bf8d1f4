"""Set-up: from an address to a connected mailbox, or to the exact reason why not."""

import secrets as randomness
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import timedelta

from soinbox_web.mail.discovery import providers
from soinbox_web.model.account import Account
from soinbox_web.model.address import suggestion
from soinbox_web.model.chip import Chip
from soinbox_web.model.server import Login, Protocol
from soinbox_web.model.setup_attempt import WAITING, AdvancedForm, Purpose, SetupAttempt, TimedStage
from soinbox_web.problems import AccessError, InputError, Problem
from soinbox_web.runtime import Runtime
from soinbox_web.services.setup import connect, consent, limits
from soinbox_web.services.setup import job as setup_job
from soinbox_web.services.setup.consent import come_back
from soinbox_web.services.setup.consent import link as consent_link
from soinbox_web.services.setup.doctor import DoctorReport, doctor
from soinbox_web.services.setup.registration import Registration, registration
from soinbox_web.services.setup.suggestions import chips
from soinbox_web.services.setup.typed_secrets import Typed, stored_alike
from soinbox_web.store import accounts, setup_attempts

__all__ = [
    "DoctorReport", "SetupView", "begin_consent", "cancel", "come_back", "confirm_hosts", "consent_link",
    "doctor", "edit_view", "keep", "open_advanced", "start", "start_advanced", "start_consent",
    "submit_advanced", "submit_edit", "submit_password", "view", "wipe",
]  # fmt: skip

AT_ONCE = 0.4  # seconds that the first page waits for a provider that is known
DOUBLE_CLICK = timedelta(seconds=10)
LONGEST = timedelta(seconds=60)  # no step runs longer, unless its process was stopped


@dataclass(frozen=True, slots=True)
class SetupView:
    """What a page of set-up shows; `kept_imap` and `kept_smtp`: a secret is there and need not be retyped.

    `passed` is the side that a test has just found to work.
    """

    attempt: SetupAttempt
    stages: tuple[TimedStage, ...]
    suggestion: str | None = None
    same_secret: bool = True
    kept_imap: bool = False
    kept_smtp: bool = False
    chips: tuple[Chip, ...] = ()
    passed: Protocol | None = None
    issuer: str = ""  # whose own page lets people in
    registration: Registration | None = None  # what an administrator has to do first


def start(runtime: Runtime, user_id: int, address_text: str) -> str:
    """Begin to find the servers of an address; the attempt's token.

    Raises InputError address_invalid or already_connected, ServerError local_limit. A form posted twice
    begins one attempt. A provider of the own table is found before this returns.
    """
    address = connect.typed_address(address_text)
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        setup_attempts.wipe(connection, now)
        if accounts.by_address(connection, user_id, address.full) is not None:
            raise connect.already_connected(address.full)
        running = setup_attempts.twin(connection, user_id, address.full, now - DOUBLE_CLICK)
        if running is not None:
            return running
        limits.check_detections(runtime, user_id, address.domain)
        token = randomness.token_urlsafe(18)
        setup_attempts.insert(connection, token, user_id, address.full, "finding", now)
        attempt = setup_attempts.read(connection, user_id, token, now)
    _at_once(setup_job.begin(runtime, attempt, connect.find))
    return token


def start_advanced(runtime: Runtime, user_id: int, address_text: str) -> str:
    """Begin with the server data; what the address already tells is filled in. The token."""
    text, found = address_text.strip()[:320], None
    try:
        text = connect.typed_address(address_text).full
        found = connect.known(text.rpartition("@")[2])
    except InputError:
        pass
    imap, smtp = connect.logins(found, text)
    now = runtime.clock.now()
    token = randomness.token_urlsafe(18)
    with runtime.db.write() as connection:
        setup_attempts.wipe(connection, now)
        setup_attempts.insert(
            connection, token, user_id, text, "advanced", now, detection=found, imap=imap, smtp=smtp
        )
    return token


def submit_password(runtime: Runtime, user_id: int, token: str, secret: str, *, anyway: bool = False) -> None:
    """Take the password and sign in, or ask first: is it an app password, are the hosts known?

    An empty `secret` keeps the one typed before; InputError password_missing when there is none.
    """
    attempt = _read(runtime, user_id, token)
    provider = attempt.detection.provider if attempt.detection else None
    typed = Typed.of(runtime, attempt)
    if secret:
        clean = providers.clean_password(provider, secret) if provider else secret
        typed = Typed(clean)
    if not typed.imap or not attempt.asks_password:
        host = attempt.imap.host if attempt.imap else attempt.address.rpartition("@")[2]
        raise InputError(Problem("password_missing", side="imap", field="password", facts={"host": host}))
    asked: dict[str, object] = {}
    if provider and not anyway and not providers.password_fits(provider, typed.imap):
        shape = Problem(
            "password_shape", side="imap", stage="consent", field="password",
            facts={"provider": provider.name}, help_url=provider.help_url,
        )  # fmt: skip
        asked = {"step": "password", "problems": (shape,)}
    elif attempt.unconfirmed_hosts:
        asked = {"step": "consent", "problems": ()}
    sealed = typed.seal(runtime, user_id, token)
    if not asked:
        _connect(runtime, attempt, sealed=sealed, purpose="found")
        return
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        if setup_attempts.step_of(connection, token) in ("password", "consent"):
            setup_attempts.update(connection, token, now, sealed=sealed, **asked)


def confirm_hosts(runtime: Runtime, user_id: int, token: str) -> None:
    """The person knows the hosts that were shown: sign in to them."""
    attempt = _read(runtime, user_id, token)
    hosts = (*attempt.accepted_hosts, *attempt.unconfirmed_hosts)
    if attempt.sealed is None:
        raise AccessError(Problem("setup_ended"))
    _connect(runtime, attempt, accepted_hosts=hosts, purpose="found")


def open_advanced(runtime: Runtime, user_id: int, token: str) -> None:
    """Leave the short way for the form with the server data; everything is kept."""
    _read(runtime, user_id, token)
    with runtime.db.write() as connection:
        if setup_attempts.step_of(connection, token) in ("password", "consent"):
            setup_attempts.update(connection, token, runtime.clock.now(), step="advanced", problems=())


def keep(runtime: Runtime, user_id: int, token: str, imap_secret: str, smtp_secret: str) -> None:
    """Keep the secrets typed in the form with the server data, while it is filled in further."""
    attempt = _read(runtime, user_id, token)
    before = Typed.of(runtime, attempt)
    typed = Typed(imap_secret or before.imap, smtp_secret or before.smtp, before.same and not smtp_secret)
    with runtime.db.write() as connection:
        if setup_attempts.step_of(connection, token) == "advanced" and (imap_secret or smtp_secret):
            sealed = typed.seal(runtime, user_id, token)
            setup_attempts.update(connection, token, runtime.clock.now(), sealed=sealed)


def submit_advanced(
    runtime: Runtime, user_id: int, token: str, form: AdvancedForm, *, only: Protocol | None = None
) -> None:
    """Sign in with the server data as typed; typing a host confirms it.

    `only`: test that side, and save nothing. InputError names side and field: address_invalid,
    already_connected, password_missing, encryption_required.
    """
    attempt = _read(runtime, user_id, token)
    account = connect.edited(runtime, attempt)
    address = account.address if account else connect.typed_address(form.address).full
    before = Typed.of(runtime, attempt)
    typed = Typed(
        form.imap_secret or before.imap,
        "" if form.smtp_secret is None else form.smtp_secret or before.smtp,
        form.smtp_secret is None,
    )
    _check_security(runtime, form)
    typed.for_servers(runtime, account, form.imap, form.smtp if only != "imap" else None)
    with runtime.db.read() as connection:
        taken = accounts.by_address(connection, user_id, address)
    if taken is not None and account is None and only is None:
        raise connect.already_connected(address)
    sealed = typed.seal(runtime, user_id, token)
    purpose: Purpose = "test_imap" if only == "imap" else "test_smtp" if only == "smtp" else "typed"
    _connect(
        runtime, attempt, address=address, imap=form.imap, smtp=form.smtp, sealed=sealed, purpose=purpose
    )


def submit_edit(
    runtime: Runtime, user_id: int, account_id: int, form: AdvancedForm, *, only: Protocol | None = None
) -> str:
    """Sign in with changed server data of an account; the account changes when it works. The token.

    `only` and InputError as `submit_advanced`; nothing is begun then.
    """
    account = edit_view(runtime, user_id, account_id).attempt
    _check_security(runtime, form)
    now = runtime.clock.now()
    token = randomness.token_urlsafe(18)
    with runtime.db.write() as connection:
        setup_attempts.wipe(connection, now)
        setup_attempts.insert(
            connection, token, user_id, account.address, "advanced", now,
            account_id=account_id, imap=account.imap, smtp=account.smtp,
        )  # fmt: skip
    try:
        submit_advanced(runtime, user_id, token, form, only=only)
    except InputError:
        cancel(runtime, user_id, token)
        raise
    return token


def begin_consent(runtime: Runtime, user_id: int, session_id: int, token: str) -> None:
    """Prepare the link to the provider's own page; SignInError when that cannot be."""
    consent.begin(runtime, _read(runtime, user_id, token), session_id)


def start_consent(runtime: Runtime, user_id: int, account_id: int) -> str:
    """An attempt to sign in anew at the provider, for an account that is there; its token."""
    account = edit_view(runtime, user_id, account_id).attempt
    now = runtime.clock.now()
    token = randomness.token_urlsafe(18)
    with runtime.db.write() as connection:
        setup_attempts.wipe(connection, now)
        setup_attempts.insert(
            connection, token, user_id, account.address, "password", now, account_id=account_id,
            detection=connect.known(account.address.rpartition("@")[2]), imap=account.imap, smtp=account.smtp,
        )  # fmt: skip
    return token


def edit_view(runtime: Runtime, user_id: int, account_id: int) -> SetupView:
    """The advanced form of an account, prefilled, with what is wrong with it now; nothing is written."""
    with runtime.db.read() as connection:
        account = accounts.read(connection, account_id)
    if account.user_id != user_id:
        raise AccessError(Problem("not_found"))
    now = runtime.clock.now()
    found = (account.imap_status.problem, account.smtp_status.problem)
    attempt = SetupAttempt(
        token="", user_id=user_id, account_id=account_id, address=account.address, step="advanced",
        detection=None, imap=account.imap, smtp=account.smtp, sealed=None, accepted_hosts=(),
        problems=tuple(problem for problem in found if problem), claimed_at=None, created_at=now,
        expires_at=now,
    )  # fmt: skip
    return _view(runtime, attempt, account, ())


def cancel(runtime: Runtime, user_id: int, token: str) -> None:
    """Stop; what was sealed is wiped."""
    _read(runtime, user_id, token)
    with runtime.db.write() as connection:
        if setup_attempts.step_of(connection, token) != "done":
            setup_attempts.update(
                connection, token, runtime.clock.now(), step="cancelled", sealed=None, problems=()
            )


def view(runtime: Runtime, user_id: int, token: str) -> SetupView:
    """What the attempt's page shows now; AccessError setup_ended when it is over."""
    attempt = _read(runtime, user_id, token)
    now = runtime.clock.now()
    if attempt.running and attempt.claimed_at and now - attempt.claimed_at > LONGEST:
        with runtime.db.write() as connection:
            interrupted = (Problem("setup_interrupted", side="app"),)
            setup_attempts.update(connection, token, now, step="advanced", problems=interrupted)
        attempt = _read(runtime, user_id, token)
    with runtime.db.read() as connection:
        stages = tuple(setup_attempts.stages(connection, token))
    return _view(runtime, attempt, connect.edited(runtime, attempt), stages)


def wipe(runtime: Runtime) -> None:
    """Delete the attempts that are over, secrets included (the janitor's call)."""
    with runtime.db.write() as connection:
        setup_attempts.wipe(connection, runtime.clock.now())


def _view(
    runtime: Runtime, attempt: SetupAttempt, account: Account | None, stages: tuple[TimedStage, ...]
) -> SetupView:
    typed = Typed.of(runtime, attempt)
    same = typed.same
    if attempt.sealed is None and account is not None:
        same = stored_alike(runtime, account)
    elif attempt.imap and attempt.smtp and attempt.imap.username != attempt.smtp.username:
        same = False
    kept = account is not None
    return SetupView(
        attempt,
        stages,
        suggestion(attempt.address.rpartition("@")[2]),
        same,
        kept or bool(typed.imap),
        kept or bool(typed.imap or typed.smtp),
        chips(attempt),
        _passed(attempt),
        consent.issuer_title(runtime, attempt.imap),
        registration(runtime, attempt),
    )


def _passed(attempt: SetupAttempt) -> Protocol | None:
    if attempt.step != "advanced" or attempt.faults:
        return None
    return "imap" if attempt.purpose == "test_imap" else "smtp" if attempt.purpose == "test_smtp" else None


def _connect(runtime: Runtime, attempt: SetupAttempt, **values: object) -> None:
    """Take the attempt to `connecting` and sign in; nothing when another request has done so already."""
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        if not setup_attempts.claim(connection, attempt.token, "connecting", WAITING, now):
            return
        setup_attempts.update(connection, attempt.token, now, **values)
        claimed = setup_attempts.read(connection, attempt.user_id, attempt.token, now)
    setup_job.begin(runtime, claimed, connect.connect)


def _read(runtime: Runtime, user_id: int, token: str) -> SetupAttempt:
    with runtime.db.read() as connection:
        return setup_attempts.read(connection, user_id, token, runtime.clock.now())


def _check_security(runtime: Runtime, form: AdvancedForm) -> None:
    """InputError encryption_required for a clear line that the operator has not allowed."""
    sides: tuple[tuple[accounts.Side, Login | None], ...] = (("imap", form.imap), ("smtp", form.smtp))
    for side, login in sides:
        if login is None or login.security != "none":
            continue
        if not runtime.settings.allow_plain.permits(login.host, None, login.port):
            facts = {"host": login.host, "port": str(login.port)}
            raise InputError(Problem("encryption_required", side=side, field="security", facts=facts))


def _at_once(job: "Future[None]") -> None:
    wait([job], timeout=AT_ONCE)
