"""From the first visit to an open inbox and back over plain HTTP; real servers, no JavaScript."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.store import accounts
from tests.journeys.plain_browser import PlainBrowser
from tests.servers.dovecot import Dovecot
from tests.servers.mailbox import RealMailbox
from tests.servers.postfix import Postfix
from tests.servers.soinbox import Soinbox
from tests.waiting import until

pytestmark = pytest.mark.real
FLAGS = [(), ("\\Seen",), ("\\Flagged", "\\Seen"), ("\\Answered",)]
BRAM = "bram@noordlicht.example"
ATTACHMENT = ("offerte.pdf", b"%PDF-1.4 een offerte \x00\xff", "application/pdf")
CAUSES = ("out of order for the moment", "refuses the connection", "broke off", "does not answer")
SENT_SECONDS = 50  # the time to undo, then 30 s in which a provider may file the Sent copy itself


@pytest.fixture
def visitor(connected_world: Soinbox) -> Iterator[PlainBrowser]:
    browser = PlainBrowser(connected_world.url)
    yield browser
    browser.close()


def begin(visitor: PlainBrowser, world: Soinbox, address: str) -> None:
    """The first visit: the code of the console makes the first administrator."""
    found = re.search(r"enter the code (\S+)", world.log())
    assert found, world.log()
    visitor.open("/")
    password = "licht aan in huis"
    visitor.press(
        "Start", code=found[1], name="Anna de Vries", address=address, password=password, repeat=password
    )
    assert visitor.status == 200


def connect(visitor: PlainBrowser, mailbox: RealMailbox) -> None:
    """S0 to S5."""
    visitor.open("/inbox")
    assert visitor.url.endswith("/setup") and "Set up e-mail account" in visitor.page.text
    visitor.press("Next", action="/setup", address=mailbox.address)
    visitor.settle()
    assert f"mail.noordlicht.example:{mailbox.dovecot.imaps_port}" in visitor.page.text
    visitor.press("Log in", password=mailbox.password)
    if visitor.refreshes:
        assert "Connecting" in visitor.page.text
    visitor.settle()
    assert re.search(r"/inbox/\d+$", visitor.url), visitor.page.text


def flags(mailbox: RealMailbox) -> list[bytes]:
    with mailbox.dovecot.signed_in(mailbox.address) as client:
        client.select("INBOX", readonly=True)
        _, found = client.uid("FETCH", "1:*", "(FLAGS)")
        return [re.sub(rb" ?\\\\Recent", b"", line) for line in found]


def refused_sign_ins(mailbox: RealMailbox) -> int:
    return len(re.findall(r"imap-login: .*auth failed, (?:[1-9]\d*) attempts", mailbox.dovecot.log()))


def long_ago(world: Soinbox, address: str) -> None:
    """The last success was 20 minutes ago, so that nobody has to wait for the banner."""
    with world.runtime.db.write() as connection:
        row = connection.execute("SELECT id FROM accounts WHERE address = ?", (address,)).fetchone()
        status = accounts.status(connection, row["id"], "imap")
        assert status.problem is not None and status.last_success_at is not None
        earlier = replace(status, last_success_at=status.last_success_at - timedelta(minutes=20))
        accounts.set_status(connection, row["id"], "imap", earlier)


def failing(world: Soinbox) -> bool:
    with world.runtime.db.read() as connection:
        row = connection.execute("SELECT problem FROM account_status WHERE side = 'imap'").fetchone()
        return row is not None and row["problem"] is not None


def test_from_the_first_visit_to_an_answered_letter(
    own_mailbox: RealMailbox, connected_world: Soinbox, visitor: PlainBrowser
) -> None:
    own_mailbox.dovecot.add_user(BRAM, "bram-zijn-geheim")
    for number, given in enumerate(FLAGS):
        own_mailbox.deliver_text(f"Brief {number}", sender=f"Bram Bakker <{BRAM}>", flags=given)
    before = flags(own_mailbox)
    begin(visitor, connected_world, own_mailbox.address)
    connect(visitor, own_mailbox)
    visitor.wait_for("Brief 3", "/inbox")
    own_mailbox.deliver_text("Vers van de pers")
    visitor.wait_for("Vers van de pers", "/inbox", seconds=5)
    assert flags(own_mailbox)[: len(before)] == before  # nothing was marked by fetching

    visitor.follow("Brief 0")
    visitor.settle()
    visitor.follow("Reply")
    assert visitor.page.values["to"].endswith(f"{BRAM}>") or visitor.page.values["to"] == BRAM
    hidden = "geheim@klant.example"
    visitor.press("Attach", file=ATTACHMENT, body="Dank u wel.", bcc=hidden)
    assert "offerte.pdf" in visitor.page.text and visitor.page.values["body"] == "Dank u wel."
    visitor.press("Send", action="/drafts/")
    assert "Sending: Re: Brief 0" in visitor.page.text
    visitor.press("Undo", action="/outbox/")
    assert visitor.page.values["body"] == "Dank u wel." and "offerte.pdf" in visitor.page.text
    composer = visitor.url
    visitor.send("Send", action="/drafts/")  # twice the same post
    visitor.press("Send", action="/drafts/")
    held = time.monotonic()
    assert visitor.open("/outbox").text.count("About to be sent") == 1
    assert not own_mailbox.sent()
    until(own_mailbox.sent, seconds=SENT_SECONDS, told=connected_world.log)
    assert time.monotonic() - held > 9, "the time to undo was cut short"
    until(lambda: own_mailbox.messages("Sent"), seconds=SENT_SECONDS, told=connected_world.log)
    visitor.wait_for("Sent", "/outbox")

    (wire,) = own_mailbox.sent()
    assert b"bcc" not in wire.lower().partition(b"\r\n\r\n")[0] and hidden.encode() not in wire
    (accepted,) = own_mailbox.smtp.messages
    assert set(accepted.recipients) == {BRAM, hidden}
    (received,) = own_mailbox.dovecot.messages(BRAM)
    (filed,) = own_mailbox.messages("Sent")
    for raw in (received, filed):
        letter = message_from_bytes(raw, policy=policy.default)
        assert letter["Subject"] == "Re: Brief 0" and letter["In-Reply-To"]
        (attached,) = letter.iter_attachments()
        assert attached.get_filename() == "offerte.pdf" and attached.get_content() == ATTACHMENT[1]
    assert visitor.open(composer).text and visitor.status in (200, 404)
    until(lambda: b"\\Answered" in flags(own_mailbox)[0], seconds=10, told=connected_world.log)


def test_the_server_dies_and_returns(
    own_mailbox: RealMailbox, connected_world: Soinbox, visitor: PlainBrowser
) -> None:
    own_mailbox.deliver_text("Voor de storing", "Dit blijft leesbaar.")
    begin(visitor, connected_world, own_mailbox.address)
    connect(visitor, own_mailbox)
    visitor.wait_for("Voor de storing", "/inbox")
    visitor.follow("Voor de storing")
    visitor.settle()
    letter = visitor.url
    assert "Dit blijft leesbaar." in visitor.page.text

    own_mailbox.dovecot.kill()
    until(lambda: failing(connected_world), seconds=SENT_SECONDS, told=connected_world.log)
    long_ago(connected_world, own_mailbox.address)
    for place in ("/inbox", "/persons", "/options"):
        text = visitor.open(place).text
        assert f"{own_mailbox.address} is not updated since" in text, text
        assert [one.words for one in visitor.page.buttons].count("Try again now") == 1
    assert any(cause in visitor.page.text for cause in CAUSES), visitor.page.text
    assert "Dit blijft leesbaar." in visitor.open(letter).text

    own_mailbox.dovecot.start()
    own_mailbox.deliver_text("Na de storing")
    visitor.press("Try again now")
    visitor.wait_for("Na de storing", "/inbox", seconds=20)
    assert "is not updated" not in visitor.page.text
    assert "Voor de storing" in visitor.page.text


def test_a_password_changed_at_the_provider(
    own_mailbox: RealMailbox, connected_world: Soinbox, visitor: PlainBrowser
) -> None:
    own_mailbox.deliver_text("Eerder")
    begin(visitor, connected_world, own_mailbox.address)
    connect(visitor, own_mailbox)
    visitor.wait_for("Eerder", "/inbox")
    sent_before = len(own_mailbox.smtp.sign_ins)

    own_mailbox.dovecot.set_password(own_mailbox.address, "een-nieuw-geheim")
    own_mailbox.dovecot.restart()
    until(lambda: failing(connected_world), seconds=SENT_SECONDS, told=connected_world.log)
    visitor.open("/inbox")
    visitor.press("Refresh")
    visitor.wait_for("Fix sign-in", "/inbox", seconds=60)
    assert "User name or password is wrong" in visitor.page.text and "Eerder" in visitor.page.text
    visitor.wait_for("Needs a sign-in", "/options/account")
    assert refused_sign_ins(own_mailbox) == 1
    assert len(own_mailbox.smtp.sign_ins) == sent_before, "a password refused by IMAP went to SMTP"

    visitor.open("/inbox")
    visitor.follow("Fix sign-in")
    assert "Kept; retype only to change." in visitor.page.text
    visitor.press("Save", imap_password="nog-steeds-fout")
    visitor.settle()
    assert "User name or password is wrong" in visitor.page.text
    assert "nog-steeds-fout" not in visitor.html and refused_sign_ins(own_mailbox) <= 3
    assert len(own_mailbox.smtp.sign_ins) == sent_before
    visitor.press("Save", imap_password="een-nieuw-geheim")
    visitor.settle()
    assert "/inbox/" in visitor.url
    own_mailbox.deliver_text("Later")
    visitor.wait_for("Later", "/inbox", seconds=20)
    assert "Fix sign-in" not in visitor.page.text


def test_editing_and_removing(
    own_mailbox: RealMailbox, connected_world: Soinbox, visitor: PlainBrowser
) -> None:
    own_mailbox.deliver_text("Blijft op de server", flags=["\\Seen"])
    begin(visitor, connected_world, own_mailbox.address)
    connect(visitor, own_mailbox)
    visitor.wait_for("Blijft op de server", "/inbox")
    stored, marks = own_mailbox.messages(), flags(own_mailbox)

    visitor.follow("E-mail options")
    visitor.follow("E-mail account")
    visitor.follow("Edit")
    assert visitor.page.values["imap_host"] == "mail.noordlicht.example"
    assert visitor.page.values["imap_password"] == "" and own_mailbox.password not in visitor.html
    visitor.press("Save")  # the password is kept
    visitor.settle()
    assert "/inbox/" in visitor.url

    visitor.open("/options/account")
    visitor.follow("Edit")
    visitor.press("Save", imap_host="localhost")
    assert visitor.status == 422 and "Type the password for localhost" in visitor.page.text
    assert visitor.page.values["imap_host"] == "localhost"
    visitor.press("Save", imap_host="localhost", imap_password=own_mailbox.password, smtp_host="")
    visitor.settle()
    assert "/inbox/" in visitor.url and "only reads mail" in visitor.page.text

    visitor.open("/options/account")
    visitor.follow("Remove")
    assert "What goes" in visitor.page.text and "What stays" in visitor.page.text
    visitor.press("Remove")
    assert "is no longer connected" in visitor.page.text and "No e-mail account yet" in visitor.page.text
    visitor.open("/inbox")
    assert visitor.url.endswith("/setup")
    assert own_mailbox.messages() == stored and flags(own_mailbox) == marks


@pytest.mark.real("dovecot", "postfix")
def test_by_hand_and_through_postfix(
    ca: Authority, dovecot: Dovecot, mailbox: RealMailbox, product: Callable[..., Soinbox]
) -> None:
    friend = f"eva.{mailbox.address}"
    dovecot.add_user(friend, "eva-haar-geheim")
    server = Postfix(ca, dovecot, mailbox.address, friend).start()
    world = product()
    visitor = PlainBrowser(world.url)
    try:
        begin(visitor, world, mailbox.address)
        visitor.open("/inbox")
        visitor.press("Advanced settings", address=mailbox.address)
        visitor.press(
            "Save",
            imap_host="localhost",
            imap_port=str(dovecot.imap_port),
            imap_security="starttls",
            imap_password=mailbox.password,
            smtp_host="localhost",
            smtp_port=str(server.starttls_port),
            smtp_security="starttls",
        )
        visitor.settle()
        assert "/inbox/" in visitor.url, visitor.page.text
        visitor.follow("New e-mail")
        visitor.press("Send", action="/drafts/", to=friend, subject="Langs Postfix", body="Hallo Eva")
        until(
            lambda: dovecot.messages(friend),
            seconds=SENT_SECONDS,
            told=lambda: server.log() + world.log()[-2000:],
        )
        (received,) = dovecot.messages(friend)
        assert b"Subject: Langs Postfix" in received and b"Hallo Eva" in received
        visitor.open("/outbox")
        assert "Nothing is on its way." in visitor.page.text or " Sent " in visitor.wait_for(" Sent ").text
    finally:
        visitor.close()
        world.stop()
        server.close()
        dovecot.remove_user(friend)
