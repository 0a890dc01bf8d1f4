"""Who may send: the first-address rule, on every path and again at delivery."""

import sqlite3

from soinbox_web.model.account import Account
from soinbox_web.model.message import Correspondent
from soinbox_web.model.sender import may_send
from soinbox_web.problems import Problem
from soinbox_web.settings import Settings
from soinbox_web.store import persons


def objection(connection: sqlite3.Connection, settings: Settings, account: Account) -> Problem | None:
    """Why this account may not send now; None when it may."""
    card = persons.of_user(connection, account.user_id)
    own = [each.address for each in card.addresses] if card else []
    if not may_send(settings.sender_rule, account.address, own):
        return Problem("sender_not_first", field="address", facts={"address": account.address})
    if account.smtp is None:
        return Problem("sending_not_set_up", side="smtp", facts={"address": account.address})
    return None


def sender_of(connection: sqlite3.Connection, account: Account) -> Correspondent:
    """The From of an account: its own name, else the name on the user's card."""
    card = persons.of_user(connection, account.user_id)
    name = account.name or (f"{card.first_name} {card.last_name}".strip() if card else "")
    return Correspondent(name, account.address)
