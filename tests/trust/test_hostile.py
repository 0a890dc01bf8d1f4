"""T5: hostile IMAP servers against synchronising and against the test button, under the usual deadlines."""

import contextlib
import ctypes
import gc
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.mail.imap import folders as server_folders
from soinbox_web.mail.imap import mailbox_changes
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.imap.idle import Idle
from soinbox_web.mail.net.network import Network
from soinbox_web.mail.signin import Secrets, sign_in
from soinbox_web.model.account import Account
from soinbox_web.model.server import Login
from soinbox_web.problems import SoinboxError
from soinbox_web.rehearsal.behaviour import SmtpBehaviour
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from soinbox_web.runtime import Runtime
from soinbox_web.services import fetching, sync
from soinbox_web.settings import Settings
from soinbox_web.store import bodies, folders
from tests.real.accounts import add_account, add_user, connect_account
from tests.servers.mailbox import RealMailbox
from tests.trust.hostile import ACTING, HONEST, LATER, SERVERS, SILENT, Hostile, fetched

pytestmark = pytest.mark.timeout(240)
ENDED = 30.0  # seconds after the harmful command
MOST_MEMORY = 150_000_000  # bytes more than before, the hostile server's own included
AT_TEST_BUTTON = (b"greeting", b"CAPABILITY", b"AUTHENTICATE", b"EXAMINE", b"LOGOUT")


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


class Memory:
    """The most memory that the process has had while this was open, beyond what it had before."""

    def __enter__(self) -> "Memory":
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # so that what was freed before is not used again unseen
        self._process, self._over = psutil.Process(), threading.Event()
        self._before = self.most = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.01):
            self.most = max(self.most, self._process.memory_info().rss)

    @property
    def grown(self) -> int:
        return self.most - self._before


@pytest.mark.parametrize("name", SERVERS)
def test_synchronising_ends(
    runtime: Runtime, ca: Authority, name: str, record_property: Callable[[str, object], None]
) -> None:
    with Hostile(ca.issue("localhost").server_context(), *SERVERS[name]) as server, Memory() as memory:
        made = _account(runtime, server)
        assert _seconds_of_harm(runtime, made, server) < ENDED
    record_property("memory_mb", memory.grown / 1e6)
    assert memory.grown < MOST_MEMORY
    with runtime.mailbox(made.id, made.generation).read() as connection:
        stored = [row["uid"] for row in connection.execute("SELECT uid FROM messages")]
        assert set(stored) <= {1, 2, 3}
        assert len(folders.listing(connection)) <= 1


def test_synchronising_ends_where_nothing_comes(runtime: Runtime, ca: Authority) -> None:
    """All at once, since each takes its time."""
    context = ca.issue("localhost").server_context()
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(len(SILENT)) as pool:
        servers = [stack.enter_context(Hostile(context, *harm)) for harm in SILENT.values()]
        made = [_account(runtime, each, f"anna{n}@noordlicht.example") for n, each in enumerate(servers)]
        lasted = pool.map(lambda account, server: _seconds_of_harm(runtime, account, server), made, servers)
        late = {name for name, seconds in zip(SILENT, lasted, strict=True) if seconds > ENDED}
    assert late == set()


@pytest.mark.parametrize("name", LATER)
def test_synchronising_again_ends(
    runtime: Runtime, ca: Authority, name: str, record_property: Callable[[str, object], None]
) -> None:
    stage, payload = LATER[name]
    with Hostile(ca.issue("localhost").server_context()) as server:
        made = _account(runtime, server)
        sync.sync_once(runtime, made.id)
        server.stage, server.payload = stage, payload
        if stage == b"FETCH":  # asked for the flags that changed, where QRESYNC did not tell
            opened = server.honest[b"EXAMINE"].replace(b"MODSEQ 9", b"MODSEQ 10")
            server.honest |= {b"ENABLE": b"", b"EXAMINE": opened}
        with Memory() as memory:
            assert _seconds_of_harm(runtime, made, server) < ENDED
        record_property("memory_mb", memory.grown / 1e6)
        assert memory.grown < MOST_MEMORY


_OPENED, _SECOND = HONEST[b"EXAMINE"], fetched(2)
_NAMELESS = HONEST[b"LIST"] + b'* LIST () "/" '
BEYOND: dict[str, dict[str, bytes]] = {  # what nobody can store or say again
    "a size of thirty digits": {"FETCH": _SECOND.replace(b"SIZE 812", b"SIZE " + b"9" * 30)},
    "a negative size": {"FETCH": _SECOND.replace(b"SIZE 812", b"SIZE -812")},
    "a UIDVALIDITY of twenty digits": {"EXAMINE": _OPENED.replace(b"TY 1]", b"TY %b]" % (b"9" * 20))},
    "a UIDNEXT of twenty digits": {"EXAMINE": _OPENED.replace(b"NEXT 4]", b"NEXT %b]" % (b"9" * 20))},
    "a MODSEQ of twenty digits": {"EXAMINE": _OPENED.replace(b"SEQ 9]", b"SEQ %b]" % (b"9" * 20))},
    "a folder with a line end in its name": {"LIST": _NAMELESS + b"{4}\r\na\r\nb\r\n"},
    "a folder with a NUL in its name": {"LIST": _NAMELESS + b'"a\0b"\r\n'},
}


@pytest.mark.parametrize("name", BEYOND)
def test_what_is_beyond_all_bounds_stops_nothing_else(runtime: Runtime, ca: Authority, name: str) -> None:
    odd = BEYOND[name]
    if "FETCH" in odd:
        odd = {"FETCH": fetched(1) + odd["FETCH"] + fetched(3)}
    with Hostile(ca.issue("localhost").server_context(), **odd) as server:
        made = _account(runtime, server)
        for _ in range(2):
            sync.sync_once(runtime, made.id)
    with runtime.mailbox(made.id, made.generation).read() as connection:
        stored = [row["uid"] for row in connection.execute("SELECT uid FROM messages ORDER BY uid")]
    assert stored == ([1, 3] if "FETCH" in odd else [1, 2, 3])


def test_bodies_larger_than_was_told_keep_to_the_budget(
    runtime: Runtime, ca: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "KEPT_AT_ONCE", 1_000_000)
    monkeypatch.setattr(fetching, "BACKGROUND_TOTAL", 2_000_000)
    large = b"".join(b"* %d FETCH (UID %d BODY[] {900000}\r\n%900000d)\r\n" % (n, n, n) for n in (1, 2, 3))
    with Hostile(ca.issue("localhost").server_context()) as server:
        made = _account(runtime, server)
        sync.sync_once(runtime, made.id)
        server.honest |= {b"FETCH": large}
        with sync.connect(runtime, made) as connection:
            reader = fetching.Reader(runtime, made, connection)
            assert [fetching.fetch_some(reader, None) for _ in range(3)] == [1, 1, 1]
            with reader.mailbox.read() as reading:
                assert bodies.total(reading) <= 2_000_000


def test_another_folder_with_the_same_numbers_shows_its_own_messages(runtime: Runtime, ca: Authority) -> None:
    """An honest server: UIDVALIDITY tells the folders of one name apart, not those of several."""
    listed = HONEST[b"LIST"] + HONEST[b"LIST"].replace(b"INBOX", b"<name>")
    with Hostile(ca.issue("localhost").server_context()) as server:
        made = _account(runtime, server)
        for name, subject in ((b"Oud", b"Offerte"), (b"Nieuw", b"Anders")):
            server.honest |= {
                b"LIST": listed.replace(b"<name>", name),
                b"FETCH": HONEST[b"FETCH"].replace(b"Offerte", subject),
            }
            sync.sync_once(runtime, made.id)
    with runtime.mailbox(made.id, made.generation).read() as connection:
        shown = connection.execute(
            "SELECT DISTINCT subject FROM messages m JOIN folders f ON f.id = folder_id WHERE name = 'Nieuw'"
        ).fetchall()
    assert [row["subject"] for row in shown] == ["Anders"]


def listen(idle: Idle) -> None:
    idle.begin()
    idle.hear()
    idle.end()


ACTS: dict[bytes, Callable[[ImapConnection], object]] = {
    b"APPEND": lambda connection: mailbox_changes.append(connection, "Sent", b"Hallo\r\n", ["\\Seen"]),
    b"STORE": lambda connection: mailbox_changes.store_flags(connection, [1], add=["\\Seen"]),
    b"COPY": lambda connection: mailbox_changes.copy(connection, [1], "Archive"),
    b"MOVE": lambda connection: mailbox_changes.move(connection, [1], "Archive"),
    b"SEARCH": lambda connection: server_folders.text_search(connection, ["hallo"]),
    b"IDLE": lambda connection: listen(Idle(connection)),
}


OFFERED = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR MOVE IDLE NOTIFY\r\n"


@pytest.mark.parametrize("name", ACTING)
def test_acting_ends(settings: Settings, ca: Authority, name: str) -> None:
    context = ca.issue("localhost").server_context()
    with Hostile(context, *ACTING[name], CAPABILITY=OFFERED) as server, Memory() as memory:
        assert _act(settings, server) == "protocol_broken"
        assert server.met and time.monotonic() - server.met < ENDED
    print(f"{memory.grown / 1e6:.0f} MB")
    assert memory.grown < MOST_MEMORY


def test_acting_ends_where_nothing_comes(settings: Settings, ca: Authority) -> None:
    """All at once, since each takes its time; IDLE has a wait of its own."""
    context = ca.issue("localhost").server_context()
    stages = [stage for stage in ACTS if stage != b"IDLE"]
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(len(stages)) as pool:
        servers = [
            stack.enter_context(Hostile(context, stage, lambda: iter(()), CAPABILITY=OFFERED))
            for stage in stages
        ]
        began = time.monotonic()
        assert set(pool.map(lambda server: _act(settings, server), servers)) == {"timeout"}
        assert time.monotonic() - began < ENDED


def _act(settings: Settings, server: Hostile) -> str:
    """Do what the server is hostile to; the code of the problem."""
    login = Login("localhost", server.port, "ssl", "anna@noordlicht.example")
    connection = ImapConnection.connect(login, Network(settings, SystemClock()))
    connection.sign_in("lampje")
    server_folders.examine(connection, "INBOX")
    with pytest.raises(SoinboxError) as caught:
        ACTS[server.stage](connection)
    return caught.value.problem.code


def test_what_a_hostile_server_said_is_forgotten(runtime: Runtime, ca: Authority) -> None:
    """Nothing of it stays in what is remembered of people who write often."""
    with Hostile(ca.issue("localhost").server_context(), *SERVERS["crowds without end"]) as server:
        made = _account(runtime, server)
        _seconds_of_harm(runtime, made, server)
        process = psutil.Process()
        before = process.memory_info().rss
        for _ in range(5):
            runtime.forget_mailbox(made.id, made.generation)  # else it is remembered, and not asked for again
            _seconds_of_harm(runtime, made, server)
        print(f"{(process.memory_info().rss - before) / 1e6:.0f} MB")
        assert process.memory_info().rss - before < 60_000_000


HARMED = {**SERVERS, **SILENT}


@pytest.mark.parametrize("name", [name for name, (stage, _) in HARMED.items() if stage in AT_TEST_BUTTON])
def test_the_test_button_ends(settings: Settings, ca: Authority, name: str) -> None:
    smtp = ScriptedSmtp(SmtpBehaviour(tls="implicit", certificate=ca.issue("localhost"))).start()
    try:
        with Hostile(ca.issue("localhost").server_context(), *HARMED[name]) as server:
            with Memory() as memory:
                result = sign_in(
                    Login("localhost", server.port, "ssl", "anna@noordlicht.example"),
                    Login("localhost", smtp.port, "ssl", "anna@noordlicht.example"),
                    Secrets("lampje", None),
                    Network(settings, SystemClock()),
                    address="anna@noordlicht.example",
                )
                ended = time.monotonic()
            assert result.imap.ok == (server.stage == b"LOGOUT")
            assert server.met and ended - server.met < ENDED
            assert memory.grown < MOST_MEMORY
    finally:
        smtp.stop()


AT_ONCE = (
    "messages nobody asked for, without end",
    "long answers without end to LIST",
    "searches of 10 MB without end",
    "silence in the middle of messages",
)


@pytest.mark.real
def test_an_honest_account_is_undisturbed(runtime: Runtime, ca: Authority, mailbox: RealMailbox) -> None:
    """Four hostile servers at once, each in a thread of its own as in the mailroom."""
    for number in range(20):
        mailbox.deliver_text(f"Bericht {number}")
    honest = add_account(runtime, mailbox)
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(len(AT_ONCE)) as pool:
        servers, suffering = [], []
        for number, name in enumerate(AT_ONCE):
            stage, payload = {**SERVERS, **SILENT}[name]
            servers.append(
                stack.enter_context(Hostile(ca.issue("localhost").server_context(), stage, payload))
            )
            account = _account(runtime, servers[-1], f"bram.{number}@noordlicht.example")
            suffering.append(pool.submit(_suffer, runtime, account))
        until = time.monotonic() + ENDED
        while not all(server.met for server in servers) and time.monotonic() < until:
            time.sleep(0.01)
        report = sync.sync_once(runtime, honest.id)
        assert report.messages == 20
        assert not all(each.done() for each in suffering), "the hostile servers were to be at work meanwhile"
        for each in suffering:
            each.result(timeout=2 * ENDED)


def _suffer(runtime: Runtime, account: Account) -> None:
    with contextlib.suppress(SoinboxError):
        sync.sync_once(runtime, account.id)


def _seconds_of_harm(runtime: Runtime, made: Account, server: Hostile) -> float:
    """How long a synchronisation lasts from the harmful command on."""
    server.met = None
    try:
        sync.sync_once(runtime, made.id)
    except SoinboxError as error:
        assert error.problem.code != "unknown"
    assert server.met is not None, "the harmful command was never said"
    print(f"{time.monotonic() - server.met:.1f} s")
    return time.monotonic() - server.met


def _account(runtime: Runtime, server: Hostile, address: str = "anna@noordlicht.example") -> Account:
    """An account whose mail the hostile server holds."""
    login = Login("localhost", server.port, "ssl", address)
    return connect_account(runtime, add_user(runtime, address), login, "lampje")
