"""Whether a message comes from whom it seems to come."""

import email.policy
import random
from collections.abc import Iterable
from email.message import EmailMessage

import pytest

from soinbox_web.mail.mime import authentication
from soinbox_web.mail.mime.reader import read_fields
from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.model.message import Correspondent, MessageKey
from soinbox_web.model.sender_marks import TEXTS
from soinbox_web.problems import AccessError
from soinbox_web.runtime import Runtime
from soinbox_web.services import fetching, sender_check, sync
from soinbox_web.store import own_servers
from soinbox_web.texts import translator
from tests.real.accounts import add_account
from tests.servers.mailbox import RealMailbox

OWN = "mx.noordlicht.example"
KNOWN = (
    Correspondent("Anna de Vries", "anna@noordlicht.example"),
    Correspondent("Eva Smit", "eva@hotelzeezicht.example"),
    Correspondent("Rabobank", "info@rabobank.nl"),
    Correspondent("Jan Bakker", "jan.bakker@gmail.com"),
)


def letter(sender: str, *, extra: str = "", said: str = f"{OWN}; dmarc=none", below: str = "") -> bytes:
    above = f"Authentication-Results: {said}\r\n" if said else ""
    return (
        f"{above}Received: from elsewhere by {OWN}\r\n{below}From: {sender}\r\n"
        f"{extra}Subject: Hallo\r\n\r\nHallo"
    ).encode()


def codes(raw: bytes, own: Iterable[str] = (OWN,)) -> list[str]:
    return [mark.code for mark in sender_check.marks(raw, own_servers=frozenset(own), known=KNOWN)]


@pytest.mark.parametrize(
    "domain",
    [
        "rabobank.nl.login.example", "rabobank-nl.login.example", "rabobank-login.example",
        "veilig-rabobank.nl",
        "rabobankservice.example", "rnicrosoft.com", "raboban1k.nl", "rab0bank.nl", "rabobamk.nl",
        "rabobnak.nl",
        "rabobannk.nl", "rabobank.com", "rabo-bank.nl", "r\u0430bobank.nl", "xn--rbobank-2fg.nl",
        "paypa1.com",
        "\u0430\u0440\u0440\u04cf\u0435.com", "hotelzeezlcht.example", "hotelzezicht.example", "gmai1.com",
        "rabobank.login.example", "rabobank.nl-login.example",
        "h\u00f6telzeezicht.example", "noordlicht.example.evil.example",
    ],
)  # fmt: skip
def test_a_domain_made_to_be_mistaken_is_marked(domain: str) -> None:
    assert codes(letter(f"Iemand <iemand@{domain}>")) == ["domain_looks_alike"]


@pytest.mark.parametrize(
    "sender",
    [
        "Eva Smit <eva@hotelzeezicht.example>", "Eva <eva@mail.hotelzeezicht.example>",
        "<x@klant.example>",
        "Jan Bakker <jan.bakker@gmail.com>", "Piet <piet@gmail.com>", "Ann <ann@zuidlicht.example>",
        "x@ing.nl",
        '"Smit, Eva" <eva@hotelzeezicht.example>', "Smit, Eva <eva@hotelzeezicht.example>",
        "info@noordlicht.example <info@noordlicht.example>", "Robot <x@klant2.example>",
        "x@m\u00fcnchen.example",
        "\u0418\u0432\u0430\u043d <ivan@\u043f\u043e\u0447\u0442\u0430.example>",
        "Eva <eva@strandhotel.example>",
    ],
)  # fmt: skip
def test_ordinary_senders_are_not(sender: str) -> None:
    assert codes(letter(sender)) == []
    assert codes(letter(sender, said="")) == []


@pytest.mark.parametrize(
    ("sender", "code"),
    [
        ("Eva Smit <eva.smit@gmail.com>", "name_of_known"),
        ("Smit, Eva <directie@evil.example>", "name_of_known"),
        ("=?utf-8?b?0JV2YSBTbWl0?= <x@evil.example>", "name_of_known"),  # a Cyrillic letter
        ("Rabobank Klantenservice <x@evil.example>", "name_of_known"),
        ("De heer Jan Bakker <x@evil.example>", "name_of_known"),
        ("Anna de Vries, directeur <x@evil.example>", "name_of_known"),
        ("Hotel Zeezicht <x@evil.example>", "name_of_known"),
        ('"hotelzeezicht.example" <x@evil.example>', "name_of_known"),
        ('"eva@hotelzeezicht.example" <x@evil.example>', "address_in_name"),
        ('"Eva <eva@hotelzeezicht.example>" <x@evil.example>', "address_in_name"),
        ("Iemand <x@klant.example>, Anna <anna@noordlicht.example>", "several_senders"),
        ("x@kl\u0430nt.example", "domain_mixed"),
    ],
)
def test_a_name_that_is_not_the_senders_is_marked(sender: str, code: str) -> None:
    assert code in codes(letter(sender))


def test_answers_that_go_elsewhere() -> None:
    eva = "Eva Smit <eva@hotelzeezicht.example>"
    assert codes(letter(eva, extra="Reply-To: eva@evil.example\r\n")) == ["reply_elsewhere"]
    assert codes(letter(eva, extra="Reply-To: anna@noordlicht.example\r\n")) == []
    assert codes(letter(eva, extra="Reply-To: reservering@hotelzeezicht.example\r\n")) == []
    assert codes(letter("Winkel <no-reply@winkel.example>", extra="Reply-To: help@shop.example\r\n")) == []
    ceo = letter("Kees Vos <kees@klant.example>", extra="Reply-To: kees.vos.directie@gmail.com\r\n")
    assert codes(ceo) == ["reply_elsewhere"]
    lists = "List-Id: <lijst.example>\r\nReply-To: lijst@lijst.example\r\n"
    assert codes(letter(eva, extra=lists)) == []


@pytest.mark.parametrize(
    ("sender", "extra", "mark"),
    [
        ("Eva Smit via Agenda <a@agenda.example>", "", "name_of_known"),
        ('"Eva Smit (via Agenda)" <a@agenda.example>', "", "name_of_known"),
        ("Formulier <formulier@noordlicht.example>", "Reply-To: gast@hotmail.com\r\n", "reply_elsewhere"),
    ],
)
def test_who_says_that_it_writes_for_others_needs_its_own_server_s_word(
    sender: str, extra: str, mark: str
) -> None:
    domain = sender.rpartition("@")[2].rstrip(">")
    assert codes(letter(sender, extra=extra, said="")) == [mark]
    assert codes(letter(sender, extra=extra, said=f"{OWN}; dmarc=pass header.from={domain}")) == []


def test_signs_that_nobody_sees_hide_no_name() -> None:
    assert codes(letter("Eva\u200b Sm\u200dit <x@mailbox.example>")) == ["name_of_known"]


@pytest.mark.parametrize(
    ("said", "marked"),
    [
        ("dmarc=fail (p=NONE sp=NONE) header.from=hotelzeezicht.example", True),
        ("spf=pass smtp.mailfrom=x@evil.example; dkim=none", True),
        ("spf=fail smtp.mailfrom=hotelzeezicht.example", True),
        ("dkim=fail reason=\"bad; dkim=pass\" header.d=hotelzeezicht.example", True),
        ("dkim=pass header.d=evil.example; spf=softfail smtp.mailfrom=eva@hotelzeezicht.example", True),
        ("dmarc=pass header.from=evil.example; spf=pass smtp.mailfrom=evil.example", True),
        ("(dkim=pass header.d=hotelzeezicht.example) spf=fail smtp.mailfrom=hotelzeezicht.example", True),
        ("dmarc=pass (p=REJECT (really; dmarc=fail)) header.from=hotelzeezicht.example", False),
        ("spf=fail smtp.mailfrom=evil.example; dkim=pass header.d=mail.hotelzeezicht.example", False),
        ("spf=pass smtp.mailfrom=\"eva@hotelzeezicht.example\"", False),
        ("dmarc=none", False),
        ("none", False),
        ("iprev=pass policy.iprev=192.0.2.1; auth=pass smtp.auth=x", False),
    ],
)  # fmt: skip
def test_what_the_own_server_found_out(said: str, marked: bool) -> None:
    raw = letter("Eva Smit <eva@hotelzeezicht.example>", said=f"{OWN.upper()} 1;\r\n\t{said}")
    assert codes(raw) == (["sender_not_proven"] if marked else [])
    assert codes(raw, own=["mx.other.example"]) == []


def test_only_what_stands_above_the_first_received_counts() -> None:
    eva = "Eva Smit <eva@hotelzeezicht.example>"
    forged = f"Authentication-Results: {OWN}; dmarc=pass header.from=hotelzeezicht.example\r\n"
    failed = f"{OWN}; dmarc=fail header.from=hotelzeezicht.example"
    assert codes(letter(eva, said=failed, below=forged)) == ["sender_not_proven"]
    arc = "ARC-Authentication-Results: i=1; " + failed + "\r\n"
    assert codes(letter(eva, said="", below=forged.replace("pass", "fail") + arc)) == []
    nobody_delivered = forged.replace("pass", "fail").encode() + b"From: " + eva.encode() + b"\r\n\r\n"
    assert codes(nobody_delivered) == []


@pytest.mark.parametrize(
    "bomb",
    ["(" * 60_000, "((" + ")(" * 30_000, ";" * 60_000, '"' * 60_001, "\\" * 60_001, "a=b." * 15_000,
     "dkim=pass " + "header.d=x " * 6_000, "=?utf-8?b?" * 6_000, "<" * 60_000, "," * 60_000, "@." * 30_000,
     "xn--" * 15_000, "\u0430" * 30_000, "a-" * 30_000, "rabobank." * 6_000, " " * 60_000],
)  # fmt: skip
def test_no_header_breaks_it(bomb: str) -> None:
    for raw in (
        letter(bomb), letter(f"x <x@{bomb}>"), letter("x <x@y.example>", said=bomb),
        letter("x <x@y.example>", said=f"{OWN}; {bomb}"),
        letter("x@y.example", extra=f"Reply-To: {bomb}\r\n"),
    ):  # fmt: skip
        codes(raw)


def test_a_field_is_read_as_far_as_the_cap() -> None:
    raw = letter("x@y.example", said=f"{OWN}; " + "dkim=pass header.d=x.example; " * 2_000)
    (statement,) = authentication.statements(read_fields(raw))
    assert statement.server == OWN and len(statement.results) == authentication.RESULTS


def test_every_mark_has_its_texts_in_both_languages() -> None:
    facts = dict.fromkeys(("domain", "other", "name", "address", "reply"), "{x}")
    for code in TEXTS:
        mark = sender_check.Mark(code, facts)
        for text in (sender_check.Mark.title, sender_check.Mark.cause, sender_check.Mark.remedy):
            assert text(mark, translator("en")) and text(mark, translator("en")) != text(
                mark, translator("nl")
            )


def learn(runtime: Runtime, account: Account, seen: Iterable[tuple[str, str]]) -> frozenset[str]:
    with runtime.db.write() as connection:
        own_servers.note(connection, account.id, seen, runtime.clock.now())
        return own_servers.learnt(connection, account.id)


@pytest.mark.real
def test_a_server_is_learnt_from_several_senders_and_no_sender_can_fill_the_table(
    runtime: Runtime, mailbox: RealMailbox
) -> None:
    account = add_account(runtime, mailbox)
    assert learn(runtime, account, [(OWN, "a.example")] * 50) == frozenset()
    assert learn(runtime, account, [(OWN, "b.example"), (OWN, "c.example")]) == {OWN}
    flood = [(f"mx{number}.evil.example", "evil.example") for number in range(500)]
    assert learn(runtime, account, flood) == {OWN}
    with runtime.db.read() as connection:
        assert connection.execute("SELECT count(*) FROM own_servers").fetchone()[0] == own_servers.NAMES
        assert not own_servers.news(connection, account.id, [(OWN, "d.example")])


@pytest.mark.real
def test_the_account_learns_while_it_fetches_and_a_message_is_marked_by_its_key(
    runtime: Runtime, member: Member, mailbox: RealMailbox
) -> None:
    account = add_account(runtime, mailbox)
    for name in ("een", "twee", "drie"):
        mailbox.deliver(
            letter(f"x <x@{name}.example>", below="Authentication-Results: mx.evil.example; none\r\n")
        )
    failed = f"{OWN}; dmarc=fail header.from=klant.example"
    mailbox.deliver(letter("Kees <kees@klant.example>", said=failed))
    sync.sync_once(runtime, account.id)
    with sync.connect(runtime, account) as connection:
        while fetching.fetch_some(fetching.Reader(runtime, account, connection), since=None):
            pass
    with runtime.db.read() as reading:
        assert own_servers.learnt(reading, account.id) == {OWN}
    with runtime.mailbox(account.id, account.generation).read() as reading:
        uidvalidity = reading.execute("SELECT uidvalidity FROM folders WHERE name = 'INBOX'").fetchone()[0]
        uids = [row[0] for row in reading.execute("SELECT uid FROM messages ORDER BY uid")]
    keys = [MessageKey(account.id, "INBOX", uidvalidity, uid) for uid in uids]
    found = [sender_check.of_message(runtime, account.user_id, key) for key in keys]
    assert [[mark.code for mark in marks] for marks in found] == [[], [], [], ["sender_not_proven"]]
    with pytest.raises(AccessError):
        sender_check.of_message(runtime, member.id, keys[0])
    with pytest.raises(AccessError):
        sender_check.of_message(runtime, account.user_id, keys[0]._replace(uid=9_999))


FIRST = (
    "Piet", "Noor", "Klaas", "Emma", "Sofie", "Daan", "Fleur", "Lotte",
    "Ruben", "Mees", "Sanne", "Joris", "Anna", "Jan", "Maud", "Thijs",
    "Roos",
)  # fmt: skip
LAST = (
    "Jansen", "Visser", "Mulder", "Boer", "Maas", "Smit", "Kok", "Vos",
    "Bakker", "Peters", "Dekker", "Brouwer", "Hoekstra", "Kuipers", "Prins",
)  # fmt: skip
TRADE = (
    "bakkerij", "fietsen", "strand", "drukkerij", "advies", "gemeente", "loodgieter", "hotel",
    "schilders", "tuin", "noord", "zee", "bank",
)  # fmt: skip
PLACE = (
    "zeezicht", "licht", "amstel", "oever", "poort", "dijk", "veld", "kamp",
    "horst", "burg", "mond", "hoek", "wijk", "beek", "drecht",
)  # fmt: skip


def ordinary() -> Iterable[bytes]:
    """Two thousand ordinary messages, all different: known and unknown senders, lists, answers elsewhere."""
    chance = random.Random(11)
    for number in range(2_000):
        name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
        host = f"{chance.choice(TRADE)}{chance.choice(('', '-'))}{chance.choice(PLACE)}"
        host += chance.choice((".nl", ".example", ".com"))
        if number % 4 == 0 or name in ("Jan Bakker", "Anna Vries") or "zeezicht" in host or "rabo" in host:
            name, host = "Eva Smit", "hotelzeezicht.example"
        address = f"{name.replace(' ', '.').lower()}@{host}"
        message = EmailMessage(policy=email.policy.SMTP)
        passed = f"dmarc=pass header.from={host}"
        message["Authentication-Results"] = f"{OWN}; " + ("dmarc=none" if number % 3 else passed)
        message["Received"] = f"from mail.{host} by {OWN}; Mon, 23 Nov 2026 08:30:00 +0000"
        message["From"] = (f"{name} <{address}>", f'"{name} ({host})" <{address}>', address)[number % 3]
        message["Subject"] = f"Afspraak {number}"
        if number % 5 == 0:
            message["Reply-To"] = f"administratie@{host}"
        if number % 11 == 0:
            message["List-Id"] = f"<nieuws.{host}>"
        message.set_content("Hallo")
        yield message.as_bytes()


def test_ordinary_mail_makes_no_false_alarm() -> None:
    false = [raw for raw in ordinary() if codes(raw)]
    assert len(false) <= 2_000 // 500, false[:3]
