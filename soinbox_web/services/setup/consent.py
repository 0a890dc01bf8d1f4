"""Signing in at the provider's own page: the way there, the way back, and the account that comes of it."""

from dataclasses import replace
from functools import partial

from soinbox_web.mail import issuers, oauth
from soinbox_web.mail.net.network import Network
from soinbox_web.mail.signin import Secrets, SideResult, SignInResult
from soinbox_web.model.account import Account
from soinbox_web.model.server import Login
from soinbox_web.model.setup_attempt import WAITING, SetupAttempt
from soinbox_web.problems import AccessError, Problem, SignInError, SoinboxError
from soinbox_web.runtime import Runtime
from soinbox_web.services.setup import connect, job
from soinbox_web.services.setup.job import Work
from soinbox_web.settings import OAuthClient
from soinbox_web.store import accounts, consents, setup_attempts
from soinbox_web.store.consents import Consent

CALLBACK = "/oauth/callback"
_NOT_THEIRS = ("token_revoked", "credentials_wrong")


def issuer_title(runtime: Runtime, imap: Login | None) -> str:
    """Whose own page lets people in to this server; "" when a password is the only way here."""
    allowed = imap and runtime.settings.public_url
    client = issuers.client_for(runtime.settings, imap.host) if imap and allowed else None
    return issuers.title(client) if client else ""


def begin(runtime: Runtime, attempt: SetupAttempt, session_id: int) -> None:
    """Make the link to the issuer, good once; SignInError when there is no client, or a bad issuer."""
    client = _client(runtime, attempt)
    issuer = issuers.issuer_of(client, Network(runtime.settings, runtime.clock))
    state, verifier = oauth.new_state()
    link = oauth.link(client, issuer, _redirect(runtime), state, verifier, attempt.address)
    consent = Consent(attempt.token, client.name, link, verifier)
    with runtime.db.write() as connection:
        consents.insert(connection, runtime.vault, session_id, state, consent, runtime.clock.now())


def link(runtime: Runtime, token: str, session_id: int) -> str:
    """Where the person goes on; AccessError oauth_state_invalid when that was used or is too old."""
    with runtime.db.read() as connection:
        found = consents.asked(connection, runtime.vault, session_id, token, runtime.clock.now())
    if found is None:
        raise AccessError(Problem("oauth_state_invalid"))
    return found.link


def come_back(
    runtime: Runtime, user_id: int, session_id: int, state: str, code: str, error: str, description: str
) -> str:
    """The person is back from the issuer, approved (`code`) or not (`error`); the attempt's token.

    AccessError oauth_state_invalid for a state that is used, old, unknown, or another session's.
    """
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        found = consents.redeem(connection, runtime.vault, session_id, state, now)
    if found is None:
        raise AccessError(Problem("oauth_state_invalid"))
    with runtime.db.write() as connection:
        attempt = setup_attempts.read(connection, user_id, found.attempt, now)
        if not setup_attempts.claim(connection, attempt.token, "connecting", WAITING, now):
            return attempt.token
        attempt = setup_attempts.read(connection, user_id, found.attempt, now)
    job.begin(runtime, attempt, partial(_finish, found, code, error, description), again="password")
    return attempt.token


def _finish(found: Consent, code: str, error: str, description: str, work: Work) -> None:
    """The job of the `connecting` step after a consent: `done`, or back to the button with the reason."""
    runtime, attempt = work.runtime, work.attempt
    try:
        client = _client(runtime, attempt)
        network = Network(runtime.settings, runtime.clock)
        issuer = issuers.issuer_of(client, network)
        if client.name != found.client:
            raise SignInError(Problem("oauth_state_invalid"))
        if error or not code:
            raise SignInError(oauth.problem_of(issuer, error, description))
        grant = oauth.exchange(client, issuer, network, _redirect(runtime), code, found.verifier)
        if not grant.refresh:
            raise SignInError(Problem("oauth_no_refresh_token", facts={"provider": issuer.title}))
        assert attempt.imap is not None
        account = connect.edited(runtime, attempt)
        smtp = _same_client(runtime, client, attempt.smtp)
        secrets = Secrets(grant.access, token=True)
        result = connect.attempt_sign_in(work, attempt.imap, smtp, secrets)
        if not result.imap.ok:
            problems = (_told(result.imap, attempt, issuer.title), result.smtp.problem)
            work.finish(step="password", problems=tuple(p for p in problems if p))
            return
        _save(work, account, smtp, result, secrets, issuer.url, grant.refresh)
    except SoinboxError as failure:
        side = failure.problem.side if failure.problem.side in ("imap", "smtp") else "detection"
        work.finish(step="password", problems=(failure.problem.at(side=side),))


def _told(result: SideResult, attempt: SetupAttempt, title: str) -> Problem | None:
    """A brand-new token that is refused was most likely given for another mailbox."""
    problem = result.problem
    if problem is None or problem.code not in _NOT_THEIRS:
        return problem
    others = tuple(code for code in problem.alternatives if code not in _NOT_THEIRS)
    return replace(
        problem, code="oauth_other_mailbox", alternatives=others or ("imap_disabled_by_user",),
        facts={**problem.facts, "provider": title, "username": attempt.address},
    )  # fmt: skip


def _save(
    work: Work,
    account: Account | None,
    smtp: Login | None,
    result: SignInResult,
    secrets: Secrets,
    issuer: str,
    refresh: str,
) -> None:
    """One write: the account with its refresh token instead of passwords, and the end of the attempt."""
    attempt, runtime = work.attempt, work.runtime
    provider = attempt.detection.provider if attempt.detection else None
    work.flush()
    with runtime.db.write() as connection:
        if setup_attempts.step_of(connection, attempt.token) != "connecting":
            return
        saved = connect.save(
            runtime, attempt.user_id, attempt.address, account, provider, result, secrets, attempt.imap, smtp
        )
        now = runtime.clock.now()
        accounts.seal_consent(connection, runtime.vault, saved.id, issuer, refresh, now)
        setup_attempts.update(
            connection, attempt.token, now, step="done", account_id=saved.id, sealed=None, claimed_at=None
        )


def _client(runtime: Runtime, attempt: SetupAttempt) -> OAuthClient:
    client = issuers.client_for(runtime.settings, attempt.imap.host) if attempt.imap else None
    if client is None or not runtime.settings.public_url:
        provider = attempt.detection.provider if attempt.detection else None
        name = provider.name if provider else attempt.address.rpartition("@")[2]
        raise SignInError(Problem("oauth_not_set_up", side="detection", facts={"provider": name}))
    return client


def _same_client(runtime: Runtime, client: OAuthClient, smtp: Login | None) -> Login | None:
    """The outgoing server, if this client's tokens may go there."""
    return smtp if smtp and issuers.client_for(runtime.settings, smtp.host) == client else None


def _redirect(runtime: Runtime) -> str:
    return runtime.settings.public_url + CALLBACK
