"""Handing over a message: what is known of its fate after every fault (trust.md, "Sending once")."""

import dataclasses
import time
from collections.abc import Callable, Iterator

import pytest

from soinbox_web.mail.net.network import Network
from soinbox_web.mail.smtp.submission import SmtpConnection
from soinbox_web.model.server import Protocol
from soinbox_web.model.submission import SubmissionResult
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from tests.mail.conftest import ADDRESS, QUICK, SECRET, Bench
from tests.servers.postbox import ENDS, Postbox

BERT, CORA = "bert@example.com", "cora@example.com"
MESSAGE = b"From: anna\r\nSubject: hello\r\n\r\n" + b"a line\r\n" * 5


@pytest.fixture
def server(make_bench: Callable[[Protocol], Bench]) -> Iterator[ScriptedSmtp]:
    server = make_bench("smtp").serve()
    assert isinstance(server, ScriptedSmtp)
    yield server


@pytest.fixture
def send(server: ScriptedSmtp, network: Network, make_bench: Callable[[Protocol], Bench]) -> "Send":
    return Send(server, network, make_bench("smtp"))


@dataclasses.dataclass
class Send:
    """Sends on a new connection; `dots` counts how often the phase before the dot was written down."""

    server: ScriptedSmtp
    network: Network
    bench: Bench
    dots: int = 0

    def __call__(self, *recipients: str, data: bytes = MESSAGE, sender: str = ADDRESS) -> SubmissionResult:
        with SmtpConnection.connect(
            self.bench.login(self.server.port), self.network, timeouts=QUICK
        ) as connection:
            connection.sign_in(SECRET)
            return connection.submit(sender, recipients or (BERT,), data, before_dot=self._count)

    def _count(self, _: object) -> None:
        self.dots += 1

    def behave(self, **changes: object) -> None:
        self.server.behaviour = dataclasses.replace(self.server.behaviour, **changes)  # type: ignore[arg-type]


def test_sent(send: Send) -> None:
    result = send(BERT, CORA)
    assert result.state == "sent" and result.problem is None and send.dots == 1
    assert {r.address: r.state for r in result.recipients} == {BERT: "sent", CORA: "sent"}
    assert "queued" in result.recipients[0].line
    assert [m.data for m in send.server.messages] == [MESSAGE]
    assert send.server.messages[0].sender == ADDRESS


@pytest.mark.parametrize("moment", ["MAIL", "RCPT", "DATA", "BODY"])
def test_cut_before_the_dot_is_surely_not_sent(send: Send, moment: str) -> None:
    send.behave(close_at=moment)
    result = send(data=MESSAGE + b"x" * 3_000_000)
    assert result.state == "failed" and result.problem and result.problem.retry == "later"
    assert send.server.messages == []


def test_cut_after_the_dot_is_uncertain(send: Send) -> None:
    for reset in (False, True):
        send.behave(close_at="DOT", reset=reset)
        result = send()
        assert result.state == "uncertain" and send.dots
        assert result.problem and (result.problem.code, result.problem.retry) == ("send_uncertain", "never")
        assert [r.state for r in result.recipients] == ["uncertain"]


def test_an_answer_that_never_comes_is_uncertain(send: Send) -> None:
    send.behave(stall_at="DOT")
    assert send().state == "uncertain"


def test_an_answer_that_is_none_is_uncertain(send: Send) -> None:
    send.behave(answers={"DOT": b"what?"})
    assert send().state == "uncertain"


@pytest.mark.parametrize(
    ("words", "code", "retry"),
    [
        (b"554 5.7.1 Message looks like spam", "message_refused", "after_change"),
        (b"552 5.3.4 Message too big for system", "message_too_big", "after_change"),
        (
            b"554 5.2.252 SendAsDenied; anna not allowed to send as bert",
            "smtp_sender_refused",
            "after_change",
        ),
        (b"451 4.3.0 Temporary lookup failure", "server_unavailable", "later"),
        (b"452 4.2.2 Over quota", "over_quota", "later"),
    ],
)
def test_refused_after_the_dot(send: Send, words: bytes, code: str, retry: str) -> None:
    send.behave(answers={"DOT": words})
    result = send()
    assert result.state == "failed" and result.problem
    assert (result.problem.code, result.problem.retry) == (code, retry)
    assert result.problem.evidence == words.decode()
    assert send.server.messages == []


def test_one_recipient_refused_is_told(send: Send) -> None:
    send.behave(recipients={CORA: b"550 5.1.1 No such user"})
    result = send(BERT, CORA)
    assert result.state == "sent" and result.problem and result.problem.code == "recipient_refused"
    assert result.problem.facts["recipient"] == CORA
    assert {r.address: r.state for r in result.recipients} == {BERT: "sent", CORA: "refused"}
    assert "No such user" in result.recipients[1].line


def test_one_recipient_delayed_is_to_be_tried_alone(send: Send) -> None:
    send.behave(recipients={CORA: b"450 4.2.1 Mailbox busy"})
    result = send(BERT, CORA)
    assert result.state == "sent" and result.problem and result.problem.retry == "later"
    assert {r.address: r.state for r in result.recipients} == {BERT: "sent", CORA: "delayed"}


def test_nobody_left(send: Send) -> None:
    send.behave(recipients={BERT: b"550 5.1.1 No such user", CORA: b"451 4.7.1 Greylisted"})
    result = send(BERT, CORA)
    assert result.state == "failed" and send.dots == 0 and "DATA" not in send.server.commands
    assert {r.address: r.state for r in result.recipients} == {BERT: "refused", CORA: "delayed"}


@pytest.mark.parametrize(
    "words", [b"550 5.7.1 Not your address", b"553 5.7.1 Sender address rejected: not owned by user anna"]
)
def test_sender_refused(send: Send, words: bytes) -> None:
    send.behave(answers={"MAIL": words})
    result = send()
    assert result.state == "failed" and result.problem
    assert result.problem.code == "smtp_sender_refused" and result.problem.facts["address"] == ADDRESS


def test_relay(send: Send) -> None:
    send.behave(recipients={BERT: b"554 5.7.1 <bert@example.com>: Relay access denied"})
    result = send()
    assert result.problem and result.problem.code == "smtp_relay_only"


def test_size_is_honoured_before_anything_is_sent(send: Send) -> None:
    send.behave(extensions=("SIZE 100", "AUTH PLAIN"))
    result = send(data=b"x" * 200)
    assert result.problem and result.problem.code == "message_too_big"
    assert result.problem.facts["limit"] and "MAIL" not in send.server.commands


def test_eight_bits(send: Send) -> None:
    text = MESSAGE + "grüße\r\n".encode()
    assert send(data=text).state == "sent"
    send.behave(extensions=("AUTH PLAIN",))
    assert send(data=text).state == "failed"
    assert send(data=MESSAGE).state == "sent"


def test_letters_beyond_ascii_in_an_address(send: Send) -> None:
    umlaut = "jörg@bücher.example"
    assert send(umlaut).state == "sent"
    assert send.server.messages[-1].recipients == (umlaut,)
    assert send("info@bücher.example").state == "sent"
    assert send.server.messages[-1].recipients == ("info@xn--bcher-kva.example",)
    send.behave(extensions=("AUTH PLAIN",))
    result = send(umlaut)
    assert result.state == "failed" and result.problem and result.problem.code == "address_not_supported"


def test_the_phase_is_written_before_the_dot_and_not_after_a_refusal(send: Send) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("disk full")

    with SmtpConnection.connect(
        send.bench.login(send.server.port), send.network, timeouts=QUICK
    ) as connection:
        connection.sign_in(SECRET)
        with pytest.raises(RuntimeError):
            connection.submit(ADDRESS, [BERT], MESSAGE, before_dot=broken)
    assert send.server.messages == []


@pytest.mark.parametrize(
    ("early", "code"), [(b"", "server_unavailable"), (b"552 5.3.4 Too big", "message_too_big")]
)
def test_what_ended_before_the_dot_left_was_surely_not_sent(send: Send, early: bytes, code: str) -> None:
    def slow(_: object) -> None:
        time.sleep(0.3)

    send.behave(close_at="BODY")
    with Postbox(send.server.behaviour) as server:
        server.early = early
        with SmtpConnection.connect(
            send.bench.login(server.port), send.network, timeouts=QUICK
        ) as connection:
            connection.sign_in(SECRET)
            result = connection.submit(ADDRESS, [BERT], MESSAGE * 3, before_dot=slow)
    assert result.state == "failed" and result.problem and result.problem.code == code
    assert server.messages == []


@pytest.mark.parametrize("end", ENDS)
def test_a_second_message_cannot_be_smuggled(send: Send, end: bytes) -> None:
    data = MESSAGE + b"text" + end + b"MAIL FROM:<x@y>" + end + b"RCPT TO:<z@y>" + end + b"DATA" + end
    assert send(data=data).state == "sent"
    assert len(send.server.messages) == 1 and send.server.commands.count("MAIL") == 1
    received = send.server.messages[0].data
    assert b"\r" not in received.replace(b"\r\n", b"") and b"\n" not in received.replace(b"\r\n", b"")


def test_dots_at_the_beginning_of_a_line_survive(send: Send) -> None:
    data = MESSAGE + b".\r\n..\r\n.a\r\n"
    assert send(data=data).state == "sent"
    assert send.server.messages[0].data == data


@pytest.mark.parametrize("bad", ["a@b.c>\r\nRCPT TO:<x@y.z", "a@b.c\n", "a\0@b.c"])
def test_line_breaks_in_addresses(send: Send, bad: str) -> None:
    for sender, recipient in ((bad, BERT), (ADDRESS, bad)):
        result = send(recipient, sender=sender)
        assert result.state == "failed" and result.problem and result.problem.code == "control_character"
    assert send.server.messages == []


def test_a_space_or_bracket_in_an_address(send: Send) -> None:
    assert send("a b@c.example").problem is not None
    assert send("a>@c.example").problem is not None
    assert send.server.messages == []


def test_replies_without_end_are_capped(send: Send) -> None:
    send.behave(answers={"MAIL": b"\r\n".join([b"250-more"] * 5000)})
    result = send()
    assert result.state == "failed" and result.problem and result.problem.code == "protocol_broken"
