"""Finding the servers of an address, signing in to them, and saving what works."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from soinbox_web.mail import discovery, issuers, signin
from soinbox_web.mail.discovery import providers
from soinbox_web.mail.net.network import Network
from soinbox_web.mail.signin import Secrets, SideResult, SignInResult
from soinbox_web.model.account import Account
from soinbox_web.model.address import Address, read_address
from soinbox_web.model.provider import Detection, Provider
from soinbox_web.model.server import Login
from soinbox_web.model.setup_attempt import NO_PASSWORD_CODES, SetupAttempt
from soinbox_web.model.stage import Stage
from soinbox_web.problems import DiscoveryError, InputError, Problem
from soinbox_web.runtime import Runtime
from soinbox_web.services.setup import limits
from soinbox_web.services.setup.job import ScribeCache, Work
from soinbox_web.services.setup.typed_secrets import Typed
from soinbox_web.store import accounts, changes, setup_attempts

# Sources that name the user name's form; the others leave it to one more try.
_KNOW_USERNAME = ("operator", "table", "pacc", "autoconfig", "ispdb", "mx")
OTHER_DOORS = 2


def find(work: Work) -> None:
    """The job of the `finding` step: ends in `password` or `advanced`."""
    attempt = work.attempt
    address = typed_address(attempt.address)
    try:
        found = discovery.find(
            address,
            Network(work.runtime.settings, work.runtime.clock),
            progress=work.progress,
            cancelled=work.cancelled,
            cache=ScribeCache(work.runtime),
        )
    except DiscoveryError as error:
        step = "password" if error.problem.code in NO_PASSWORD_CODES else "advanced"
        work.finish(step=step, problems=(error.problem,), detection=known(address.domain))
        return
    imap, smtp = logins(found, address.full)
    if imap is None and not set(found.policies) & {"no_imap", "pop_only", "bridge", "oauth_only"}:
        problem = Problem("nothing_found", side="detection", stage="lookup", facts={"domain": address.domain})
        work.finish(step="advanced", detection=found, smtp=smtp, problems=(problem,))
    else:
        work.finish(
            step="password", detection=found, imap=imap, smtp=smtp, problems=own_page(work.runtime, found)
        )


def typed_address(text: str) -> Address:
    """The address in what was typed, in small letters: capitals come from keyboards, not from mailboxes.

    InputError address_invalid.
    """
    address = read_address(text)
    return replace(address, local=address.local.lower())


def known(domain: str) -> Detection | None:
    """What the own table says of a domain, without any look-up."""
    provider = providers.provider_of(domain)
    return Detection(provider, provider.candidates, provider.policies) if provider else None


def own_page(runtime: Runtime, found: Detection) -> tuple[Problem, ...]:
    """The problem of a provider that signs people in on its own page only."""
    provider, best = found.provider, found.best("imap")
    if provider is None or "oauth_only" not in found.policies:
        return ()
    if runtime.settings.public_url and best and issuers.client_for(runtime.settings, best.host):
        return ()  # the page has the button
    return (
        Problem("oauth_not_set_up", side="detection", stage="lookup", facts={"provider": provider.name},
                help_url=provider.help_url),
    )  # fmt: skip


def logins(found: Detection | None, address: str) -> tuple[Login | None, Login | None]:
    """The best login of each side."""
    if found is None:
        return None, None
    imap, smtp = found.best("imap"), found.best("smtp")
    return imap.login(address) if imap else None, smtp.login(address) if smtp else None


def leaves_username_open(found: Detection | None, imap: Login, address: str) -> bool:
    """The other form of the user name may be tried once: nobody has said which it is."""
    if imap.username not in (address, address.rpartition("@")[0]):
        return False
    source = next((c.source for c in found.candidates if c.login(address) == imap), None) if found else None
    return source not in _KNOW_USERNAME


def connect(work: Work) -> None:
    """The job of the `connecting` step: ends in `done` with a saved account, or in `advanced`.

    A test of one side always ends in `advanced`, with that side's problem or what is worth telling.
    """
    runtime, attempt = work.runtime, work.attempt
    account = edited(runtime, attempt)
    if attempt.imap is None:
        raise InputError(Problem("host_invalid", side="imap", field="host"))
    typed = Typed.of(runtime, attempt)
    if attempt.purpose in ("test_imap", "test_smtp"):
        reading = attempt.purpose == "test_imap"
        secrets = typed.for_servers(runtime, account, attempt.imap, None if reading else attempt.smtp)
        tested = attempt_sign_in(
            work, attempt.imap if reading else None, None if reading else attempt.smtp, secrets
        )
        side = tested.imap if reading else tested.smtp
        work.finish(step="advanced", problems=(side.problem,) if side.problem else _worth_telling(side))
        return
    secrets = typed.for_servers(runtime, account, attempt.imap, attempt.smtp)
    result = attempt_sign_in(work, attempt.imap, attempt.smtp, secrets)
    if result.imap.ok:
        save_attempt(work, account, result, secrets)
    else:
        found = (result.imap.problem, result.smtp.problem)
        work.finish(step="advanced", problems=tuple(problem for problem in found if problem))


def attempt_sign_in(work: Work, imap: Login | None, smtp: Login | None, secrets: Secrets) -> SignInResult:
    """Both sides tried, unless the limits or the memory of a refusal forbid it."""
    runtime, attempt = work.runtime, work.attempt
    outgoing = secrets.smtp or secrets.imap
    refused = limits.refusal(runtime, attempt.user_id, "imap", imap, secrets.imap) if imap else None
    if refused is not None:
        return SignInResult(SideResult(False, False, imap, refused, ()), _not_tried(smtp))
    smtp_refused = limits.refusal(runtime, attempt.user_id, "smtp", smtp, outgoing) if smtp else None
    result = run_sign_in(
        runtime,
        attempt.detection,
        attempt.address,
        imap,
        smtp if smtp_refused is None else None,
        secrets,
        work.progress,
        work.cancelled,
        found_hosts=attempt.accepted_hosts if attempt.purpose == "found" else None,
    )
    if imap is not None and result.imap.tried:
        limits.note(runtime, attempt.user_id, imap, secrets.imap, result.imap.problem)
    if smtp is not None and result.smtp.tried:
        limits.note(runtime, attempt.user_id, smtp, outgoing, result.smtp.problem)
    if smtp_refused is not None:
        return SignInResult(result.imap, SideResult(False, False, smtp, smtp_refused, ()))
    return result


def run_sign_in(
    runtime: Runtime,
    found: Detection | None,
    address: str,
    imap: Login | None,
    smtp: Login | None,
    secrets: Secrets,
    progress: Callable[[Stage], None],
    cancelled: Callable[[], bool],
    found_hosts: Sequence[str] | None = None,
) -> SignInResult:
    """`mail.signin` with what is known of the provider.

    `found_hosts`: the servers were found and not typed, so that the other doors that were found may be tried
    where the first cannot be reached, on hosts that are trusted or among these.
    """
    provider = found.provider if found else providers.provider_of(address.rpartition("@")[2])
    return signin.sign_in(
        imap,
        smtp,
        secrets,
        Network(runtime.settings, runtime.clock),
        provider=provider,
        alternative_username=imap is not None and leaves_username_open(found, imap, address),
        address=address,
        imap_others=_other_doors(found, address, "imap", imap, found_hosts),
        smtp_others=_other_doors(found, address, "smtp", smtp, found_hosts),
        progress=progress,
        cancelled=cancelled,
    )


def _other_doors(
    found: Detection | None, address: str, side: str, first: Login | None, hosts: Sequence[str] | None
) -> list[Login]:
    if found is None or first is None or hosts is None:
        return []
    doors = [
        candidate.login(address)
        for candidate in found.candidates
        if candidate.protocol == side
        and "password" in candidate.auth
        and candidate.endpoint != first.endpoint
        and (candidate.trusted or candidate.host in hosts)
    ]
    return doors[:OTHER_DOORS]


def _worth_telling(*sides: SideResult) -> tuple[Problem, ...]:
    return tuple(note for side in sides for note in side.notes)


def edited(runtime: Runtime, attempt: SetupAttempt) -> Account | None:
    """The account that the attempt edits."""
    if attempt.account_id is None:
        return None
    with runtime.db.read() as connection:
        return accounts.read(connection, attempt.account_id)


def save_attempt(work: Work, account: Account | None, result: SignInResult, secrets: Secrets) -> None:
    """One write: the account, its secrets, how both sides fared, and the end of the attempt."""
    attempt = work.attempt
    work.flush()
    with work.runtime.db.write() as connection:
        if setup_attempts.step_of(connection, attempt.token) != "connecting":
            return
        saved = save(
            work.runtime,
            attempt.user_id,
            attempt.address,
            account,
            attempt.detection.provider if attempt.detection else None,
            result,
            secrets,
            attempt.imap,
            attempt.smtp,
        )
        setup_attempts.update(
            connection, attempt.token, work.runtime.clock.now(),
            step="done", account_id=saved.id, sealed=None, claimed_at=None,
            problems=_worth_telling(result.imap, result.smtp),
        )  # fmt: skip


def save(
    runtime: Runtime,
    user_id: int,
    address: str,
    account: Account | None,
    provider: Provider | None,
    result: SignInResult,
    secrets: Secrets,
    imap: Login | None,
    smtp: Login | None,
) -> Account:
    """The account as it works; InputError already_connected when the user has this address already."""
    imap = result.imap.login or imap
    smtp = (result.smtp.login if result.smtp.ok else None) or smtp
    if imap is None:
        raise InputError(Problem("host_invalid", side="imap", field="host"))
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        if account is not None:
            accounts.update_login(connection, account.id, imap, smtp, now)
            account_id, event = account.id, "edited"
        else:
            if accounts.by_address(connection, user_id, address) is not None:
                raise already_connected(address)
            owner = connection.execute("SELECT name FROM users WHERE id = ?", (user_id,)).fetchone()
            account_id, event = (
                accounts.insert(
                    connection, user_id, address, imap, smtp, now,
                    name=owner["name"],
                    provider=provider.key if provider else "",
                    files_sent_copy=provider.files_sent_copy if provider else "unknown",
                ),
                "connected",
            )  # fmt: skip
        saved = accounts.read(connection, account_id)
        if not secrets.token:
            accounts.use_passwords(connection, account_id)
            accounts.seal_secret(connection, runtime.vault, saved, "imap", secrets.imap)
        accounts.record_attempt(connection, account_id, "imap", now)
        if smtp is not None:
            if not secrets.token:
                accounts.seal_secret(connection, runtime.vault, saved, "smtp", secrets.smtp or secrets.imap)
            accounts.record_attempt(connection, account_id, "smtp", now, result.smtp.problem)
        changes.record(connection, "account", now, user_id=user_id, account_id=account_id, detail=event)
        return accounts.read(connection, account_id)


def already_connected(address: str) -> InputError:
    return InputError(
        Problem("already_connected", side="detection", field="address", facts={"address": address})
    )


def _not_tried(smtp: Login | None) -> SideResult:
    return SideResult(False, False, smtp, None, ())
