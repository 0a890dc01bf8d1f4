"""Against servers that are built otherwise than Dovecot: here equals there, whatever they lack.

Courier: UTF-8 names, every folder below INBOX, no UIDNEXT at opening, no CONDSTORE, no MOVE. Cyrus: a store
of its own, CONDSTORE and QRESYNC, MOVE, special folders, modified UTF-7.
"""

import imaplib
from collections.abc import Iterator

import pytest

from soinbox_web.mail.imap import idle
from soinbox_web.mail.imap.folder_names import encode
from soinbox_web.mail.net.network import Network
from soinbox_web.model.account import Account
from soinbox_web.model.listing import Query
from soinbox_web.model.server import Login
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime
from soinbox_web.services import acting, fetching, reading, searching, sync, triage
from soinbox_web.store import requests
from tests.real.accounts import add_user, connect_account
from tests.servers.courier import Courier
from tests.servers.cyrus import Cyrus
from tests.trust.verifier import differences

ADDRESS, PASSWORD = "anna@noordlicht.example", "lampje-voor-anna"
Server = Courier | Cyrus


@pytest.fixture(
    params=[
        pytest.param(Courier, marks=pytest.mark.real("courier"), id="Courier"),
        pytest.param(Cyrus, marks=pytest.mark.real("cyrus"), id="Cyrus"),
    ]
)
def server(request: pytest.FixtureRequest, ca: Authority) -> Iterator[Server]:
    with request.param(ca, ADDRESS, PASSWORD) as running:
        with running.signed_in(ADDRESS) as client:
            for names in (*running.lacks, ("Café",), ("Klanten",), ("Klanten", "A&B")):
                assert client.create(quoted(running.folder(*names)))[0] == "OK"
            for number in range(12):
                append(client, f"Offerte {number}")
            append(client, running.creme, quoted(running.folder("Café")))
        yield running


@pytest.fixture
def account(runtime: Runtime, server: Server) -> Account:
    login = Login(server.host, server.port, "ssl", ADDRESS)
    return connect_account(runtime, add_user(runtime), login, PASSWORD)


def quoted(name: str) -> str:
    return f'"{encode(name)}"'


def append(client: imaplib.IMAP4, subject: str, folder: str = "INBOX", text: str = "Hallo") -> None:
    message = (
        f"From: Eva <eva@klant.example>\r\nSubject: {subject}\r\nMessage-ID: <{hash(subject)}@x.example>\r\n"
    )
    assert client.append(folder, "", None, f"{message}\r\n{text}\r\n".encode())[0] == "OK"


def rows(runtime: Runtime, account: Account, **asked: object) -> list[reading.MessageRow]:
    return list(reading.listing(runtime, account.user_id, account.id, Query(**asked)).rows)  # type: ignore[arg-type]


def test_here_equals_there(runtime: Runtime, server: Server, account: Account) -> None:
    report = sync.sync_once(runtime, account.id)
    assert report.messages == 13
    assert differences(runtime, account, server) == []
    with server.signed_in(ADDRESS) as client:
        client.select("INBOX")
        client.store("2", "+FLAGS", "\\Seen")
        client.store("3:4", "+FLAGS", "\\Deleted")
        client.expunge()
        append(client, "Nieuw")
        client.copy("5", quoted(server.folder("Klanten")))
        client.close()
        client.delete(quoted(server.folder("Café")))
        client.create(quoted(server.folder("Naïef")))
    sync.sync_once(runtime, account.id)
    assert differences(runtime, account, server) == []
    assert {row.subject for row in rows(runtime, account)} >= {"Nieuw", "Offerte 11"}


def test_actions(runtime: Runtime, server: Server, account: Account) -> None:
    sync.sync_once(runtime, account.id)
    keys = {row.subject: row.key for row in rows(runtime, account)}
    cafe, nested = server.folder("Café"), server.folder("Klanten", "A&B")
    triage.act(runtime, account.user_id, [keys["Offerte 0"], keys["Offerte 1"]], "read")
    triage.act(runtime, account.user_id, [keys["Offerte 2"]], "move", cafe)
    triage.act(runtime, account.user_id, [keys["Offerte 3"]], "copy", nested)
    triage.act(runtime, account.user_id, [keys["Offerte 4"]], "delete")
    runtime.clock.sleep(20)
    with sync.connect(runtime, account) as connection:
        while acting.push(runtime, account, connection):
            pass
    sync.sync_once(runtime, account.id)
    assert differences(runtime, account, server) == []
    assert {row.subject for row in rows(runtime, account, folder=cafe)} == {"Offerte 2", "Café crème"}
    assert [row.subject for row in rows(runtime, account, folder=nested)] == ["Offerte 3"]
    assert [row.subject for row in rows(runtime, account, folder=server.folder("Trash"))] == ["Offerte 4"]


def test_texts_and_words(runtime: Runtime, server: Server, account: Account) -> None:
    sync.sync_once(runtime, account.id)
    with runtime.db.write() as connection:
        requests.ask(connection, account.id, "search", '["", "crème"]', runtime.clock.now())
    with sync.connect(runtime, account) as connection:
        assert connection.utf8 == isinstance(server, Courier)
        searching.answer(runtime, account, connection, '["", "crème"]')
        found = rows(runtime, account, text="crème", everywhere=True)
        assert [row.subject for row in found] == ["Café crème"]
        reader = fetching.Reader(runtime, account, connection)
        while fetching.fetch_some(reader, since=None):
            pass
    assert differences(runtime, account, server) == []
    assert {row.preview for row in rows(runtime, account)} == {"Hallo"}


def test_arrivals_are_heard(runtime: Runtime, server: Server, account: Account) -> None:
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


@pytest.mark.parametrize("server", [pytest.param(Cyrus, marks=pytest.mark.real("cyrus"))], indirect=True)
def test_a_message_that_another_client_moved_keeps_its_text(
    runtime: Runtime, server: Server, account: Account
) -> None:
    """OBJECTID (RFC 8474): it is known again, and not fetched again."""
    sync.sync_once(runtime, account.id)
    assert fetched(runtime, account) > 0
    with server.signed_in(ADDRESS) as client:
        client.select("INBOX")
        assert client.uid("MOVE", "1:6", quoted(server.folder("Klanten")))[0] == "OK"
        assert client.copy("1:2", quoted(server.folder("Café")))[0] == "OK"
    sync.sync_once(runtime, account.id)
    assert fetched(runtime, account) == 0
    assert differences(runtime, account, server) == []
    moved = rows(runtime, account, folder=server.folder("Klanten"))
    assert [row.preview for row in moved] == ["Hallo"] * 6
    for row in moved:
        raw = reading.raw(runtime, account.user_id, row.key, wait=0)
        assert raw is not None and f"Subject: {row.subject}".encode() in raw


def fetched(runtime: Runtime, account: Account) -> int:
    """How often whole messages were asked for until none was missing."""
    with sync.connect(runtime, account) as connection:
        wire, asked = connection.client.wire, []
        send = wire.send
        wire.send = lambda data: (asked.append(data), send(data))[1]  # type: ignore[method-assign,func-returns-value]
        reader = fetching.Reader(runtime, account, connection)
        while fetching.fetch_some(reader, since=None):
            pass
    return sum(b"BODY.PEEK[]" in command for command in asked)
