"""Every place of the product where a string of somebody else's is shown, filled with strings; and its pages.

What a page must show as text is what the product holds of the string (headers are cleaned of control signs,
paths are taken off file names), so that the page is judged, and not the cleaning before it.
"""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from urllib.parse import quote

from soinbox_web.clock import timestamp
from soinbox_web.mail.mime.headers import clean
from soinbox_web.mail.mime.parse import parse
from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.problems import Problem
from soinbox_web.runtime import Runtime
from soinbox_web.services import account_health, composing, members, people
from soinbox_web.services.composing import Typed
from soinbox_web.store import folders, outbox, persons, sessions
from soinbox_web.store.outbox import Recipient
from tests import seed

CHUNK = 80  # strings that share their pages
_ROWS = 40  # of a list that is drawn at once, at least
LONGEST = 1_500  # characters of a string
_ATTEMPTS = 20  # that a status page shows


@dataclass(frozen=True, slots=True)
class Place:
    """A page, and the strings that it must show as text."""

    name: str
    path: str
    shows: tuple[str, ...] = ()


class Places:
    """One member whose account, cards, drafts and letters carry the strings of one chunk at a time."""

    def __init__(self, runtime: Runtime, member: Member, account: Account, size: int) -> None:
        self._runtime, self._member = runtime, member
        self._account = account
        self._minutes = 0
        self._colleagues = [self._add_colleague(number) for number in range(size)]
        self._folders = [self._add_folder(number) for number in range(size)]
        self._draft = composing.start(runtime, member.id, self._account.id, "new")

    def of(self, strings: Sequence[str]) -> list[Place]:
        """Put these strings everywhere, each in every kind of field; the pages that show them."""
        strings = [text[:LONGEST].encode("utf-8", "replace").decode() for text in strings]
        return [
            *self._letters(strings),
            *self._writing(strings),
            *self._cards(strings),
            *self._failures(strings),
            *self._people(strings),
            *self._typed(strings),
        ]

    def _letters(self, strings: Sequence[str]) -> list[Place]:
        """Senders, subjects, first words, recipients, file names, folder names, a meeting."""
        here = f"/inbox/{self._account.id}"
        with self._runtime.mailbox(self._account.id, self._account.generation).write() as connection:
            for row, text in zip(self._folders, strings, strict=False):
                connection.execute("UPDATE folders SET name = ? WHERE id = ?", (f"{row} {text[:300]}", row))
        raws = [
            self._letter(subject=text, sender=strings[at - 1], text=strings[at - 2])
            for at, text in enumerate(strings)
        ]
        great = _with_everything(self._letter_date(), strings)
        (key,) = seed.deliver(self._runtime, self._account, [great])
        for folder, some in (("INBOX", raws[:_ROWS]), ("Klanten", raws[_ROWS:])):
            seed.deliver(self._runtime, self._account, some, folder=folder)
        parsed = [parse(raw) for raw in raws]
        whole = parse(great)
        listed = [(one.subject, *(each.name for each in one.sender)) for one in parsed]
        names = tuple(f"{row} {text[:300]}" for row, text in zip(self._folders, strings, strict=False))
        opened = (
            whole.subject,
            *(each.name for each in (*whole.sender, *whole.to)),
            *(each.name for each in whole.attachments),
            *whole.text.splitlines(),
        )
        return [
            Place("list", here, tuple(chain(*listed[:_ROWS]))),
            Place("list of another folder", f"{here}?folder=Klanten", tuple(chain(*listed[_ROWS:]))),
            Place("list of everything", f"{here}?q=woord&everywhere=1"),
            Place("folder of that name", f"{here}?folder={quote(names[0])}", names),
            Place("message", f"/messages/{key}", opened),
            Place("message in the list", f"{here}?message={key}", opened),
            Place("printed", f"/messages/{key}/print", (whole.subject, *(each.name for each in whole.to))),
            Place("asked before deleting", f"/messages/delete?key={key}", (whole.subject,)),
            Place("answer", f"/drafts/new?account={self._account.id}&kind=reply_all&of={key}"),
            Place("forwarded", f"/drafts/new?account={self._account.id}&kind=forward&of={key}"),
            Place("card from a sender", f"/persons/new?address=x@klant.example&name={quote(strings[0])}"),
        ]

    def _letter(self, *, subject: str, sender: str, text: str) -> bytes:
        head = f"From: {_word(sender)} <eva@klant.example>\r\nSubject: {_word(subject)}\r\n"
        kind = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n"
        body = b64encode(f"woord {text}".encode()).decode()
        return f"{head}{self._letter_date()}{kind}\r\n{body}\r\n".encode()

    def _letter_date(self) -> str:
        self._minutes += 1
        at = self._runtime.clock.now() - timedelta(days=300) + timedelta(minutes=self._minutes)
        return f"Date: {at:%a, %d %b %Y %H:%M:%S} +0000\r\n"

    def _writing(self, strings: Sequence[str]) -> list[Place]:
        """A draft with its files, and letters on their way, refused with a server's words."""
        runtime, member, now = self._runtime, self._member, self._runtime.clock.now()
        first, second, third, *_ = strings * 3
        typed = Typed(self._account.id, first, second, third, subject=first, body="\n".join(strings))
        composing.save(runtime, member.id, self._draft, typed)
        for file in composing.read(runtime, member.id, self._draft).files:
            composing.detach(runtime, member.id, self._draft, file.id)
        composing.attach(runtime, member.id, self._draft, [(text, "text/plain", b"x") for text in strings])
        draft = composing.read(runtime, member.id, self._draft)
        with runtime.db.write() as connection:
            connection.execute("DELETE FROM outbox")
            connection.execute("DELETE FROM drafts WHERE id <> ?", (self._draft,))
            for at, text in enumerate(strings):
                row = outbox.add(
                    connection, member.id, self._account.id, now, compose_token=f"token {at}",
                    message_id=f"<{at}@x.example>", subject=text, envelope_from="anna@noordlicht.example",
                    recipients=[strings[at - 1]], wire=b"x", sent_copy=b"x", not_before=now,
                )  # fmt: skip
                outbox.claim(connection, row, "test", now)
                told = [Recipient(strings[at - 1], "refused", strings[at - 2])]
                problem = Problem("message_refused", "smtp", evidence=text, facts={"host": text[:80]})
                outbox.settle(connection, row, "failed", told, now, problem)
        edit = f"/drafts/{self._draft}"
        shown = (draft.subject, draft.to, draft.cc, draft.bcc, *(file.name for file in draft.files))
        return [
            Place("composer", edit, (*shown, *draft.body.splitlines())),
            Place("asked before discarding", f"{edit}/discard", (draft.subject,)),
            Place("outbox", "/outbox", tuple(strings)),
        ]

    def _cards(self, strings: Sequence[str]) -> list[Place]:
        """Cards whose every field is a string."""
        runtime, now, made = self._runtime, self._runtime.clock.now(), 0
        with runtime.db.write() as connection:
            for (old,) in connection.execute(
                "SELECT id FROM persons WHERE id NOT IN (SELECT person_id FROM users)"
            ).fetchall():
                persons.remove(connection, old, now)
            for at, text in enumerate(strings):
                values = dict(zip(persons.FIELDS, (strings[at - each] for each in range(5)), strict=False))
                values |= {"last_name": text, "company": strings[at - 1]}
                made = persons.insert(connection, values, [f"eva{at}@klant.example"], now)
        card = people.read(runtime, made)
        fields = tuple(getattr(card, name) for name in persons.FIELDS)
        return [
            Place("cards", "/persons", tuple(each.name for each in people.search(runtime, "")[0])),
            Place("cards, next page", "/persons?page=2"),
            Place("card", f"/persons/{made}", fields),
            Place("card, edited", f"/persons/{made}/edit", fields),
            Place("card, to be removed", f"/persons/{made}/remove", (card.name,)),
            Place("suggestions", "/drafts/people?q=eva"),
        ]

    def _failures(self, strings: Sequence[str]) -> list[Place]:
        """What servers said when something failed."""
        number = self._account.id
        for at, text in enumerate(strings):
            facts = {"host": strings[at - 1][:200], "username": strings[at - 2][:200], "detail": text[:200]}
            account_health.failed(
                self._runtime, number, Problem("credentials_wrong", "imap", evidence=text, facts=facts)
            )
        last = tuple(strings[-_ATTEMPTS:])
        return [
            Place("status", f"/accounts/{number}/status", last),
            Place("technical report", f"/accounts/{number}/report", last[-1:]),
            Place("accounts", "/options/account"),
            Place("operator", "/operator"),
        ]

    def _people(self, strings: Sequence[str]) -> list[Place]:
        """Names of users, invitations, browsers of sessions, a signature."""
        runtime, now = self._runtime, self._runtime.clock.now()
        with runtime.db.write() as connection:
            connection.execute("DELETE FROM sessions WHERE user_agent <> 'tests'")
            connection.execute("DELETE FROM invitations")
            for user, text in zip(self._colleagues, strings, strict=False):
                connection.execute("UPDATE users SET name = ? WHERE id = ?", (text, user))
                sessions.insert(
                    connection, self._member.id, f"{user} {timestamp(now)} {self._minutes}", text, now
                )
            connection.execute(
                "INSERT OR REPLACE INTO options (user_id, name, value) VALUES (?, 'signature', ?)",
                (self._member.id, json.dumps(strings[0])),
            )
        for at, text in enumerate(strings[:10]):
            members.invite(runtime, self._member, f"gast{at}@noordlicht.example", clean(text)[:100] or "x")
        user = self._colleagues[0]
        return [
            Place("team", "/team", tuple(strings)),
            Place("user, to be removed", f"/team/{user}/remove", (strings[0],)),
            Place("personal settings", "/personal-settings"),
            Place("options", "/options"),
            Place("new with a signature", f"/drafts/new?account={self._account.id}"),
        ]

    def _typed(self, strings: Sequence[str]) -> list[Place]:
        """What a link makes the page say: search words, addresses of pages, arguments."""
        here, word = f"/inbox/{self._account.id}", quote(strings[0][:190], safe="")
        return [
            Place("search", f"{here}?q={word}", (strings[0][:190],)),
            Place("search of cards", f"/persons?q={word}", (strings[0][:190],)),
            Place("no such page", f"/nothing/{word}"),
            Place("no such message", f"{here}?message={word}"),
            Place("no such folder", f"{here}?folder={word}&senders={word}&since={word}&sort={word}"),
            Place("set-up", f"/setup?address={word}"),
            Place("written to", f"/drafts/new?account={self._account.id}&to={word}"),
            Place("address of a new card", f"/persons/new?address={word}&name={word}"),
            Place("way back", f"/sign-in?next={word}"),
        ]

    def _add_colleague(self, number: int) -> int:
        return members.add(
            self._runtime, f"lid{number}@noordlicht.example", f"Lid {number}", "licht aan in huis",
            language="en", timezone="Europe/Amsterdam",
        ).id  # fmt: skip

    def _add_folder(self, number: int) -> int:
        with self._runtime.mailbox(self._account.id, self._account.generation).write() as connection:
            return folders.add(connection, f"Map {number}", f"Map {number}", "\x00", "", selectable=True)


def _word(text: str) -> str:
    """Encoded words (RFC 2047) of 30 characters each."""
    pieces = [text[at : at + 30].encode() for at in range(0, len(text), 30)] or [b""]
    return "\r\n ".join(f"=?utf-8?b?{b64encode(piece).decode()}?=" for piece in pieces)


def _with_everything(date: str, strings: Sequence[str]) -> bytes:
    """One letter: a recipient and a file for each string, all of them in its text, and a meeting."""
    people = ",\r\n ".join(f"{_word(text)} <gast{at}@klant.example>" for at, text in enumerate(strings))
    text = b64encode("\n".join(strings).encode()).decode()
    files = "".join(
        "--b\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Disposition: attachment; filename*=utf-8''{quote(each[:140], safe='')}\r\n\r\nx\r\n"
        for each in strings
    )
    escaped = [each.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "") for each in strings]
    meeting = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\n"
        "DTSTART:20261201T100000Z\r\nDTEND:20261201T110000Z\r\n"
        f"SUMMARY:{escaped[0]}\r\nLOCATION:{escaped[1 % len(escaped)]}\r\n"
        "ORGANIZER:mailto:eva@klant.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    calendar = b64encode(meeting.encode()).decode()
    return (
        f"From: {_word(strings[-1])} <eva@klant.example>\r\nTo: {people}\r\nSubject: {_word(strings[0])}\r\n"
        f"{date}Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        f"{text}\r\n--b\r\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{calendar}\r\n{files}--b--\r\n"
    ).encode()
