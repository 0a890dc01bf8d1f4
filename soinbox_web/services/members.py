"""Users of this instance: first administrator, invitations, sign-in, sessions, personal settings."""

import hashlib

from soinbox_web.model.member import Member
from soinbox_web.runtime import Runtime


def of_session(runtime: Runtime, token: str) -> Member | None:
    """Whose session this token is; None when it has ended."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    with runtime.db.read() as connection:
        row = connection.execute(
            "SELECT u.*, s.id AS session_id FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = ?",
            (digest,),
        ).fetchone()
    if row is None:
        return None
    return Member(
        row["id"], row["address"], row["name"], bool(row["is_admin"]), row["language"], row["timezone"],
        row["person_id"], row["session_id"],
    )  # fmt: skip
