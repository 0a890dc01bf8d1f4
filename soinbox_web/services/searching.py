"""What the search field finds, for the command line (contract.md, `search`)."""

from typing import Any

from soinbox_web.model.account import Account
from soinbox_web.model.message import Correspondent, MessageKey
from soinbox_web.runtime import Runtime
from soinbox_web.store import search

SHOWN = 100


def search_json(runtime: Runtime, account: Account, text: str) -> dict[str, Any]:
    """The newest messages of one account that have every word; `total` counts all."""
    started = runtime.clock.monotonic()
    with runtime.mailbox(account.id, account.generation).read() as connection:
        total = search.count(connection, text)
        rows = search.find(connection, text, limit=SHOWN)
    return {
        "total": total,
        "messages": [
            {
                "id": str(MessageKey(account.id, row["folder"], row["uidvalidity"], row["uid"])),
                "folder": row["folder"],
                "subject": row["subject"],
                "from": str(Correspondent(row["sender_name"], row["sender_address"])),
                "date": row["date"] or row["internal_date"],
                "snippet": row["snippet"],
            }
            for row in rows
        ],
        "seconds": round(runtime.clock.monotonic() - started, 6),
    }
