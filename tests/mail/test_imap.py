"""The capped IMAP connection: whatever a server sends, it ends in time, in bounds, and marks no mail."""

import imaplib
import time
from collections.abc import Callable, Iterator

import imap_tools
import pytest

from soinbox_web.mail.imap.client import ImapAbort
from soinbox_web.mail.imap.connection import ImapConnection
from soinbox_web.mail.imap.idle import Idle
from soinbox_web.mail.net.network import Network
from soinbox_web.mail.net.wire import Overflow
from soinbox_web.model.server import Protocol
from soinbox_web.problems import InputError, ServerError, SignInError, SoinboxError
from soinbox_web.rehearsal.behaviour import SignIn
from soinbox_web.rehearsal.scripted_imap import ScriptedImap
from tests.mail.conftest import QUICK, SECRET, Bench
from tests.servers.mailbox import RealMailbox


class Opened:
    """A server told how to behave, and a connection signed in to it."""

    def __init__(self, bench: Bench, network: Network) -> None:
        self.bench, self.network = bench, network
        self.connections: list[ImapConnection] = []

    def __call__(self, **behaviour: object) -> ImapConnection:
        server = self.bench.serve(**behaviour)
        assert isinstance(server, ScriptedImap)
        self.server = server
        login = self.bench.login(server.port)
        self.connections.append(ImapConnection.connect(login, self.network, timeouts=QUICK))
        self.connections[-1].sign_in(SECRET)
        return self.connections[-1]


@pytest.fixture
def opened(make_bench: Callable[[Protocol], Bench], network: Network) -> Iterator[Opened]:
    opened = Opened(make_bench("imap"), network)
    yield opened
    for connection in opened.connections:
        connection.close()


def test_imaplibs_limits_are_its_own_again() -> None:
    assert vars(imaplib)["_MAXLINE"] == 1_000_000


def test_a_line_that_never_ends(opened: Opened) -> None:
    connection = opened(untagged={"NOOP": b"* OK " + b"x" * 100_000 + b"\r\n"})
    with pytest.raises(Overflow):
        connection.client.noop()


def test_a_fetch_line_may_be_longer(opened: Opened) -> None:
    connection = opened(untagged={"FETCH": b"* 1 FETCH (FLAGS (" + b"x" * 100_000 + b"))\r\n"})
    connection.open_inbox()
    status, data = connection.client.uid("FETCH", "1", "(FLAGS)")
    assert status == "OK" and len(data[0]) > 100_000


def test_many_messages_may_vanish_while_it_is_listened(opened: Opened) -> None:
    gone = b"* VANISHED " + b",".join(b"%d" % uid for uid in range(1, 30_000, 2)) + b"\r\n"
    assert len(gone) > 80_000
    connection = opened(untagged={"IDLE": gone})
    connection.open_inbox()
    listening = Idle(connection)
    listening.begin()
    assert listening.end()


def test_a_literal_is_not_believed(opened: Opened) -> None:
    connection = opened(untagged={"FETCH": b"* 1 FETCH (BODY[] {4000000000}\r\nabc)\r\n"})
    connection.open_inbox()
    with pytest.raises(Overflow):
        connection.client.uid("FETCH", "1", "(BODY.PEEK[])")


def test_the_limit_of_literals_can_be_lowered(opened: Opened) -> None:
    connection = opened(untagged={"FETCH": b"* 1 FETCH (BODY[] {5}\r\nabcde)\r\n"})
    connection.open_inbox()
    assert connection.client.uid("FETCH", "1", "(BODY.PEEK[])")[1][0][1] == b"abcde"
    connection.client.literal_limit = 4
    with pytest.raises(Overflow):
        connection.client.uid("FETCH", "1", "(BODY.PEEK[])")


def test_a_flood_of_answers(opened: Opened) -> None:
    connection = opened(untagged={"NOOP": (b"* OK " + b"x" * 60_000 + b"\r\n") * 1_000})
    with pytest.raises(Overflow):
        connection.client.noop()


def test_a_deadline_for_each_command(opened: Opened) -> None:
    connection = opened(stall_at="NOOP")
    connection.client.command_seconds = 0.3
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        connection.client.noop()
    assert time.monotonic() - begin < 0.6


def test_what_was_answered_before_is_not_an_answer_now(opened: Opened) -> None:
    connection = opened(untagged={"NOOP": b"* 7 FETCH (UID 666 FLAGS ())\r\n", "FETCH": b""})
    connection.open_inbox()
    connection.client.noop()
    assert connection.client.uid("FETCH", "1", "(FLAGS)") == ("OK", [None])


@pytest.mark.parametrize("field", ["a\r\nb", "a\nb", "a\0b"])
def test_line_breaks_never_reach_the_line(opened: Opened, field: str) -> None:
    connection = opened()
    connection.open_inbox()
    acts: list[Callable[[], object]] = [
        lambda: connection.mailbox.folder.set(field.encode()),
        lambda: connection.mailbox.folder.create(field.encode()),
        lambda: connection.mailbox.uids(f'SUBJECT "{field}"'),
        lambda: connection.mailbox.copy(["1"], field.encode()),
        lambda: connection.client.uid("FETCH", "1", field),
    ]
    for act in acts:
        count = len(opened.server.commands)
        with pytest.raises((InputError, imap_tools.ImapToolsError)):
            act()
        assert len(opened.server.commands) == count


def test_the_connection_goes_on_after_a_refused_argument(opened: Opened) -> None:
    connection = opened()
    with pytest.raises(InputError):
        connection.client.create("a\r\nb")
    assert connection.client.noop()[0] == "OK"


def test_mail_is_never_marked_as_read(opened: Opened) -> None:
    connection = opened(untagged={"SEARCH": b"* SEARCH 1\r\n"})
    connection.open_inbox()
    sent: list[bytes] = []
    send = connection.client.wire.send
    connection.client.wire.send = lambda data: (sent.append(data), send(data))[1]  # type: ignore[method-assign]
    list(connection.mailbox.fetch("ALL", mark_seen=True))
    assert any(b"BODY.PEEK[]" in line for line in sent) and not any(b"BODY[]" in line for line in sent)


def test_the_refusal_of_a_later_command_becomes_a_problem(opened: Opened) -> None:
    connection = opened(answers={"CREATE": b"NO [OVERQUOTA] Too many folders"})
    with pytest.raises(imap_tools.ImapToolsError) as caught:
        connection.mailbox.folder.create("Werk")
    error = connection.error(caught.value)
    assert isinstance(error, ServerError)
    assert error.problem.code == "over_quota" and "Too many folders" in error.problem.evidence


def test_a_goodbye_in_the_middle_becomes_a_problem(opened: Opened) -> None:
    connection = opened(untagged={"NOOP": b"* BYE [UNAVAILABLE] maintenance\r\n"})
    with pytest.raises(ImapAbort) as caught:
        connection.client.noop()
    assert connection.error(caught.value).problem.code == "server_unavailable"
    assert "maintenance" in connection.error(caught.value).problem.evidence


def test_evidence_is_kept_in_order(opened: Opened) -> None:
    script = SignIn(
        before=b"* NO [ALERT] Look here\r\n", answer=b"NO [AUTHENTICATIONFAILED] no", after=b"* BYE go\r\n"
    )
    with pytest.raises(SignInError):
        opened(sign_in=script)


def test_id_is_sent_only_where_it_is_known(opened: Opened) -> None:
    opened(capabilities=("IMAP4rev1", "AUTH=PLAIN", "SASL-IR"))
    assert "ID" not in opened.server.commands


def test_logout_never_fails_and_never_hangs(opened: Opened) -> None:
    connection = opened(stall_at="LOGOUT")
    begin = time.monotonic()
    connection.logout()
    connection.logout()
    assert time.monotonic() - begin < 3


def test_a_connection_that_failed_is_closed(opened: Opened) -> None:
    with pytest.raises(SoinboxError):
        opened(greeting=b"* BYE no\r\n")


def test_the_secret_stays_in_no_log_of_imaplib(opened: Opened) -> None:
    connection = opened(capabilities=("IMAP4rev1",))
    assert SECRET not in repr(vars(connection.client)) and SECRET not in repr(connection)


@pytest.mark.real
def test_dovecot(mailbox: RealMailbox, network: Network) -> None:
    """The whole of it against a server that nobody here wrote."""
    login = mailbox.imap_login
    with ImapConnection.connect(login, network) as connection:
        connection.sign_in(mailbox.password)
        assert connection.open_inbox() == 0
        assert "CONDSTORE" in connection.capabilities
        assert "INBOX" in [folder.name for folder in connection.mailbox.folder.list()]
    with ImapConnection.connect(login, network) as connection, pytest.raises(SignInError) as caught:
        connection.sign_in("guess")
    assert caught.value.problem.code == "credentials_wrong"
