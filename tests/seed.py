"""A mailbox file filled through the store, as the mailroom would have left it; no server is needed."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from soinbox_web.mail.mime.parse import parse
from soinbox_web.model.account import Account
from soinbox_web.model.folder import Role
from soinbox_web.model.member import Member
from soinbox_web.model.message import Envelope, MessageKey
from soinbox_web.model.server import Login
from soinbox_web.runtime import Runtime
from soinbox_web.store import accounts, bodies, changes, folders, messages

FOLDERS: tuple[tuple[str, Role], ...] = (
    ("INBOX", "inbox"), ("Drafts", "drafts"), ("Sent", "sent"), ("Trash", "trash"), ("Klanten", ""),
)  # fmt: skip
UIDVALIDITY = 7


def account(runtime: Runtime, member: Member, address: str = "", *, smtp: Login | None = None) -> Account:
    """An account of a member with the usual folders, nothing in them."""
    address = address or member.address
    imap = Login("127.0.0.1", 993, "ssl", address)
    smtp = smtp or Login("127.0.0.1", 465, "ssl", address)
    with runtime.db.write() as connection:
        number = accounts.insert(connection, member.id, address, imap, smtp, runtime.clock.now())
        made = accounts.read(connection, number)
        accounts.seal_secret(connection, runtime.vault, made, "imap", "lampje-voor-anna")
        accounts.seal_secret(connection, runtime.vault, made, "smtp", "lampje-voor-anna")
    with runtime.mailbox(made.id, made.generation).write() as connection:
        for name, role in FOLDERS:
            folder_id = folders.add(connection, name, name, "/", role, selectable=True)
            folders.begin(connection, folder_id, UIDVALIDITY, 0)
            folders.finish(
                connection, folder_id, uidnext=1, highestmodseq=0, total=0, at=runtime.clock.now(), swept=True
            )
    return made


def deliver(
    runtime: Runtime,
    account: Account,
    raws: Iterable[bytes],
    *,
    folder: str = "INBOX",
    flags: Sequence[str] = (),
    with_bodies: bool = True,
    at: datetime | None = None,
) -> list[MessageKey]:
    """Messages arrive in a folder; their keys."""
    keys = []
    with runtime.mailbox(account.id, account.generation).write() as connection:
        row = folders.by_name(connection, folder)
        assert row is not None
        uid = max(messages.uids(connection, row.id), default=0)
        for raw in raws:
            uid += 1
            parsed = parse(raw)
            envelope = Envelope(
                uid, frozenset(flags), _seconds(at or parsed.date or runtime.clock.now()), len(raw),
                _seconds(parsed.date),
                parsed.subject, parsed.sender, parsed.reply_to, parsed.to, parsed.cc, parsed.bcc,
                parsed.message_id, parsed.in_reply_to, parsed.references,
                any(not each.inline for each in parsed.attachments), parsed.invitation is not None,
            )  # fmt: skip
            messages.insert_envelopes(connection, row.id, [envelope])
            found = messages.find(connection, folder, UIDVALIDITY, uid)
            assert found is not None
            if with_bodies:
                bodies.put(
                    connection, found["id"], bodies.pack(raw), len(raw), parsed.text, runtime.clock.now()
                )
            keys.append(MessageKey(account.id, folder, UIDVALIDITY, uid))
        changes.record(connection, "folder", runtime.clock.now(), account_id=account.id, detail=folder)
    return keys


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def letter(
    subject: str = "Offerte",
    *,
    sender: str = "Bram Bakker <bram@klant.example>",
    to: str = "anna@noordlicht.example",
    text: str = "Hallo Anna,\r\n\r\nHierbij de offerte.\r\n",
    date: str = "Mon, 23 Nov 2026 08:15:00 +0000",
    more: str = "",
) -> bytes:
    """A plain message; `more` holds further header lines, each with its line end."""
    return (
        f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {date}\r\n"
        f"Message-ID: <{abs(hash((subject, date, text)))}@klant.example>\r\n{more}"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}"
    ).encode()
