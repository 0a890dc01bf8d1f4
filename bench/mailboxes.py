"""Test mailboxes of any size, always the same for the same size, written straight into a Maildir."""

import os
import random
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

NEWEST = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
FIRST = ("Eva", "Jan", "Anna", "Bram", "Chloë", "Daan", "Sofie", "Jürgen", "Amélie", "Håkon", "Zoë", "Tim")
LAST = (
    "Smit",
    "de Vries",
    "Jansen",
    "Visser",
    "Müller",
    "Dubois",
    "Nilsen",
    "Bakker",
    "van den Berg",
    "Kowalski",
)
WORDS = (
    "offerte", "factuur", "afspraak", "planning", "levering", "contract", "order", "project", "vergadering",
    "notulen", "voorstel", "bijlage", "quote", "invoice", "meeting", "delivery", "agreement", "proposal",
    "minutes", "report", "update", "question", "answer", "reminder", "hotel", "kamer", "week", "maandag",
    "dinsdag", "budget", "review", "draft", "final", "urgent", "thanks", "bedankt", "groet", "regards",
    "team", "klant",
)  # fmt: skip


def messages(count: int) -> Iterator[tuple[datetime, str, bytes]]:
    """(arrival, Maildir flags, message), oldest first: threads, attachments, invitations, encoded words."""
    dice = random.Random(count)
    people = [_person(dice, place) for place in range(max(20, count // 50))]
    thread: list[str] = []
    for number in range(count):
        at = NEWEST - timedelta(minutes=13 * (count - number))
        name, address = dice.choice(people)
        own = f"<{number}.{dice.randrange(10**9)}@klant.example>"
        if not thread or dice.random() < 0.6:
            thread = []
        subject = " ".join(dice.choices(WORDS, k=dice.randint(2, 7))) + (
            " – café" if dice.random() < 0.1 else ""
        )
        lines = [
            *_travelled(dice, at, address),
            f"From: {_encoded(name)} <{address}>",
            "To: Anna de Boer <anna@noordlicht.example>"
            + "".join(f", {_encoded(n)} <{a}>" for n, a in dice.sample(people, dice.choice((0, 0, 1, 3)))),
            f"Subject: {'Re: ' if thread else ''}{_encoded(subject)}",
            f"Date: {format_datetime(at)}",
            f"Message-ID: {own}",
            *([f"In-Reply-To: {thread[-1]}", "References: " + "\r\n ".join(thread[-8:])] if thread else []),
            "MIME-Version: 1.0",
        ]
        thread.append(own)
        flags = "S" if dice.random() < 0.9 else ""
        yield at, flags, "\r\n".join([*lines, _body(dice)]).encode()


def fill(maildir: Path, count: int, owner: tuple[int, int]) -> None:
    """Write `count` messages into `maildir/cur`; the files belong to `owner` (uid, gid)."""
    for number, (at, flags, message) in enumerate(messages(count)):
        seconds = int(at.timestamp())
        path = maildir / "cur" / f"{seconds}.{number}.bench:2,{flags}"
        path.write_bytes(message)
        os.utime(path, (seconds, seconds))
        os.chown(path, *owner)


def _person(dice: random.Random, place: int) -> tuple[str, str]:
    """A name and an address."""
    first, last = dice.choice(FIRST), dice.choice(LAST)
    local = f"{first[0]}{last}{place}".lower().replace(" ", "").encode("ascii", "ignore").decode()
    return f"{first} {last}", f"{local}@klant{dice.randrange(200)}.example"


def _travelled(dice: random.Random, at: datetime, sender: str) -> Iterator[str]:
    """The header fields that servers on the way add to any real message."""
    domain = sender.partition("@")[2]
    for hop in range(4):
        stamp = format_datetime(at + timedelta(seconds=5 - hop))
        yield (
            f"Received: from mx{hop}.{domain} (mx{hop}.{domain} [192.0.2.{dice.randrange(1, 255)}])\r\n"
            f"\tby in{hop}.noordlicht.example (Postfix) with ESMTPS id {dice.getrandbits(64):016x}\r\n"
            f"\tfor <anna@noordlicht.example>; {stamp}"
        )
    for name in (domain, "bulk.example"):
        signature = b64encode(dice.randbytes(256)).decode()
        folded = "\r\n\t ".join(signature[start : start + 70] for start in range(0, len(signature), 70))
        yield (
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={name}; s=s{dice.randrange(9)};\r\n"
            f"\th=from:to:subject:date:message-id:mime-version:content-type;\r\n"
            f"\tbh={b64encode(dice.randbytes(32)).decode()};\r\n\tb={folded}"
        )
    yield f"Authentication-Results: in.noordlicht.example; dkim=pass header.d={domain}; spf=pass; dmarc=pass"
    yield f"Return-Path: <bounce+{dice.getrandbits(48):x}@{domain}>"
    yield f"List-Unsubscribe: <https://{domain}/u/{dice.getrandbits(96):x}>"
    yield f"X-Mailer: Example Mail {dice.randrange(9)}.{dice.randrange(99)}"


def _encoded(text: str) -> str:
    return text if text.isascii() else f"=?utf-8?b?{b64encode(text.encode()).decode()}?="


def _boundary(dice: random.Random) -> str:
    """One of its own for every multipart, as every program that writes mail makes it."""
    return f"----=_Part_{dice.getrandbits(32)}_{dice.getrandbits(64):016x}.{dice.getrandbits(40)}"


def _body(dice: random.Random) -> str:
    text = " ".join(dice.choices(WORDS, k=dice.randint(30, 300)))
    plain = f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    kind = dice.random()
    if kind < 0.35:
        return plain
    inner, outer = _boundary(dice), _boundary(dice)
    both = (
        f'Content-Type: multipart/alternative; boundary="{inner}"\r\n\r\n--{inner}\r\n{plain}'
        f"--{inner}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>{text}</p>\r\n--{inner}--\r\n"
    )
    if kind < 0.75:
        return both
    if kind < 0.78:
        calendar = (
            "Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\n"
            "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
        )
        return (
            f'Content-Type: multipart/mixed; boundary="{outer}"\r\n\r\n--{outer}\r\n{both}--{outer}\r\n'
            f"{calendar}--{outer}--\r\n"
        )
    data = b64encode(dice.randbytes(dice.randint(1_000, 12_000))).decode()
    wrapped = "\r\n".join(data[start : start + 76] for start in range(0, len(data), 76))
    return (
        f'Content-Type: multipart/mixed; boundary="{outer}"\r\n\r\n--{outer}\r\n{both}--{outer}\r\n'
        f'Content-Type: application/pdf; name="bijlage.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
        f'Content-Disposition: attachment; filename="bijlage.pdf"\r\n\r\n{wrapped}\r\n--{outer}--\r\n'
    )
