"""What an administrator has to do before people can sign in at a provider's own page."""

from dataclasses import dataclass

from soinbox_web.mail.discovery import providers
from soinbox_web.model.setup_attempt import SetupAttempt
from soinbox_web.runtime import Runtime
from soinbox_web.services.setup.consent import CALLBACK, issuer_title

CODES = ("oauth_not_set_up", "oauth_required")


@dataclass(frozen=True, slots=True)
class Registration:
    """Where soinbox has to be registered, with which address to come back to, and the settings to make then.

    `callback` is "" while the instance has no public address of its own.
    """

    provider: str
    callback: str
    settings: tuple[str, ...]


def registration(runtime: Runtime, attempt: SetupAttempt) -> Registration | None:
    """None where a password will do, or a client is there."""
    policies = attempt.detection.policies if attempt.detection else ()
    needed = "oauth_only" in policies or any(problem.code in CODES for problem in attempt.problems)
    if not needed or issuer_title(runtime, attempt.imap):
        return None
    found = attempt.detection.provider if attempt.detection else None
    provider = found or (providers.by_host(attempt.imap.host) if attempt.imap else None)
    host = attempt.imap.host if attempt.imap else attempt.address.rpartition("@")[2]
    issuer = provider.oauth_issuer if provider else ""
    if issuer in ("google", "microsoft"):
        names = ("CLIENT_ID", "CLIENT_SECRET_FILE")
        wanted = tuple(f"SOINBOX_{issuer.upper()}_{name}" for name in names)
    else:
        name = (issuer or host.split(".")[-2 if "." in host else 0]).upper().replace("-", "_")
        values = ("ISSUER", "CLIENT_ID", "CLIENT_SECRET_FILE", "SCOPES", f"HOSTS={host}")
        wanted = tuple(f"SOINBOX_OAUTH_{name}_{value}" for value in values)
    public = runtime.settings.public_url
    return Registration(
        provider.name if provider else host,
        public + CALLBACK if public else "",
        wanted if public else ("SOINBOX_PUBLIC_URL", *wanted),
    )
