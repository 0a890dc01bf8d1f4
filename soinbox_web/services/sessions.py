"""Signing in and out of soinbox: sessions, devices, and a brake on guessing (trust.md section 3)."""

import secrets
from datetime import timedelta

from soinbox_web.model.member import Member, Session
from soinbox_web.problems import InputError, Problem
from soinbox_web.problems.members import delayed
from soinbox_web.runtime import Runtime
from soinbox_web.store import audit, passwords, rate_limits, sessions, users
from soinbox_web.store.rate_limits import Limit

PER_NAME = Limit(5, timedelta(minutes=96))  # at most 20 guesses a day for one user
PER_PLACE = Limit(30, timedelta(minutes=1))
PER_DEVICE = Limit(10, timedelta(minutes=6))
MOST_KEPT = 2_000  # names that nobody has, and places: strangers choose how many they use


def sign_in(
    runtime: Runtime, address: str, password: str, *, place: str = "", device: str = "", user_agent: str = ""
) -> tuple[Member, str]:
    """The member and a new session token; InputError member_refused or member_delayed.

    `place` is the browser's network address, `device` the device cookie of an earlier sign-in: with it a
    person is not slowed down by the guesses of others. An unknown name answers the same, as slowly.
    """
    now = runtime.clock.now()
    name = address.strip().casefold()[:254]
    known_device = owns(runtime, device, name)
    with runtime.db.write() as connection:
        member = users.by_address(connection, name)
        whom = "name" if member else "nobody"  # names that nobody has are forgotten before those of members
        brakes = (
            [(f"device {device}", PER_DEVICE)]
            if known_device
            else [(f"{whom} {name}", PER_NAME), (f"place {place}", PER_PLACE)]
        )
        waits = [rate_limits.take(connection, bucket, limit, now) for bucket, limit in brakes]
        for kind in ("nobody", "place"):
            rate_limits.keep_newest(connection, kind, MOST_KEPT)
        stored = users.password_hash(connection, member.id) if member else None
    if any(waits):
        raise InputError(delayed(max(waits)))
    if not passwords.fits(stored, password) or member is None:
        raise InputError(Problem("member_refused"))
    with runtime.db.write() as connection:
        for bucket, limit in brakes:
            rate_limits.give_back(connection, bucket, limit, now)
        audit.note(connection, "signed in", now, user_id=member.id)
        sessions.prune(connection, now)
        rate_limits.prune(connection, now)
    return member, begin(runtime, member, user_agent)


def begin(runtime: Runtime, member: Member, user_agent: str = "") -> str:
    """A new session's token (256 bits)."""
    token = secrets.token_urlsafe(32)
    with runtime.db.write() as connection:
        sessions.insert(connection, member.id, token, user_agent, runtime.clock.now())
    return token


def end(runtime: Runtime, member: Member, session_id: int) -> bool:
    """End one of the member's own sessions."""
    with runtime.db.write() as connection:
        return sessions.end(connection, member.id, session_id)


def end_others(runtime: Runtime, member: Member) -> int:
    """End every session but this one; how many."""
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        ended = sessions.end_all(connection, member.id, but=member.session_id)
        audit.note(connection, "signed out elsewhere", now, user_id=member.id, detail=str(ended))
    return ended


def end_all(runtime: Runtime, member: Member) -> None:
    """Sign out everywhere, here too."""
    with runtime.db.write() as connection:
        sessions.end_all(connection, member.id)
        audit.note(connection, "signed out everywhere", runtime.clock.now(), user_id=member.id)


def of_member(runtime: Runtime, member: Member) -> list[Session]:
    """The browsers where this member is signed in, the one used last first."""
    with runtime.db.read() as connection:
        return sessions.of_user(connection, member.id, runtime.clock.now())


def device_cookie(runtime: Runtime, member: Member) -> str:
    """What a browser keeps after a sign-in: random, bound to the user's address by a keyed hash."""
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_mark(runtime, nonce, member.address)}"


def owns(runtime: Runtime, device: str, name: str) -> bool:
    """Whether this device cookie was given to the user with this address."""
    nonce, _, mark = device.partition(".")
    return bool(mark) and device.isascii() and secrets.compare_digest(mark, _mark(runtime, nonce, name))


def _mark(runtime: Runtime, nonce: str, name: str) -> str:
    return runtime.vault.fingerprint("device cookie", nonce, name.casefold())[:32]
