"""A member with one of everything, and the paths that show it: for the walk and the trust figures."""

from dataclasses import dataclass
from pathlib import Path

from soinbox_web import __version__
from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.model.message import Correspondent, Envelope, MessageKey
from soinbox_web.problems import Problem
from soinbox_web.services import composing, people, sending
from soinbox_web.services.composing import Typed
from soinbox_web.store import bodies, folders, outbox, skipped_messages
from soinbox_web.store.outbox import Recipient
from tests import seed
from tests.servers.soinbox import Soinbox

LONG = "Ingenieursbureau-van-de-Wetering-en-Zonen-Verlichtingstechniek-Internationaal"
CORPUS = Path(__file__).parents[1] / "corpus"


@dataclass
class World:
    """A member with one of everything; `places` are paths by name."""

    product: Soinbox
    member: Member
    places: dict[str, str]
    account: Account


def _with_files(number: int) -> bytes:
    files = "".join(
        "--b\r\nContent-Type: application/pdf\r\n"
        f'Content-Disposition: attachment; filename="plan {n}.pdf"\r\n\r\nx\r\n'
        for n in range(number)
    )
    return (
        "From: Bram <bram@klant.example>\r\nSubject: Vijftig bijlagen\r\n"
        "Date: Mon, 23 Nov 2026 08:00:00 +0000\r\n"
        f"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nZie de bijlagen.\r\n{files}--b--\r\n"
    ).encode()


def _set_aside(web: Soinbox, account: Account) -> str:
    """Two messages that could not be fetched, one with a name and a source: the key of that one."""
    someone = Correspondent(LONG, f"{'a' * 60}@klant.example")
    named = Envelope(
        901, frozenset(), None, 2_000_000, 1_795_000_000, LONG * 2, (someone,), (), (), (), (), "", "", (),
        False, False,
    )  # fmt: skip
    with web.runtime.mailbox(account.id, account.generation).write() as connection:
        inbox = folders.by_name(connection, "INBOX")
        assert inbox
        skipped_messages.put(
            connection, inbox.id, {901: "too_large", 902: "unreadable"}, __version__, known={901: named}
        )
        skipped_messages.keep_source(connection, inbox.id, 901, bodies.pack(b"Cc: " + b"," * 5_000))
        folders.leave_out(connection, 3)
    return str(MessageKey(account.id, inbox.name, inbox.uidvalidity, 901))


def one_of_everything(web: Soinbox, address: str, *, admin: bool = True) -> World:
    member = web.add_member(address, "Anna de Vries", admin=admin)
    runtime = web.runtime
    account = seed.account(runtime, member)
    many = ", ".join(f"Gast {n} <gast{n}@klant.example>" for n in range(13))
    quote = "Akkoord!\r\n\r\n" + "> eerder geschreven\r\n" * 12
    letters = {
        "plain": seed.letter("Antwoord", text=quote, to=many),
        "long": seed.letter(LONG * 2, sender=f"{LONG} <{'a' * 60}@{'b' * 60}.example>", text=LONG * 9),
        "rtl": seed.letter("مرحبا بكم في العرض الجديد", sender="أحمد <ahmed@klant.example>"),
        "files": _with_files(50),
        "invitation": (CORPUS / "invitation.eml").read_bytes(),
        "odd": (CORPUS / "no-date-sender-subject.eml").read_bytes(),
        "html": b"From: Nieuws <n@x.example>\r\nSubject: Nieuwsbrief\r\nContent-Type: text/html\r\n\r\n"
        b"<h1>Nieuws</h1><img src='https://elders.example/p.png' alt='foto'><p>Tekst",
    }
    keys = dict(zip(letters, seed.deliver(runtime, account, letters.values()), strict=True))
    (waiting,) = seed.deliver(runtime, account, [seed.letter("Nog onderweg")], with_bodies=False)
    card = people.add(
        runtime, {"first_name": LONG, "last_name": LONG, "company": LONG}, ["bram@klant.example"]
    )
    for state, code in (("failed", "message_refused"), ("uncertain", "send_uncertain"), ("held", "")):
        draft = composing.start(runtime, member.id, account.id, "new")
        typed = Typed(account.id, "bram@klant.example", subject=f"{state} {LONG}")
        composing.save(runtime, member.id, draft, typed)
        number = sending.queue(runtime, member.id, draft)
        if code:
            now = runtime.clock.now()
            with runtime.db.write() as connection:
                outbox.claim(connection, number, "test", now)
                told = [Recipient("bram@klant.example", "refused", "550 5.1.1 unknown")]
                problem = Problem(code, side="smtp", facts={"host": "mail.klant.example"})
                outbox.settle(connection, number, state, told, now, problem)  # type: ignore[arg-type]
    aside = _set_aside(web, account)
    draft = composing.start(runtime, member.id, account.id, "new", to=f"{LONG} <{'a' * 60}@klant.example>")
    here = f"/inbox/{account.id}"
    places = {f"message-{name}": f"{here}?message={key}" for name, key in keys.items()}
    places |= {
        "inbox": here,
        "filtered": f"{here}?unread=1&since=2026-11-01&senders=other&attachment=1",
        "empty": f"{here}?folder=Klanten",
        "search": f"{here}?q=antwoord&everywhere=1",
        "nothing-found": f"{here}?q=qqqq",
        "message-gone": f"{here}?message={account.id}.SU5CT1g.7.999",
        "message-alone": f"/messages/{keys['plain']}",
        "ask-delete": f"/messages/delete?key={keys['plain']}",
        "loading": f"{here}?message={waiting}",
        "status": f"/accounts/{account.id}/status",
        "set-aside": f"/accounts/{account.id}/aside/{aside}",
        "outbox": "/outbox",
        "draft": f"/drafts/{draft}",
        "persons": "/persons",
        "nobody-found": "/persons?q=qqqq",
        "person": f"/persons/{card}",
        "person-new": "/persons/new?address=eva@klant.example&name=Eva+Smit",
        "person-edit": f"/persons/{card}/edit",
        "person-remove": f"/persons/{card}/remove",
        "my-card": "/persons/me",
        "options": "/options",
        "personal-settings": "/personal-settings",
        "team": "/team",
        "help": "/help/reading",
        "not-found": "/persons/99999",
    }
    return World(web, member, places, account)
