"""Faults of an IMAP server that last: silence at one command, a full mailbox, another certificate."""

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from soinbox_web.clock import SystemClock, timestamp
from soinbox_web.mail.net.opening import Timeouts
from soinbox_web.model.account import Account
from soinbox_web.model.message import MessageKey
from soinbox_web.problems import CertificateError
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.runtime import Runtime, build
from soinbox_web.services import acting, sync
from soinbox_web.store import actions, folders
from tests.real.accounts import add_account
from tests.servers.dovecot import HOST
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.mailbox import RealMailbox
from tests.trust import faults, verifier
from tests.trust.scene import Scene, allow, hurry, letter, named, scene, work

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
DEADLINE = 0.5
STALLS: dict[str, Fault] = {
    "CAPABILITY": Fault(silent_at=b" CAPABILITY"),
    "LOGIN": Fault(silent_at=b" LOGIN ", replace=(b"AUTH=PLAIN", b"AUTH=OTHER")),
    "AUTHENTICATE": Fault(silent_at=b" AUTHENTICATE "),
    "LIST": Fault(silent_at=b" LIST "),
    "EXAMINE": Fault(silent_at=b" EXAMINE "),
    "FETCH of envelopes": Fault(silent_at=b"BODYSTRUCTURE"),
    "FETCH of bodies": Fault(silent_at=b"BODY.PEEK[])"),
    "SEARCH": Fault(silent_at=b" UID SEARCH "),
    "STORE": Fault(silent_at=b" UID STORE "),
    "COPY": Fault(silent_at=b" UID COPY "),
    "MOVE": Fault(silent_at=b" UID MOVE "),
    "APPEND, before the message": Fault(silent_at=b" APPEND "),
    "APPEND, after the message": Fault(silent_at=b"Subject: Verzonden"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("gaps")) as one:
        yield one


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command has half a second."""
    allow(monkeypatch, Timeouts(command=DEADLINE))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("command", STALLS)
def test_silence_at_a_command_ends_at_its_deadline(made: Scene, command: str) -> None:
    proxy = FaultProxy(
        ("127.0.0.1", made.server.imaps_port),
        certificate=made.authority.issue(HOST),
        upstream=made.server.client_context,
    )
    ended = []

    def meet(runtime: Runtime, account: Account) -> None:
        faults.through(runtime, account, proxy.port)
        proxy.fault = STALLS[command]
        try:
            work(runtime, account.id)
        finally:
            ended.append(time.monotonic())

    def mend(_: Runtime) -> None:
        proxy.fault = None

    with proxy:
        verdict = faults.run(made, command, meet, mend)
    assert verdict.wrong == []
    assert verdict.code == "timeout"
    assert proxy.silent_since is not None, "the command was never said"
    assert ended[0] - proxy.silent_since < 2 * DEADLINE


@dataclasses.dataclass
class Small:
    """A mailbox of one's own on the scene's server, and its account in an instance of its own."""

    made: Scene
    runtime: Runtime
    account: Account

    @property
    def address(self) -> str:
        return self.account.address

    def act(self, kind: actions.Kind, uid: int = 0, content: bytes = b"", **arguments: object) -> int:
        """Plan an action on a message of INBOX; its id."""
        with self.runtime.mailbox(self.account.id, self.account.generation).read() as reading:
            inbox = folders.by_name(reading, "INBOX")
        assert inbox is not None
        key = MessageKey(self.account.id, "INBOX" if uid else "", inbox.uidvalidity if uid else 0, uid)
        with self.runtime.db.write() as writing:
            return actions.add(
                writing, self.account.user_id, kind, key, self.runtime.clock.now(),
                arguments=arguments, content=content or None,
            )  # fmt: skip

    def states(self) -> dict[int, tuple[str, str, int]]:
        """State, code of the problem and attempts, by action."""
        with self.runtime.db.read() as reading:
            rows = reading.execute("SELECT id, state, problem, attempts FROM actions").fetchall()
        return {
            row["id"]: (row["state"], json.loads(row["problem"] or "{}").get("code", ""), row["attempts"])
            for row in rows
        }


Open = Callable[..., Small]


@pytest.fixture
def small(made: Scene, tmp_path: Path) -> Iterator[Open]:
    runtime = build(dataclasses.replace(made.settings, instance=tmp_path / "small"), SystemClock())

    def opened(address: str, *letters: bytes, quota_kb: int | None = None) -> Small:
        made.server.add_user(address, "lampje", quota_kb=quota_kb)
        for name in ("Archive", "Sent", "Trash", "Drafts"):
            made.server.create_folder(address, name)
        for each in letters:
            made.server.deliver(address, each)
        account = add_account(runtime, RealMailbox(address, "lampje", made.server, None))  # type: ignore[arg-type]
        sync.sync_once(runtime, account.id)
        return Small(made, runtime, account)

    yield opened
    runtime.close()


def test_a_full_mailbox_refuses_once_and_holds_nothing_up(small: Open) -> None:
    large = letter(1) + b"x" * 78 * 400
    one = small("vol@noordlicht.example", letter(0), large, quota_kb=40)
    sent = b"Message-ID: <large@soinbox.example>\r\n\r\n" + (b"y" * 76 + b"\r\n") * 400
    short = b"Message-ID: <short@soinbox.example>\r\n\r\nHallo\r\n"
    refused = [
        one.act("append", content=sent, flags=["\\Seen"], message_id="<large@soinbox.example>"),
        one.act("copy", 2, folder="Archive"),
    ]
    fine = [
        one.act("copy", 1, folder="Archive"),
        one.act("append", content=short, flags=["\\Seen"], message_id="<short@soinbox.example>"),
        one.act("flag", 2, add=["\\Flagged"], remove=[]),
        one.act("move", 1, folder="Trash"),
    ]

    sync.sync_once(one.runtime, one.account.id, push=acting.push)
    first = one.states()

    assert {first[each][:2] for each in refused} == {("failed", "over_quota")}
    assert {first[each][:2] for each in fine} == {("done", "")}

    hurry(one.runtime)
    sync.sync_once(one.runtime, one.account.id, push=acting.push)

    assert one.states() == first
    assert verifier.differences(one.runtime, one.account, one.made.server) == []
    assert verifier.message_ids(one.made.server, one.address) == {
        ("INBOX", "<1@klant.example>"): 1,
        ("Trash", "<0@klant.example>"): 1,
        ("Archive", "<0@klant.example>"): 1,
        ("Sent", "<short@soinbox.example>"): 1,
    }


@pytest.mark.parametrize("code", [b"LIMIT", b"INUSE", b"UNAVAILABLE"])
def test_a_refusal_of_append_that_passes(small: Open, code: bytes) -> None:
    """The message is added later, and once: this server has even taken it in spite of what it says."""
    one = small(f"{code.decode().lower()}@noordlicht.example", letter(0))
    sent = b"Message-ID: <sent@soinbox.example>\r\n\r\nHallo\r\n"
    with FaultProxy(
        ("127.0.0.1", one.made.server.imaps_port),
        certificate=one.made.authority.issue(HOST),
        upstream=one.made.server.client_context,
    ) as proxy:
        faults.through(one.runtime, one.account, proxy.port)
        action = one.act("append", content=sent, flags=["\\Seen"], message_id="<sent@soinbox.example>")
        other = one.act("flag", 1, add=["\\Flagged"], remove=[])
        proxy.fault = Fault(replace=(b"OK [APPENDUID", b"NO [" + code + b"] Not now [APPENDUID"))
        sync.sync_once(one.runtime, one.account.id, push=acting.push)
        assert one.states() == {action: ("open", "", 1), other: ("done", "", 1)}
        with one.runtime.db.read() as reading:
            assert actions.due(reading, one.account.id, one.runtime.clock.now()) == []
        proxy.fault = None
        hurry(one.runtime)
        sync.sync_once(one.runtime, one.account.id, push=acting.push)
    assert one.states()[action] == ("done", "", 2)
    assert verifier.message_ids(one.made.server, one.address) == {
        ("INBOX", named(0)): 1,
        ("Sent", "<sent@soinbox.example>"): 1,
    }


def test_what_waits_to_be_tried_again_is_not_overtaken_by_the_same_message(small: Open) -> None:
    one = small("volgorde@noordlicht.example", letter(0), letter(1))
    with FaultProxy(
        ("127.0.0.1", one.made.server.imaps_port),
        certificate=one.made.authority.issue(HOST),
        upstream=one.made.server.client_context,
    ) as proxy:
        faults.through(one.runtime, one.account, proxy.port)
        read = one.act("flag", 1, add=["\\Seen"], remove=[])
        proxy.fault = Fault(replace=(b"OK Store", b"NO [INUSE] Store"))
        sync.sync_once(one.runtime, one.account.id, push=acting.push)
        proxy.fault = None
        unread = one.act("flag", 1, add=[], remove=["\\Seen"])
        other = one.act("flag", 2, add=["\\Flagged"], remove=[])
        sync.sync_once(one.runtime, one.account.id, push=acting.push)
        assert [one.states()[each][0] for each in (read, unread, other)] == ["open", "open", "done"]
        with one.runtime.db.read() as reading:
            due = actions.next_due(reading, one.account.id)
        assert due is not None and due > timestamp(one.runtime.clock.now())
        for _ in range(2):
            hurry(one.runtime)
            sync.sync_once(one.runtime, one.account.id, push=acting.push)
    assert {state for state, *_ in one.states().values()} == {"done"}
    with one.made.server.signed_in(one.address) as client:
        client.select("INBOX", readonly=True)
        told = client.uid("FETCH", "1", "(FLAGS)")[1]
    assert b"\\Seen" not in bytes(told[0])


def test_another_certificate_between_two_synchronisations(small: Open) -> None:
    one = small("cert@noordlicht.example", letter(0))
    server = one.made.server
    try:
        Authority().issue(HOST, "127.0.0.1").write(server.folder, "server")
        server.restart()
        said = len(server.log())
        with pytest.raises(CertificateError) as caught:
            sync.sync_once(one.runtime, one.account.id)
        assert caught.value.problem.code.startswith("cert_")
        assert one.address not in server.log()[said:]
        assert "Login:" not in server.log()[said:]
    finally:
        one.made.authority.issue(HOST, "127.0.0.1").write(server.folder, "server")
        server.restart()
    server.deliver(one.address, letter(1))
    sync.sync_once(one.runtime, one.account.id)
    assert verifier.differences(one.runtime, one.account, server) == []
