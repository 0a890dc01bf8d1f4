"""At least 300 deterministic messages for the sample team, their dates relative to a given now."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

from soinbox_web.rehearsal import sample_attachments as attachments
from soinbox_web.rehearsal import sample_letter as letter
from soinbox_web.rehearsal.cast import ANNA, BRAM, CHLOE, COMPANY, CORRESPONDENTS, Colleague
from soinbox_web.rehearsal.sample_oddities import oddities
from soinbox_web.rehearsal.sample_texts import (
    CONVERSATIONS,
    LONG_THREAD,
    MONTHS,
    NEWS,
    NOTICES,
    SUPPLIERS,
)

INVOICES = "Facturen & offertes – 2026"
NEWSLETTERS = "Nieuwsbrieven"
FOLDERS = ("Sent", "Drafts", "Trash", "Junk", "Archive", INVOICES, NEWSLETTERS, "Projecten", "Projecten/Été")
_UNREAD: frozenset[str] = frozenset()
_SEEN = frozenset({"\\Seen"})
_ANSWERED = frozenset({"\\Seen", "\\Answered"})
_FLAGGED = frozenset({"\\Seen", "\\Flagged"})


@dataclass(frozen=True, slots=True)
class SampleMessage:
    """One message of a mailbox; `flags` are IMAP system flags, `date` is when it arrived."""

    folder: str
    raw: bytes
    flags: frozenset[str]
    date: datetime


def mailbox_of(colleague: Colleague, now: datetime) -> list[SampleMessage]:
    """All sample mail of a colleague, oldest first; the same for the same `now`."""
    mail = list(_everything(colleague, now)) if colleague is ANNA else list(_some(colleague, now))
    return sorted(mail, key=lambda message: message.date)


def _everything(me: Colleague, now: datetime) -> Iterator[SampleMessage]:
    chance = random.Random(2026)
    for number, conversation in enumerate(CONVERSATIONS):
        yield from _conversation(me, now, number, conversation.subject, number * 31 + 1)
    yield from _long_thread(me, now)
    yield from _notices(me, now, chance, 84)
    yield from _newsletters(me, now, chance, 52)
    yield from _invoices(me, now, 12)
    yield from _invitations(me, now)
    yield from _oddities(me, now)
    yield from _drafts(me, now)


def _some(me: Colleague, now: datetime) -> Iterator[SampleMessage]:
    chance = random.Random(me.address)
    for number in range(0, len(CONVERSATIONS), 3):
        conversation = CONVERSATIONS[number]
        yield from _conversation(me, now, number, conversation.subject, number * 17 + len(me.name))
    yield from _long_thread(me, now)
    yield from _notices(me, now, chance, 12)
    yield from _newsletters(me, now, chance, 6)
    yield from _invitations(me, now)


def _conversation(
    me: Colleague, now: datetime, number: int, subject: str, hours_ago: int
) -> Iterator[SampleMessage]:
    conversation = CONVERSATIONS[number]
    them = CORRESPONDENTS[conversation.who]
    begin = now - timedelta(hours=hours_ago + 5 * len(conversation.turns))
    references: list[str] = []
    last = len(conversation.turns) - 1
    for turn, text in enumerate(conversation.turns):
        theirs = turn % 2 == 0
        date = begin + timedelta(hours=5 * turn, minutes=7 * number)
        sender, recipient = (them, me) if theirs else (me, them)
        prefix = "" if turn == 0 else ("RE: " if number % 3 == 0 else "Re: ")
        message = letter.message(
            sender.name, sender.address, recipient.name, recipient.address, prefix + subject, date
        )
        identity = letter.identity(
            message, f"conversation-{number}-{turn}-{me.address.partition('@')[0]}", sender.address
        )
        letter.refer(message, references)
        references.append(identity)
        greeting = letter.greeting(recipient.name, sender.language, number)
        message.set_content(
            f"{greeting}\n\n{text}\n\n{letter.closing(sender.name, sender.language, sender is me)}"
        )
        if turn == 0 and conversation.attachment:
            letter.attach(message, conversation.attachment, subject)
        if turn == 0 and number % 4 == 1:
            message["Cc"] = f"{BRAM.name} <{BRAM.address}>"
        if theirs:
            flags = _ANSWERED if turn < last else (_UNREAD if number % 3 == 0 else _SEEN)
            flags |= {"\\Flagged"} if number % 5 == 2 and turn == last else frozenset()
            yield SampleMessage("INBOX", message.as_bytes(), flags, date)
        else:
            yield SampleMessage("Sent", message.as_bytes(), _SEEN, date)


def _long_thread(me: Colleague, now: datetime) -> Iterator[SampleMessage]:
    team = (ANNA, BRAM, CHLOE)
    references: list[str] = []
    for turn, text in enumerate(LONG_THREAD):
        sender = team[turn % 3]
        others = [one for one in team if one is not sender]
        date = now - timedelta(days=9) + timedelta(hours=7.5 * turn)
        subject = "Naam voor de stand op de beurs"
        to = ", ".join(f"{one.name} <{one.address}>" for one in others)
        message = letter.message(
            sender.name, sender.address, "", to, f"Re: {subject}" if turn else subject, date
        )
        identity = letter.identity(message, f"fair-{turn}", sender.address)
        letter.refer(message, references)
        references.append(identity)
        quoted = "\n".join(f"> {line}" for line in LONG_THREAD[turn - 1].splitlines()) if turn else ""
        message.set_content(f"{text}\n\n{sender.name.split()[0]}\n\n{quoted}".rstrip() + "\n")
        folder = "Sent" if sender is me else "INBOX"
        flags = _UNREAD if turn >= len(LONG_THREAD) - 2 and sender is not me else _SEEN
        yield SampleMessage(folder, message.as_bytes(), flags, date)


def _notices(me: Colleague, now: datetime, chance: random.Random, count: int) -> Iterator[SampleMessage]:
    for number in range(count):
        date = now - timedelta(hours=3 + number * 26, minutes=chance.randrange(0, 300))
        subject, text = NOTICES[number % len(NOTICES)]
        facts = {"n": 41000 + number * 37, "w": date.isocalendar().week}
        message = letter.message(
            "Berichtenservice",
            "noreply@berichten.example",
            me.name,
            me.address,
            subject.format(**facts),
            date,
        )
        letter.identity(
            message, f"notice-{number}-{me.address.partition('@')[0]}", "noreply@berichten.example"
        )
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text.format(**facts) + "\n\nU kunt niet op dit bericht antwoorden.\n")
        flags = _UNREAD if number in (0, 2, 5, 11) else (_FLAGGED if number % 17 == 3 else _SEEN)
        yield SampleMessage("INBOX", message.as_bytes(), flags, date)


def _newsletters(me: Colleague, now: datetime, chance: random.Random, weeks: int) -> Iterator[SampleMessage]:
    for week in range(weeks):
        for number, (name, address, subject, headlines) in enumerate(NEWS):
            date = now - timedelta(days=week * 7 + 1 + number, hours=chance.randrange(0, 8))
            headline = headlines[week % len(headlines)]
            title = subject.format(w=date.isocalendar().week, headline=headline)
            message = letter.message(name, address, me.name, me.address, title, date)
            letter.identity(message, f"news-{number}-{week}-{me.address.partition('@')[0]}", address)
            message["List-Id"] = f"<{address.replace('@', '.')}>"
            message["List-Unsubscribe"] = f"<https://{address.partition('@')[2]}/unsubscribe>"
            message.set_content(f"{title}\n\nLees online: https://{address.partition('@')[2]}/{week}\n")
            message.add_alternative(_news_html(name, headline, address, week), subtype="html")
            if week % 4 == 0:
                page = list(message.iter_parts())[1]
                assert isinstance(page, EmailMessage)
                page.add_related(attachments.png(120, 40, week + number), "image", "png", cid="<banner@news>")
            folder = "INBOX" if week < 2 else NEWSLETTERS
            flags = _UNREAD if week % 5 in (0, 3) else _SEEN
            yield SampleMessage(folder, message.as_bytes(), flags, date)


def _invoices(me: Colleague, now: datetime, months: int) -> Iterator[SampleMessage]:
    for back in range(months):
        for number, (name, address, subject) in enumerate(SUPPLIERS):
            date = now - timedelta(days=back * 30 + 4 + number, hours=number)
            local = date.astimezone(letter.ZONE)
            facts = {"y": local.year, "n": 300 - back * 11 + number, "month": MONTHS[local.month - 1]}
            title = subject.format(**facts)
            message = letter.message(name, address, COMPANY, me.address, title, date)
            letter.identity(message, f"invoice-{number}-{back}", address)
            message.set_content(
                f"Geachte relatie,\n\nBijgaand ontvangt u: {title}.\n\nMet vriendelijke groet,\n{name}\n"
            )
            total = f"Totaal: {(back + 2) * 117 + number * 61},{back * 7 % 100:02d} EUR"
            message.add_attachment(
                attachments.pdf(title, (COMPANY, total, "Te betalen binnen 30 dagen")),
                *("application", "pdf"),
                filename=f"{title.replace('/', '-')}.pdf",
            )
            folder = "INBOX" if back == 0 else INVOICES
            yield SampleMessage(folder, message.as_bytes(), _UNREAD if back < 1 and number else _SEEN, date)


def _invitations(me: Colleague, now: datetime) -> Iterator[SampleMessage]:
    plans = (
        (CORRESPONDENTS[3], "Site visit Bright Harbour", "Hull, Humber Dock 7", 9, 2),
        (CORRESPONDENTS[2], "Voortgang straatverlichting fase 2", "Gemeentehuis, zaal 3", 3, 5),
        (CORRESPONDENTS[1], "Lichtplan villa Duinzicht doorlopen", "Online", 1, 28),
    )
    for number, (them, summary, place, days_ahead, hours_ago) in enumerate(plans):
        date = now - timedelta(hours=hours_ago)
        begin = (now + timedelta(days=days_ahead)).replace(hour=9, minute=30, second=0, microsecond=0)
        subject = f"{'Invitation' if them.language == 'en' else 'Uitnodiging'}: {summary}"
        message = letter.message(them.name, them.address, me.name, me.address, subject, date)
        letter.identity(message, f"invitation-{number}-{me.address.partition('@')[0]}", them.address)
        message.set_content(f"{summary}\n{place}\n{begin.astimezone(letter.ZONE):%d-%m-%Y %H:%M}\n")
        calendar = attachments.invitation(
            f"visit-{number}@rehearsal", summary, begin, them.address, me.address, place
        )
        message.add_alternative(
            calendar, "text", "calendar", params={"method": "REQUEST", "charset": "utf-8"}
        )
        yield SampleMessage("INBOX", message.as_bytes(), _UNREAD if number == 0 else _SEEN, date)


def _oddities(me: Colleague, now: datetime) -> Iterator[SampleMessage]:
    for number, raw in enumerate(
        oddities(me.address, format_datetime((now - timedelta(days=12)).astimezone(letter.ZONE)))
    ):
        date = now - timedelta(days=12, hours=number)
        yield SampleMessage("INBOX", raw, _UNREAD if number == 1 else _SEEN, date)


def _drafts(me: Colleague, now: datetime) -> Iterator[SampleMessage]:
    date = now - timedelta(days=2)
    them = CORRESPONDENTS[6]
    message = letter.message(
        me.name, me.address, them.name, them.address, "Bestelling voorjaar (concept)", date
    )
    letter.identity(message, "draft-1", me.address)
    message.set_content("Beste Kim,\n\nVoor het voorjaar hebben we nodig:\n- 40 ×\n")
    yield SampleMessage("Drafts", message.as_bytes(), frozenset({"\\Draft", "\\Seen"}), date)
    spam = letter.message(
        "Prijzenbureau", "winnaar@prijs.example", me.name, me.address, "U heeft GEWONNEN!!!", date
    )
    letter.identity(spam, "junk-1", "winnaar@prijs.example")
    spam.set_content("Klik op de link: http://prijs.example/claim\n")
    spam.add_alternative(
        '<p>Klik <a href="http://prijs.example/claim">https://bank.example</a></p><script>alert(1)</script>'
        '<img src="http://tracker.example/pixel.gif" width="1" height="1" alt="">',
        subtype="html",
    )
    yield SampleMessage("Junk", spam.as_bytes(), _UNREAD, date)


def _news_html(name: str, headline: str, address: str, week: int) -> str:
    site = f"https://{address.partition('@')[2]}"
    picture = "cid:banner@news" if week % 4 == 0 else f"{site}/banner-{week}.png"
    cell = 'class="c" style="font-family: Georgia, serif; background: #ffffff"'
    return (
        "<html><head><style>h1 { color: #00617f } .c { padding: 12px }</style></head>"
        '<body bgcolor="#f4f4f4"><table width="600" align="center" cellpadding="0">'
        f'<tr><td><img src="{picture}" alt="{name}" width="120"></td></tr><tr><td {cell}><h1>{headline}</h1>'
        f"<p>Goed licht valt niet op; slecht licht wel. Deze week in <b>{name}</b>:</p>"
        f'<ul><li><a href="{site}/{week}/1">{headline.capitalize()}</a></li>'
        f'<li><a href="{site}/{week}/2">Uit de praktijk</a></li><li>Agenda &amp; vacatures</li></ul>'
        f'<p style="font-size: 12px; color: #666">{name} · <a href="{site}/unsubscribe">Afmelden</a></p>'
        f'</td></tr></table><img src="{site}/open.gif?{week}" width="1" height="1" alt=""></body></html>'
    )
