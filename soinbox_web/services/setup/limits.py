"""What protects mailboxes and their servers from us: no secret is tried twice, no login too often."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from soinbox_web.model.server import Login
from soinbox_web.problems import Problem, ServerError
from soinbox_web.runtime import Runtime
from soinbox_web.store import refused_secrets, setup_attempts

DETECTIONS, DETECTION_WINDOW = 10, timedelta(minutes=10)
REFUSALS, REFUSAL_WINDOW = 5, timedelta(minutes=15)
USERS, USERS_WINDOW = 10, timedelta(minutes=10)
# Only these say that the secret itself can never do; others may be mended at the provider within minutes.
_SECRET_CODES = ("credentials_wrong", "app_password_required", "oauth_required")


def check_detections(runtime: Runtime, user_id: int, domain: str) -> None:
    """ServerError local_limit after 10 detections of one user in 10 minutes."""
    now = runtime.clock.now()
    with runtime.db.read() as connection:
        begun = setup_attempts.begun_at(connection, user_id, now - DETECTION_WINDOW)
    if len(begun) >= DETECTIONS:
        again = begun[-DETECTIONS] + DETECTION_WINDOW
        raise ServerError(_local_limit(runtime, user_id, "detection", domain, again))


def refusal(runtime: Runtime, user_id: int, side: str, login: Login, secret: str) -> Problem | None:
    """Why this sign-in is not tried now: the same secret was refused before, or there were too many tries."""
    now = runtime.clock.now()
    with runtime.db.read() as connection:
        known = refused_secrets.answer(connection, runtime.vault, login, secret, now)
        tries = refused_secrets.refusals(connection, runtime.vault, login, now - REFUSAL_WINDOW)
        users = refused_secrets.refused_users(connection, login.host, now - USERS_WINDOW)
    if known is not None and known.code in _SECRET_CODES:
        return known.at(side=side)
    if len(tries) >= REFUSALS:
        return _local_limit(runtime, user_id, side, login.host, tries[-REFUSALS] + REFUSAL_WINDOW)
    if len(users) >= USERS:
        return _local_limit(runtime, user_id, side, login.host, users[-USERS] + USERS_WINDOW)
    return None


def note(runtime: Runtime, user_id: int, login: Login, secret: str, problem: Problem | None) -> None:
    """Remember how a sign-in ended: `problem` None when it was accepted."""
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        if problem is None:
            refused_secrets.forget(connection, runtime.vault, login)
        elif problem.stage == "sign_in" and (problem.retry != "later" or problem.code == "unknown"):
            refused_secrets.remember(connection, runtime.vault, user_id, login, secret, problem, now)


def _local_limit(runtime: Runtime, user_id: int, side: str, host: str, again: datetime) -> Problem:
    with runtime.db.read() as connection:
        row = connection.execute("SELECT timezone FROM users WHERE id = ?", (user_id,)).fetchone()
    zone = ZoneInfo((row and row["timezone"]) or runtime.settings.timezone)
    seconds = max(1, round((again - runtime.clock.now()).total_seconds()))
    shown = (again + timedelta(minutes=1)).astimezone(zone).strftime("%H:%M")
    return Problem(
        "local_limit",
        side=side,  # type: ignore[arg-type]  # detection, imap or smtp
        stage="sign_in",
        facts={"host": host, "date": shown},
        retry_after_seconds=seconds,
    )
