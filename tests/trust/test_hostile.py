"""T5: hostile IMAP servers against synchronising and against the sign-in of the test button."""

import contextlib
import threading
import time

import psutil
import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.mail.net import Network
from soinbox_web.mail.signin import Secrets, sign_in
from soinbox_web.mail.transport import Timeouts
from soinbox_web.model.account import Account
from soinbox_web.model.server import Login
from soinbox_web.problems import SoinboxError
from soinbox_web.rehearsal.behaviour import SmtpBehaviour
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from soinbox_web.runtime import Runtime
from soinbox_web.services import sync
from soinbox_web.settings import Settings
from soinbox_web.store import folders
from tests.real.accounts import add_account, add_user, connect_account
from tests.servers.mailbox import RealMailbox
from tests.trust.hostile import SERVERS, Hostile
from tests.trust.scene import allow

DEADLINE = 2.0  # seconds a command has here, instead of 60
ENDED = 2 * DEADLINE + 6.0
MOST_MEMORY = 100_000_000  # bytes more than before
AT_SIGN_IN = (b"greeting", b"CAPABILITY", b"AUTHENTICATE", b"EXAMINE")


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, Timeouts(greeting=DEADLINE, command=DEADLINE))


class Memory:
    """The most memory that the process has had while this was open, beyond what it had before."""

    def __enter__(self) -> "Memory":
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


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", SERVERS)
def test_synchronising_ends(runtime: Runtime, ca: Authority, name: str) -> None:
    with Hostile(ca.issue("localhost").server_context(), *SERVERS[name]) as server:
        made = _account(runtime, server)
        began = time.monotonic()
        with Memory() as memory:
            try:
                sync.sync_once(runtime, made.id)
            except SoinboxError as error:
                assert error.problem.code != "unknown"
        assert time.monotonic() - began < ENDED
        assert memory.grown < MOST_MEMORY
        assert server.met
    with runtime.mailbox(made.id, made.generation).read() as connection:
        stored = [row["uid"] for row in connection.execute("SELECT uid FROM messages")]
        assert set(stored) <= {1, 2, 3}
        assert len(folders.listing(connection)) <= 1


@pytest.mark.parametrize("name", [name for name, (stage, _) in SERVERS.items() if stage in AT_SIGN_IN])
def test_the_test_button_ends(settings: Settings, ca: Authority, name: str) -> None:
    smtp = ScriptedSmtp(SmtpBehaviour(tls="implicit", certificate=ca.issue("localhost"))).start()
    try:
        with Hostile(ca.issue("localhost").server_context(), *SERVERS[name]) as server:
            began = time.monotonic()
            with Memory() as memory:
                result = sign_in(
                    Login("localhost", server.port, "ssl", "anna@noordlicht.example"),
                    Login("localhost", smtp.port, "ssl", "anna@noordlicht.example"),
                    Secrets("lampje", None),
                    Network(settings, SystemClock()),
                    address="anna@noordlicht.example",
                    timeouts=Timeouts(greeting=DEADLINE, command=DEADLINE),
                )
            assert result.imap.problem is not None
            assert time.monotonic() - began < ENDED + 6.0  # the other port and form are tried as well
            assert memory.grown < MOST_MEMORY and server.met
    finally:
        smtp.stop()


@pytest.mark.real
@pytest.mark.usefixtures("impatient")
def test_an_honest_account_is_undisturbed(runtime: Runtime, ca: Authority, mailbox: RealMailbox) -> None:
    for number in range(20):
        mailbox.deliver_text(f"Bericht {number}")
    honest = add_account(runtime, mailbox)
    stage, payload = SERVERS["messages nobody asked for, without end"]
    with Hostile(ca.issue("localhost").server_context(), stage, payload) as server:
        hostile = _account(runtime, server, "bram@noordlicht.example")
        ended = threading.Event()

        def suffer() -> None:
            with contextlib.suppress(SoinboxError):
                sync.sync_once(runtime, hostile.id)
            ended.set()

        threading.Thread(target=suffer, daemon=True).start()
        while not server.met:
            time.sleep(0.01)
        report = sync.sync_once(runtime, honest.id)
        assert report.messages == 20
        assert not ended.is_set(), "the hostile server was to be at work meanwhile"
        assert ended.wait(ENDED)


def _account(runtime: Runtime, server: Hostile, address: str = "anna@noordlicht.example") -> Account:
    """An account whose mail the hostile server holds."""
    login = Login("localhost", server.port, "ssl", address)
    return connect_account(runtime, add_user(runtime, address), login, "lampje")
