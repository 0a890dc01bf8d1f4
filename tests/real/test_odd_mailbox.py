"""Mailboxes as they are found in the wild: from Dovecot through the store to the page."""

from collections.abc import Iterator

import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.model.message import MessageKey
from soinbox_web.problems import SoinboxError
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime
from soinbox_web.services import fetching, sync
from soinbox_web.store import accounts, folders, messages
from tests.client import SoinboxClient
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.mailbox import RealMailbox

pytestmark = pytest.mark.real

NESTED = b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (depth, depth) for depth in range(60)
)
ODD = {
    "nothing at all": b"",
    "no date": b"From: eva@klant.example\r\nSubject: Zonder datum\r\n\r\nTekst\r\n",
    "no sender": b"Subject: Zonder afzender\r\nDate: Mon, 23 Nov 2026 08:00:00 +0000\r\n\r\nTekst\r\n",
    "no subject": b"From: eva@klant.example\r\nDate: Mon, 23 Nov 2026 08:00:00 +0000\r\n\r\nTekst\r\n",
    "broken words": b"Subject: =?utf-8?b?////?= =?x?q?=ZZ?=\r\nFrom: =?x?= <<>>\r\nDate: ooit\r\n\r\n\xff",
    "broken base64": (
        b"Subject: Stuk\r\nContent-Type: text/plain; charset=klingon\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n@@@=SGFs\x00bG8\xff\r\n"
    ),
    "nested": b"Subject: Genest\r\n" + NESTED + b"Content-Type: text/plain\r\n\r\nDiep\r\n",
    "letter in letter": (
        b"Subject: Brief in brief\r\nContent-Type: message/rfc822\r\n\r\n"
        b"Subject: Binnenste\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n"
        b"--a\r\nContent-Type: text/html\r\n\r\n<b>Binnen\r\n"
    ),
    "no end of head": b"Subject: Geen einde",
}


@pytest.fixture
def account(runtime: Runtime, member: Member, mailbox: RealMailbox) -> Account:
    """The mailbox as an account of Anna, who is signed in."""
    now = runtime.clock.now()
    with runtime.db.write() as connection:
        number = accounts.insert(connection, member.id, mailbox.address, mailbox.imap_login, None, now)
        made = accounts.read(connection, number)
        accounts.seal_secret(connection, runtime.vault, made, "imap", mailbox.password)
    return made


def keys(runtime: Runtime, account: Account, folder: str = "INBOX") -> list[MessageKey]:
    with runtime.mailbox(account.id, account.generation).read() as connection:
        row = folders.by_name(connection, folder)
        assert row is not None
        return [
            MessageKey(account.id, folder, row.uidvalidity, uid) for uid in messages.uids(connection, row.id)
        ]


def fetch_all(runtime: Runtime, account: Account) -> None:
    """Envelopes, then the bodies as the mailroom fetches them."""
    sync.sync_once(runtime, account.id)
    connection = sync.connect(runtime, account)
    try:
        reader = fetching.Reader(runtime, account, connection)
        while fetching.fetch_some(reader):
            pass
    finally:
        connection.logout()


def test_an_empty_mailbox_is_a_page(runtime: Runtime, account: Account, signed_in: SoinboxClient) -> None:
    sync.sync_once(runtime, account.id)
    answer = signed_in.get(f"/inbox/{account.id}")
    assert answer.status_code == 200 and "row-link" not in answer.text
    assert 'class="empty' in answer.text


def test_odd_messages_reach_the_page(
    runtime: Runtime, mailbox: RealMailbox, account: Account, signed_in: SoinboxClient
) -> None:
    for raw in ODD.values():
        mailbox.deliver(raw)
    mailbox.deliver_text("Gewoon", "Ook deze komt.")
    fetch_all(runtime, account)
    found = keys(runtime, account)
    assert len(found) == len(ODD) + 1
    listing = signed_in.get(f"/inbox/{account.id}")
    assert listing.status_code == 200
    for words in ("Zonder datum", "Zonder afzender", "(no subject)", "(no sender)", "Genest", "Gewoon"):
        assert words in listing.text, words
    for key, name in zip(found, [*ODD, "Gewoon"], strict=True):
        for path in ("", "/body", "/print"):
            answer = signed_in.get(f"/messages/{key}{path}")
            assert answer.status_code == 200, f"{name}: {path}"
        shown = signed_in.get(f"/messages/{key}").text
        assert "is being fetched" not in shown, name
        source = signed_in.get(f"/messages/{key}/source.eml")
        assert source.status_code == 200, name
        assert signed_in.get(f"/drafts/new?account={account.id}&kind=forward&of={key}").status_code == 303


def test_a_folder_with_a_foreign_name_is_shown_and_opened(
    runtime: Runtime, mailbox: RealMailbox, account: Account, signed_in: SoinboxClient
) -> None:
    name = "Geïnd & betaald ✓ 日本"
    mailbox.deliver_text("Voldaan", folder=name)
    sync.sync_once(runtime, account.id)
    page = signed_in.get(f"/inbox/{account.id}").text
    assert "Geïnd &amp; betaald ✓ 日本" in page and "&AO8-" not in page
    opened = signed_in.get(f"/inbox/{account.id}", query_string={"folder": name})
    assert opened.status_code == 200 and "Voldaan" in opened.text
    (key,) = keys(runtime, account, name)
    assert signed_in.get(f"/messages/{key}").status_code == 200


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()  # a line that is cut is timed by the real one


@pytest.fixture
def proxy(ca: Authority, mailbox: RealMailbox) -> Iterator[FaultProxy]:
    target = (mailbox.dovecot.host, mailbox.dovecot.imaps_port)
    with FaultProxy(
        target, certificate=ca.issue("localhost", "127.0.0.1"), upstream=ca.client_context()
    ) as proxy:
        yield proxy


def test_the_server_gone_in_the_middle_of_a_fetch(
    runtime: Runtime, mailbox: RealMailbox, account: Account, signed_in: SoinboxClient, proxy: FaultProxy
) -> None:
    for number in range(30):
        mailbox.deliver_text(f"Bericht {number:02d}", "Regel. " * 2000)
    with runtime.db.write() as connection:
        connection.execute("UPDATE accounts SET imap_port = ? WHERE id = ?", (proxy.port, account.id))
        account = accounts.read(connection, account.id)
        accounts.seal_secret(connection, runtime.vault, account, "imap", mailbox.password)
    sync.sync_once(runtime, account.id)
    proxy.fault = Fault(cut_after=100_000)
    with pytest.raises(SoinboxError):
        fetch_all(runtime, account)
    found = keys(runtime, account)
    assert len(found) == 30
    page = signed_in.get(f"/inbox/{account.id}")
    assert page.status_code == 200 and "Bericht 29" in page.text
    proxy.fault = None
    fetch_all(runtime, account)
    assert keys(runtime, account) == found
    for key in found:
        assert "Regel. Regel." in signed_in.get(f"/messages/{key}").text
