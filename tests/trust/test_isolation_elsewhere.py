"""The same beyond envelopes: flags, bodies, names of folders and what is heard while listening."""

import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.mail.imap import folders as server_folders
from soinbox_web.mail.imap.client import ImapClient
from soinbox_web.mail.imap.connection import ImapConnection, MailBox
from soinbox_web.mail.imap.idle import Idle
from soinbox_web.mail.net.wire import Wire
from soinbox_web.mail.stages import Stages
from soinbox_web.model.server import Login
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime
from soinbox_web.services import fetching, sync
from soinbox_web.store import bodies, folders
from tests.trust.hostile import HONEST, Hostile
from tests.trust.monsters import WIDE, MonsterServer
from tests.trust.test_hostile import _account
from tests.trust.test_isolation import account_at, stored


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def context(ca: Authority) -> ssl.SSLContext:
    return ca.issue("localhost").server_context()


BODIES = {
    "60 MB": b"* 7 FETCH (UID 7 BODY[] {59000000}\r\n" + b"x" * 59_000_000 + b")\r\n",
    "60 MB and its UID at the end": b"* 7 FETCH (BODY[] {59000000}\r\n" + b"x" * 59_000_000 + b" UID 7)\r\n",
    "a line of 30 MB": b'* 7 FETCH (UID 7 BODY[] "' + WIDE * 460 + b'")\r\n',
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_beyond_all_caps_stops_no_other(runtime: Runtime, context: ssl.SSLContext, kind: str) -> None:
    with MonsterServer(context, 20, bodies={7: BODIES[kind]}) as server:
        account = account_at(runtime, server)
        sync.sync_once(runtime, account.id)
        with sync.connect(runtime, account) as connection:
            reader = fetching.Reader(runtime, account, connection)
            while fetching.fetch_some(reader, None):
                pass
            with reader.mailbox.read() as reading:
                here = [
                    row["uid"]
                    for row in reading.execute(
                        "SELECT uid, m.id FROM messages m JOIN folders f ON f.id = folder_id"
                        " WHERE f.name = 'INBOX'"
                    )
                    if bodies.has(reading, row["id"])
                ]
    assert sorted(here) == [uid for uid in range(1, 21) if uid != 7]
    assert server.sign_ins == 2


def test_flags_beyond_all_caps_stop_no_others(runtime: Runtime, context: ssl.SSLContext) -> None:
    with MonsterServer(context, 30) as server:
        account = account_at(runtime, server)
        sync.sync_once(runtime, account.id)
        with sync.connect(runtime, account) as connection:
            server_folders.examine(connection, "INBOX")
            server.monsters = {3: lambda m, items: b"", 30: lambda m, items: b""}  # flags of 2 MB
            told = dict(server_folders.flags(connection))
    assert sorted(told) == [uid for uid in range(1, 31) if uid not in (3, 30)]
    assert len(stored(runtime, account)) == 30


NAMES = {
    "a name of 2 MB": b'* LIST () "/" "' + b"x" * 2_000_000 + b'"\r\n',
    "a name of 2 MB as a literal": b'* LIST () "/" {2000000}\r\n' + b"x" * 2_000_000 + b"\r\n",
    "a name of 60 kB": b'* LIST () "/" "' + b"x" * 60_000 + b'"\r\n',
    "a STATUS of 2 MB": b'* STATUS "' + b"x" * 2_000_000 + b'" (MESSAGES 1)\r\n',
    "20,000 levels": b'* LIST () "/" "' + b"a/" * 20_000 + b'z"\r\n',
}


@pytest.mark.parametrize("kind", NAMES)
def test_a_folder_beyond_all_caps_hides_no_other(
    runtime: Runtime, context: ssl.SSLContext, kind: str
) -> None:
    listed = NAMES[kind] + HONEST[b"LIST"] + NAMES[kind] + b'* LIST () "/" Werk\r\n' + NAMES[kind]
    with Hostile(context, LIST=listed) as server:
        account = _account(runtime, server)
        sync.sync_once(runtime, account.id)
    with runtime.mailbox(account.id, account.generation).read() as connection:
        assert [folder.name for folder in folders.listing(connection)] == ["INBOX", "Werk"]
        assert folders.left_out(connection) == 3


@pytest.mark.parametrize("count", [300_000, 600_000])
@pytest.mark.parametrize("name", ["Map %d", "Zelfde", "a/b/c/d/e/f/g/h/%d"])
def test_hundreds_of_thousands_of_folders_end(
    runtime: Runtime, context: ssl.SSLContext, count: int, name: str
) -> None:
    def listed() -> Iterator[bytes]:
        for first in range(0, count, 1000):
            numbers = range(first, first + 1000)
            yield b"".join(b'* LIST () "/" "%b"\r\n' % (name.replace("%d", str(n))).encode() for n in numbers)
        yield HONEST[b"LIST"] + b"<tag> OK done\r\n"

    with Hostile(context, b"LIST", listed) as server:
        account = _account(runtime, server)
        with sync.connect(runtime, account) as connection:
            found = server_folders.list_folders(connection)
    assert found.left_out == count - server_folders.MOST_FOLDERS
    assert any(folder.role == "inbox" for folder in found.folders)
    assert len(found.folders) <= server_folders.MOST_FOLDERS + 1


HEARD = {
    "flags of 2 MB": (b"* 1 FETCH (UID 1 FLAGS (" + b"$a " * 700_000 + b"\\Seen))\r\n", True),
    "a STATUS of 2 MB": (b'* STATUS "' + b"x" * 2_000_000 + b'" (MESSAGES 1)\r\n', False),
    "chatter of 2 MB": (b"* OK " + b"x" * 2_000_000 + b"\r\n", False),
}


@pytest.mark.parametrize("kind", HEARD)
def test_what_is_heard_while_listening_ends_nothing(kind: str) -> None:
    near, far = socket.socketpair()
    login = Login("localhost", 993, "ssl", "anna@noordlicht.example")
    client = ImapClient(Wire(near, SystemClock()), command_seconds=5)
    client.state, client.capabilities = "SELECTED", ("IDLE",)
    said, news = HEARD[kind]
    with near, far:
        connection = ImapConnection(login, MailBox(client), Stages("imap", login, None, clock=SystemClock()))
        talking = threading.Thread(target=far.sendall, args=(b"+ idling\r\n" + said,))
        talking.start()
        listening = Idle(connection)
        assert not listening.begin()
        assert client.wire.readable(5) and listening.hear() == news
        talking.join()
        far.sendall(b"* 4 EXISTS\r\n")
        assert client.wire.readable(5) and listening.hear()
