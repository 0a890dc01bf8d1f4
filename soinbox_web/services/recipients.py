"""Whom a person may want to write to: cards, then people written to before."""

from soinbox_web.model.message import Correspondent
from soinbox_web.model.recipients import write_recipients
from soinbox_web.runtime import Runtime
from soinbox_web.store import accounts, folders, messages, persons

MOST = 20
RECENT = 300  # of the newest messages in Sent


def suggested(runtime: Runtime, user_id: int, text: str) -> list[str]:
    """At most 20 recipients as they stand in a field; every word of `text` is in their name or address."""
    words = text.casefold().split()[:8]
    with runtime.db.read() as connection:
        cards = persons.search(connection, words, MOST)
        owned = accounts.of_user(connection, user_id)
    found = {
        each.address.casefold(): Correspondent(card.name if card.name != each.address else "", each.address)
        for card in cards
        for each in card.addresses
    }
    for account in owned:
        with runtime.mailbox(account.id, account.generation).read() as connection:
            sent = folders.by_role(connection, "sent")
            rows = messages.page(connection, sent.id, limit=RECENT) if sent else []
        for row in rows:
            people = messages.correspondents(row)
            for each in (*people.get("to", ()), *people.get("cc", ())):
                if all(word in f"{each.name} {each.address}".casefold() for word in words):
                    found.setdefault(each.address.casefold(), each)
    return [write_recipients((each,)) for each in list(found.values())[:MOST]]
