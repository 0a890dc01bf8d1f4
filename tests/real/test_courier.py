"""Against Courier: UTF-8 names, all folders below INBOX, no CONDSTORE, no MOVE; here equals there."""

import imaplib
from collections.abc import Iterator

import pytest

from soinbox_web.mail import idle
from soinbox_web.mail.net import Network
from soinbox_web.model.account import Account
from soinbox_web.model.listing import Query
from soinbox_web.model.server import Login
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime
from soinbox_web.services import acting, fetching, reading, searching, sync, triage
from soinbox_web.store import requests
from tests.real.accounts import add_user, connect_account
from tests.servers.courier import Courier
from tests.trust.verifier import differences

pytestmark = pytest.mark.real("courier")

ADDRESS, PASSWORD = "anna@noordlicht.example", "lampje-voor-anna"


@pytest.fixture
def server(ca: Authority) -> Iterator[Courier]:
    with Courier(ca, ADDRESS, PASSWORD) as courier:
        with courier.signed_in(ADDRESS) as client:
            for name in (b"Sent", b"Trash", b"Caf&AOk-", b"Klanten", b"Klanten.A&-B"):
                assert client.create(b'"INBOX.' + name + b'"')[0] == "OK"
            for number in range(12):
                append(client, f"Offerte {number}")
            append(client, "Café crème".encode().decode("latin-1"), "INBOX.Caf&AOk-")
        yield courier


@pytest.fixture
def account(runtime: Runtime, server: Courier) -> Account:
    login = Login(server.host, server.port, "ssl", ADDRESS)
    return connect_account(runtime, add_user(runtime), login, PASSWORD)


def append(client: imaplib.IMAP4, subject: str, folder: str = "INBOX", text: str = "Hallo") -> None:
    message = f"From: Eva <eva@klant.example>\r\nSubject: {subject}\r\nMessage-ID: <{subject}@x.example>\r\n"
    assert client.append(f'"{folder}"', "", None, f"{message}\r\n{text}\r\n".encode("latin-1"))[0] == "OK"


def rows(runtime: Runtime, account: Account, **asked: object) -> list[reading.MessageRow]:
    return list(reading.listing(runtime, account.user_id, account.id, Query(**asked)).rows)  # type: ignore[arg-type]


def test_here_equals_there(runtime: Runtime, server: Courier, account: Account) -> None:
    report = sync.sync_once(runtime, account.id)
    assert report.messages == 13
    assert differences(runtime, account, server) == []
    with server.signed_in(ADDRESS) as client:
        client.select("INBOX")
        client.store("2", "+FLAGS", "\\Seen")
        client.store("3:4", "+FLAGS", "\\Deleted")
        client.expunge()
        append(client, "Nieuw")
        client.copy("5", "INBOX.Klanten")
        client.close()
        client.delete('"INBOX.Caf&AOk-"')
        client.create('"INBOX.Na&AO8-ef"')
    sync.sync_once(runtime, account.id)
    assert differences(runtime, account, server) == []
    assert {row.subject for row in rows(runtime, account)} >= {"Nieuw", "Offerte 11"}


def test_actions(runtime: Runtime, server: Courier, account: Account) -> None:
    sync.sync_once(runtime, account.id)
    keys = {row.subject: row.key for row in rows(runtime, account)}
    triage.act(runtime, account.user_id, [keys["Offerte 0"], keys["Offerte 1"]], "read")
    triage.act(runtime, account.user_id, [keys["Offerte 2"]], "move", "INBOX.Café")
    triage.act(runtime, account.user_id, [keys["Offerte 3"]], "copy", "INBOX.Klanten.A&B")
    triage.act(runtime, account.user_id, [keys["Offerte 4"]], "delete")
    runtime.clock.sleep(20)
    with sync.connect(runtime, account) as connection:
        while acting.push(runtime, account, connection):
            pass
    sync.sync_once(runtime, account.id)
    assert differences(runtime, account, server) == []
    assert {row.subject for row in rows(runtime, account, folder="INBOX.Café")} == {"Offerte 2", "Café crème"}
    assert [row.subject for row in rows(runtime, account, folder="INBOX.Klanten.A&B")] == ["Offerte 3"]
    assert [row.subject for row in rows(runtime, account, folder="INBOX.Trash")] == ["Offerte 4"]


def test_texts_and_words(runtime: Runtime, server: Courier, account: Account) -> None:
    sync.sync_once(runtime, account.id)
    with runtime.db.write() as connection:
        requests.ask(connection, account.id, "search", '["", "crème"]', runtime.clock.now())
    with sync.connect(runtime, account) as connection:
        assert connection.utf8
        searching.answer(runtime, account, connection, '["", "crème"]')
        assert [row.subject for row in rows(runtime, account, text="crème", everywhere=True)] == [
            "Café crème"
        ]
        reader = fetching.Reader(runtime, account, connection)
        while fetching.fetch_some(reader, since=None):
            pass
    assert differences(runtime, account, server) == []
    assert {row.preview for row in rows(runtime, account)} == {"Hallo"}


def test_arrivals_are_heard(runtime: Runtime, server: Courier, account: Account) -> None:
    network = Network(runtime.settings, runtime.clock)
    with sync.connect(runtime, account, network) as connection:
        session = sync.open_session(runtime, account, connection)
        sync.synchronise(session)
        sync.synchronise_folders(session, ["INBOX"])
        listening = idle.Idle(connection)
        listening.begin()
        with server.signed_in(ADDRESS) as client:
            append(client, "Zojuist")
        while not listening.hear():
            assert connection.client.wire.readable(10)
        listening.end()
        sync.synchronise_folders(session, ["INBOX"])
    assert differences(runtime, account, server) == []
