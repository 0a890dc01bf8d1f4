"""Users of this instance: the first administrator, invitations, personal settings, removal, export."""

import json
import secrets
import sqlite3
import zipfile
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from soinbox_web.model.address import read_address
from soinbox_web.model.member import PASSWORD_MAX, PASSWORD_MIN, Invitation, Member
from soinbox_web.model.person import split_name
from soinbox_web.problems import AccessError, InputError, Problem
from soinbox_web.problems.members import delayed
from soinbox_web.runtime import Runtime
from soinbox_web.store import (
    accounts,
    audit,
    drafts,
    invitations,
    options,
    passwords,
    persons,
    sessions,
    users,
)
from soinbox_web.store.rate_limits import Limit, take

CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that looks like another
CODE_LIMIT = Limit(10, timedelta(minutes=1))
INVITED_FOR = timedelta(days=7)


def of_session(runtime: Runtime, token: str) -> Member | None:
    """Whose session this token is; None when it has ended."""
    now = runtime.clock.now()
    with runtime.db.read() as connection:
        found = sessions.member(connection, token, now)
    if found is None:
        return None
    member, seen = found
    if now - seen > sessions.SEEN_STEP:
        with runtime.db.write() as connection:
            sessions.seen(connection, member.session_id, now)
    return member


def is_empty(runtime: Runtime) -> bool:
    """No user has been made yet."""
    with runtime.db.read() as connection:
        return users.count(connection) == 0


def first_code(runtime: Runtime) -> str | None:
    """A new one-time code for the first administrator, to be printed; None when there is a user.

    Only its hash is kept, in the file `first-code` (mode 0600) of the instance.
    """
    if not is_empty(runtime):
        return None
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(12))
    path = _code_path(runtime)
    path.touch(0o600)
    path.write_text(sessions.digest(letters))
    return "-".join(letters[at : at + 4] for at in (0, 4, 8))


def add_first(
    runtime: Runtime,
    code: str,
    address: str,
    name: str,
    password: str,
    *,
    language: str = "",
    timezone: str = "",
) -> Member:
    """The first administrator; InputError code_wrong, AccessError not_found when there is a user already."""
    path = _code_path(runtime)
    with runtime.db.write() as connection:
        wait = take(connection, "first administrator", CODE_LIMIT, runtime.clock.now())
    if wait:
        raise InputError(delayed(wait))
    typed = "".join(letter for letter in code.upper() if letter.isalnum())
    expected = path.read_text() if path.exists() else ""
    if not expected or not secrets.compare_digest(sessions.digest(typed), expected):
        raise InputError(Problem("code_wrong"))
    ready = _checked(address, name, password)
    with runtime.db.write() as connection:
        if users.count(connection):
            raise AccessError(Problem("not_found"))
        member = _insert(runtime, connection, *ready, is_admin=True, language=language, timezone=timezone)
    path.unlink(missing_ok=True)
    return member


def add(
    runtime: Runtime,
    address: str,
    name: str,
    password: str,
    admin: bool = False,
    *,
    language: str = "",
    timezone: str = "",
) -> Member:
    """A new user with a card; InputError address_invalid, member_exists or password_short."""
    ready = _checked(address, name, password)
    with runtime.db.write() as connection:
        return _insert(runtime, connection, *ready, is_admin=admin, language=language, timezone=timezone)


def all_members(runtime: Runtime) -> list[Member]:
    """Every user, by name."""
    with runtime.db.read() as connection:
        return users.all(connection)


def by_address(runtime: Runtime, address: str) -> Member:
    """The user who signs in with an address; AccessError member_unknown."""
    with runtime.db.read() as connection:
        return _of_address(connection, address)


def by_id(runtime: Runtime, user_id: int) -> Member:
    """A user; AccessError not_found."""
    with runtime.db.read() as connection:
        member = users.by_id(connection, user_id)
    if member is None:
        raise AccessError(Problem("not_found"))
    return member


def invite(runtime: Runtime, by: Member, address: str, name: str, *, is_admin: bool = False) -> str:
    """A one-time token for the link of an invitation; it is shown once. InputError as in `add`."""
    full = read_address(address).full
    token = secrets.token_urlsafe(32)
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        if users.by_address(connection, full):
            raise InputError(Problem("member_exists", facts={"address": full}))
        invitations.insert(
            connection, token, Invitation(0, full, name.strip(), is_admin, now + INVITED_FOR), by.id, now
        )
        audit.note(connection, "invited", now, user_id=by.id, detail=full)
    return token


def open_invitations(runtime: Runtime) -> list[Invitation]:
    """Every invitation that may still be used."""
    with runtime.db.read() as connection:
        return invitations.open_ones(connection, runtime.clock.now())


def invitation(runtime: Runtime, token: str) -> Invitation:
    """The open invitation of a link; AccessError invitation_ended."""
    with runtime.db.read() as connection:
        found = invitations.by_token(connection, token, runtime.clock.now())
    if found is None:
        raise AccessError(Problem("invitation_ended"))
    return found


def withdraw(runtime: Runtime, by: Member, invitation_id: int) -> None:
    """Take an open invitation back."""
    with runtime.db.write() as connection:
        invitations.withdraw(connection, invitation_id)
        audit.note(connection, "invitation withdrawn", runtime.clock.now(), user_id=by.id)


def accept(
    runtime: Runtime, token: str, name: str, password: str, *, language: str = "", timezone: str = ""
) -> Member:
    """Become a user by an invitation, once."""
    offered = invitation(runtime, token)
    ready = _checked(offered.address, name, password)
    with runtime.db.write() as connection:
        if not invitations.use(connection, offered.id, runtime.clock.now()):
            raise AccessError(Problem("invitation_ended"))
        return _insert(
            runtime, connection, *ready, is_admin=offered.is_admin, language=language, timezone=timezone
        )


def change_settings(runtime: Runtime, member: Member, *, name: str, language: str, timezone: str) -> None:
    """Name, language and IANA zone of a user."""
    with runtime.db.write() as connection:
        users.update(
            connection,
            member.id,
            runtime.clock.now(),
            name=name.strip(),
            language=language,
            timezone=timezone,
        )


def choose_language(runtime: Runtime, member: Member, language: str) -> None:
    with runtime.db.write() as connection:
        users.update(connection, member.id, runtime.clock.now(), language=language)


def set_admin(runtime: Runtime, by: Member, user_id: int, is_admin: bool) -> None:
    """Give or take the rights of an administrator; InputError last_administrator."""
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        member = users.by_id(connection, user_id)
        if member is None:
            raise AccessError(Problem("not_found"))
        _keep_an_administrator(connection, member, is_admin)
        users.update(connection, user_id, now, is_admin=is_admin)
        audit.note(
            connection,
            "administrator" if is_admin else "no administrator",
            now,
            user_id=user_id,
            detail=str(by.id),
        )


def change_password(runtime: Runtime, member: Member, current: str, new: str) -> str:
    """A new password; ends every session and gives this browser a new token. InputError member_refused."""
    check_password(new)
    with runtime.db.read() as connection:
        stored = users.password_hash(connection, member.id)
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        wait = take(connection, f"password {member.id}", CODE_LIMIT, now)
    if wait:
        raise InputError(delayed(wait))
    if not passwords.fits(stored, current):
        raise InputError(Problem("member_refused"))
    hashed = passwords.hashed(new)
    token = secrets.token_urlsafe(32)
    with runtime.db.write() as connection:
        agents = {each.id: each.user_agent for each in sessions.of_user(connection, member.id, now)}
        users.update(connection, member.id, now, password_hash=hashed)
        sessions.end_all(connection, member.id)
        sessions.insert(connection, member.id, token, agents.get(member.session_id, ""), now)
        audit.note(connection, "password changed", now, user_id=member.id)
    return token


def set_password(runtime: Runtime, address: str, password: str) -> None:
    """A new password by the operator; ends all sessions. AccessError member_unknown."""
    check_password(password)
    hashed = passwords.hashed(password)
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        member = _of_address(connection, address)
        users.update(connection, member.id, now, password_hash=hashed)
        sessions.end_all(connection, member.id)
        audit.note(connection, "password set by operator", now, user_id=member.id)


def remove(runtime: Runtime, address: str) -> None:
    """End the user's sessions, delete accounts, mailbox files, drafts and unsent mail; the card stays."""
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        member = _of_address(connection, address)
        _keep_an_administrator(connection, member, False)
        connected = accounts.of_user(connection, member.id)
        users.remove(connection, member.id, now)
        audit.note(connection, "user removed", now, detail=member.address)
    for account in connected:
        runtime.forget_mailbox(account.id, account.generation)


def export(runtime: Runtime, address: str, file: Path) -> None:
    """A zip of the user's card, options, drafts and audit lines, as JSON."""
    with runtime.db.read() as connection:
        member = _of_address(connection, address)
        card = persons.read(connection, member.person_id)
        documents = {
            "user": {
                "address": member.address,
                "name": member.name,
                "language": member.language,
                "timezone": member.timezone,
            },
            "card": asdict(card) if card else None,
            "options": asdict(options.of(connection, member.id)),
            "drafts": [asdict(draft) for draft in drafts.of_user(connection, member.id)],
            "accounts": [account.address for account in accounts.of_user(connection, member.id)],
            "audit": audit.of_user(connection, member.id),
        }
    file.touch(0o600)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, document in documents.items():
            bundle.writestr(f"{name}.json", json.dumps(document, ensure_ascii=False, indent=2, default=str))


def check_password(password: str) -> None:
    """InputError password_short."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise InputError(Problem("password_short", field="password", facts={"minimum": str(PASSWORD_MIN)}))


def _checked(address: str, name: str, password: str) -> tuple[str, str, str]:
    full = read_address(address).full
    check_password(password)
    return full, name.strip() or full, passwords.hashed(password)


def _insert(
    runtime: Runtime, connection: sqlite3.Connection, address: str, name: str, password_hash: str, *,
    is_admin: bool, language: str, timezone: str,
) -> Member:  # fmt: skip
    now = runtime.clock.now()
    if users.by_address(connection, address):
        raise InputError(Problem("member_exists", facts={"address": address}))
    person_id = _card(runtime, connection, name, address)
    user_id = users.insert(
        connection,
        address,
        name,
        password_hash,
        person_id,
        now,
        is_admin=is_admin,
        language=language,
        timezone=timezone,
    )
    audit.note(connection, "user added", now, user_id=user_id)
    return Member(user_id, address, name, is_admin, language, timezone, person_id)


def _card(runtime: Runtime, connection: sqlite3.Connection, name: str, address: str) -> int:
    """The card that has this as its first address and belongs to no user, else a new one."""
    for card in persons.by_address(connection, address):
        if not card.user_id and card.first_address.casefold() == address.casefold():
            return card.id
    first, last = split_name(name)
    return persons.insert(
        connection, {"first_name": first, "last_name": last}, [address], runtime.clock.now()
    )


def _of_address(connection: sqlite3.Connection, address: str) -> Member:
    member = users.by_address(connection, address.strip())
    if member is None:
        raise AccessError(Problem("member_unknown", facts={"address": address.strip()[:254]}))
    return member


def _keep_an_administrator(connection: sqlite3.Connection, member: Member, is_admin: bool) -> None:
    if (
        member.is_admin
        and not is_admin
        and users.count_admins(connection) == 1
        and users.count(connection) > 1
    ):
        raise InputError(Problem("last_administrator"))


def _code_path(runtime: Runtime) -> Path:
    return runtime.settings.instance / "first-code"
