"""Sending once: every fault of trust.md section 4 at the first try, on a real socket."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.model.message import MessageKey
from soinbox_web.model.server import Login
from soinbox_web.problems import AccessError, InputError, SendError
from soinbox_web.rehearsal.behaviour import SmtpBehaviour
from soinbox_web.rehearsal.certificates import Authority
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from soinbox_web.runtime import Runtime, build
from soinbox_web.services import composing, message_content, people, sending
from soinbox_web.services.composing import Typed
from soinbox_web.store import actions, outbox, requests
from soinbox_web.store.outbox import OutboxRow
from soinbox_web.texts import translator
from tests import seed
from tests.clock import HandClock

Start = Callable[..., ScriptedSmtp]


@pytest.fixture
def server(ca: Authority) -> Iterator[Start]:
    """`server(close_at="DOT", …)`: a submission server that behaves as told."""
    running: list[ScriptedSmtp] = []

    def start(**behaviour: Any) -> ScriptedSmtp:
        one = ScriptedSmtp(SmtpBehaviour(tls="implicit", certificate=ca.issue("127.0.0.1"), **behaviour))
        running.append(one)
        return one.__enter__()

    yield start
    for one in running:
        one.__exit__(None, None, None)


def account_on(runtime: Runtime, member: Member, server: ScriptedSmtp) -> Account:
    return seed.account(runtime, member, smtp=Login("127.0.0.1", server.port, "ssl", member.address))


def written(runtime: Runtime, account: Account, **typed: str) -> int:
    draft_id = composing.start(runtime, account.user_id, account.id, "new")
    fields = {"to": "bram@klant.example", "subject": "Vraag", "body": "Hoi"} | typed
    composing.save(runtime, account.user_id, draft_id, Typed(account.id, **fields))
    return draft_id


def sent(runtime: Runtime, account: Account, **typed: str) -> int:
    return sending.queue(runtime, account.user_id, written(runtime, account, **typed))


def row(runtime: Runtime, outbox_id: int) -> OutboxRow:
    with runtime.db.read() as connection:
        found = outbox.of(connection, outbox_id)
    assert found is not None
    return found


def appends(runtime: Runtime, account: Account) -> list[actions.Action]:
    with runtime.db.read() as connection:
        later = runtime.clock.now().replace(year=2030)
        return [a for a in actions.due(connection, account.id, later) if a.kind == "append"]


def test_a_mail_goes_out_once_with_one_copy(runtime: Runtime, member: Member, server: Start) -> None:
    smtp = server()
    account = account_on(runtime, member, smtp)
    outbox_id = sent(runtime, account, bcc="stil@klant.example")
    assert row(runtime, outbox_id).state == "held"
    result = sending.deliver(runtime, outbox_id)
    assert result is not None and result.state == "sent"
    assert sending.deliver(runtime, outbox_id) is None
    (message,) = smtp.messages
    assert message.recipients == ("bram@klant.example", "stil@klant.example")
    assert b"bcc" not in message.data.lower() and b"stil@" not in message.data
    (copy,) = appends(runtime, account)
    with runtime.db.read() as connection:
        assert b"Bcc: stil@klant.example" in actions.content(connection, copy.id)
    assert copy.arguments["look_first"] is True
    assert row(runtime, outbox_id).state == "sent"
    with pytest.raises(AccessError):
        composing.read(runtime, member.id, row(runtime, outbox_id).draft_id or 0)


def test_no_transaction_is_open_while_the_network_is_used(
    runtime: Runtime, member: Member, server: Start
) -> None:
    smtp = server(delays={"MAIL": 0.3, "DOT": 0.3})
    account = account_on(runtime, member, smtp)
    outbox_id = sent(runtime, account)
    runtime.db.longest_write = 0.0
    sending.deliver(runtime, outbox_id)
    assert runtime.db.longest_write < 0.25


@pytest.mark.parametrize(
    ("behaviour", "state", "copies"),
    [
        ({"close_at": "DOT"}, "uncertain", 1),
        ({"answers": {"DOT": b"554 5.7.1 no"}, "close_at": "DOT"}, "uncertain", 0),
        ({"answers": {"DOT": b"554 5.7.1 spam"}}, "failed", 0),
        ({"answers": {"MAIL": b"550 5.7.1 no"}}, "failed", 0),
        ({"answers": {"RCPT": b"550 5.1.1 unknown"}}, "failed", 0),
        ({"answers": {"RCPT": b"450 4.2.0 greylisted"}}, "held", 0),
        ({"answers": {"DATA": b"451 4.3.0 later"}}, "held", 0),
        ({"close_at": "DATA"}, "held", 0),
        ({"close_at": "BODY"}, "held or uncertain", 0),  # as much as the buffers took
        ({"close_at": "GREETING"}, "held", 0),
        ({"answers": {"DOT": b"451 4.3.0 later"}}, "held", 0),
        ({"passwords": {}}, "failed", 0),
    ],
)
def test_faults_at_the_first_try(
    runtime: Runtime, member: Member, server: Start, behaviour: dict[str, Any], state: str, copies: int
) -> None:
    smtp = server(**behaviour)
    account = account_on(runtime, member, smtp)
    outbox_id = sent(runtime, account, body="een regel van de brief\n" * 10)
    sending.deliver(runtime, outbox_id)
    found = row(runtime, outbox_id)
    assert found.state in state, found.problem
    assert found.problem is not None
    assert len(smtp.messages) == copies
    assert appends(runtime, account) == []
    sending.recover(runtime, at_once=True)
    if found.state in ("uncertain", "failed"):
        assert sending.deliver(runtime, outbox_id) is None
        assert len(smtp.messages) == copies


def test_uncertain_mail_found_in_sent_is_sent(runtime: Runtime, member: Member, server: Start) -> None:
    account = account_on(runtime, member, server(close_at="DOT"))
    outbox_id, other = sent(runtime, account), sent(runtime, account)
    for each in (outbox_id, other):
        sending.deliver(runtime, each)
    with runtime.db.read() as connection:
        asked = requests.open_of(connection, account.id)
    assert [(each.kind, each.subject) for each in asked] == [("open_folder", "Sent")]
    assert sending.is_looking(runtime, row(runtime, outbox_id))
    copy = f"From: a@x.example\r\nMessage-ID: {row(runtime, outbox_id).message_id}\r\n\r\nHoi".encode()
    seed.deliver(runtime, account, [copy])  # in the inbox it proves nothing: it may have been forged
    assert sending.settle_found(runtime) == 0
    seed.deliver(runtime, account, [copy], folder="Sent")
    assert sending.settle_found(runtime) == 1
    assert row(runtime, outbox_id).state == "sent" and row(runtime, outbox_id).problem is None
    assert [each.state for each in row(runtime, outbox_id).recipients] == ["sent"]
    assert row(runtime, other).state == "uncertain"
    assert appends(runtime, account) == []  # the copy that is there stays the only one


def test_a_retry_is_due_later_and_then_sent(
    runtime: Runtime, member: Member, server: Start, clock: HandClock
) -> None:
    smtp = server(answers={"MAIL": b"451 4.3.0 busy"})
    account = account_on(runtime, member, smtp)
    outbox_id = sent(runtime, account)
    clock.turn(seconds=14)
    sending.deliver(runtime, outbox_id)
    with runtime.db.read() as connection:
        assert outbox.due(connection, clock.now()) == []
        clock.turn(seconds=61)
        assert [each.id for each in outbox.due(connection, clock.now())] == [outbox_id]
    clock.turn(days=3)
    sending.deliver(runtime, outbox_id)
    assert row(runtime, outbox_id).state == "failed"  # two days are enough


def test_one_refused_is_told_and_one_delayed_is_tried_alone(
    runtime: Runtime, member: Member, server: Start
) -> None:
    answers = {"weg@klant.example": b"550 5.1.1 unknown", "vol@klant.example": b"450 4.2.2 full"}
    smtp = server(recipients=answers)
    account = account_on(runtime, member, smtp)
    outbox_id = sent(runtime, account, to="bram@klant.example, weg@klant.example, vol@klant.example")
    sending.deliver(runtime, outbox_id)
    found = row(runtime, outbox_id)
    assert {r.address.partition("@")[0]: r.state for r in found.recipients} == {
        "bram": "sent", "weg": "refused", "vol": "delayed",
    }  # fmt: skip
    assert found.state == "held" and found.waiting == ("vol@klant.example",)
    assert len(appends(runtime, account)) == 1
    smtp.behaviour = SmtpBehaviour(tls="implicit", certificate=smtp.behaviour.certificate)
    sending.deliver(runtime, outbox_id)
    assert [message.recipients for message in smtp.messages] == [
        ("bram@klant.example",), ("vol@klant.example",),
    ]  # fmt: skip
    assert row(runtime, outbox_id).state == "sent"
    assert "5.1.1" in next(r.line for r in row(runtime, outbox_id).recipients if r.state == "refused")
    assert len(appends(runtime, account)) == 1


@pytest.mark.parametrize(
    ("phase", "state"), [("queued", "held"), ("connected", "held"), ("dot", "uncertain")]
)
def test_a_worker_died(
    runtime: Runtime, member: Member, server: Start, phase: outbox.Phase, state: str
) -> None:
    account = account_on(runtime, member, server())
    outbox_id = sent(runtime, account)
    with runtime.db.write() as connection:
        outbox.claim(connection, outbox_id, "dead", runtime.clock.now())
        assert outbox.reach(connection, outbox_id, 1, phase, [outbox.Recipient("bram@klant.example")])
    sending.recover(runtime, at_once=True)
    assert row(runtime, outbox_id).state == state


@pytest.mark.parametrize("moment", ["DATA", "DOT"])
def test_what_is_being_sent_is_not_taken_for_a_dead_senders(
    runtime: Runtime, member: Member, server: Start, moment: str
) -> None:
    smtp = server(delays={moment: 1.0})
    account = account_on(runtime, member, smtp)
    raw = seed.letter(sender=member.address, to="bram@klant.example")
    reports: list[dict[str, Any]] = []
    command = threading.Thread(  # `soinbox send`
        target=lambda: reports.append(sending.send_file(runtime, account, raw, translator("en")))
    )
    command.start()
    while moment not in smtp.commands and (moment != "DOT" or not smtp.messages):
        pass
    starting = build(runtime.settings, runtime.clock)  # a mailroom that starts at this moment
    try:
        sending.recover(starting, at_once=True)
        assert [each.state for each in sending.everything(starting, member.id)] == ["sending"]
    finally:
        starting.close()
    command.join()
    assert [report["state"] for report in reports] == ["sent"] and len(smtp.messages) == 1


def test_who_was_refused_or_delayed_stays_so_when_the_rest_turns_out_to_be_sent(
    runtime: Runtime, member: Member, server: Start
) -> None:
    answers = {"weg@klant.example": b"550 5.1.1 unknown", "vol@klant.example": b"450 4.2.2 full"}
    smtp = server(recipients=answers, close_at="DOT")
    account = account_on(runtime, member, smtp)
    outbox_id = sent(runtime, account, to="bram@klant.example, weg@klant.example, vol@klant.example")
    sending.deliver(runtime, outbox_id)
    assert [each.state for each in row(runtime, outbox_id).recipients] == ["uncertain", "refused", "delayed"]
    copy = f"From: a@x.example\r\nMessage-ID: {row(runtime, outbox_id).message_id}\r\n\r\nHoi".encode()
    seed.deliver(runtime, account, [copy], folder="Sent")
    assert sending.settle_found(runtime) == 1
    found = row(runtime, outbox_id)
    assert [each.state for each in found.recipients] == ["sent", "refused", "delayed"]
    assert found.state == "held" and found.waiting == ("vol@klant.example",)
    smtp.behaviour = SmtpBehaviour(tls="implicit", certificate=smtp.behaviour.certificate)
    sending.deliver(runtime, outbox_id)
    assert row(runtime, outbox_id).state == "sent" and appends(runtime, account) == []
    assert smtp.messages[-1].recipients == ("vol@klant.example",)


def test_nobody_is_forgotten_who_was_delayed_for_too_long(
    runtime: Runtime, member: Member, server: Start, clock: HandClock
) -> None:
    smtp = server(recipients={"vol@klant.example": b"450 4.2.2 full"})
    account = account_on(runtime, member, smtp)
    outbox_id = sent(runtime, account, to="bram@klant.example, vol@klant.example")
    sending.deliver(runtime, outbox_id)
    with pytest.raises(SendError):  # Bram has it: it cannot be taken back any more
        sending.undo(runtime, member.id, outbox_id)
    clock.turn(days=3)
    sending.deliver(runtime, outbox_id)
    found = row(runtime, outbox_id)
    assert found.state == "failed" and found.waiting == ("vol@klant.example",)
    smtp.behaviour = SmtpBehaviour(tls="implicit", certificate=smtp.behaviour.certificate)
    sending.again(runtime, member.id, outbox_id)
    sending.deliver(runtime, outbox_id)
    assert row(runtime, outbox_id).state == "sent"
    assert [message.recipients for message in smtp.messages] == [
        ("bram@klant.example",), ("vol@klant.example",),
    ]  # fmt: skip


def test_a_row_that_was_taken_away_is_not_sent(runtime: Runtime, member: Member, server: Start) -> None:
    smtp = server(delays={"DATA": 0.5})
    account = account_on(runtime, member, smtp)
    outbox_id = sent(runtime, account)
    slow = threading.Thread(target=sending.deliver, args=(runtime, outbox_id))
    slow.start()
    while row(runtime, outbox_id).phase != "connected":
        pass
    now = runtime.clock.now()
    with runtime.db.write() as connection:  # whoever it was that took it
        outbox.hold(connection, outbox_id, row(runtime, outbox_id).recipients, now, now)
        outbox.claim(connection, outbox_id, "another", now)
        outbox.hold(connection, outbox_id, row(runtime, outbox_id).recipients, now, now)
    slow.join()
    smtp.behaviour = SmtpBehaviour(tls="implicit", certificate=smtp.behaviour.certificate)
    sending.deliver(runtime, outbox_id)
    assert len(smtp.messages) == 1
    assert row(runtime, outbox_id).state == "sent" and len(appends(runtime, account)) == 1


def test_twenty_clicks_are_one_mail(runtime: Runtime, member: Member, server: Start) -> None:
    smtp = server()
    account = account_on(runtime, member, smtp)
    draft_id = written(runtime, account)
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(sending.queue(runtime, member.id, draft_id)))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20 and len(set(found)) == 1
    workers = [threading.Thread(target=sending.deliver, args=(runtime, found[0])) for _ in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(smtp.messages) == 1


def test_undo_returns_the_draft_and_its_next_send_is_another_mail(
    runtime: Runtime, member: Member, server: Start, clock: HandClock
) -> None:
    smtp = server()
    account = account_on(runtime, member, smtp)
    outbox_id = sent(runtime, account)
    assert [held.id for held in sending.undoable(runtime, member.id)] == [outbox_id]
    draft_id = sending.undo(runtime, member.id, outbox_id)
    assert composing.read(runtime, member.id, draft_id).subject == "Vraag"
    assert sending.deliver(runtime, outbox_id) is None
    again = sending.queue(runtime, member.id, draft_id)
    assert again != outbox_id
    sending.deliver(runtime, again)
    assert len(smtp.messages) == 1
    with pytest.raises(SendError):
        sending.undo(runtime, member.id, again)
    clock.turn(seconds=11)
    assert sending.undoable(runtime, member.id) == []


def test_the_first_address_rule_on_every_path(
    runtime: Runtime, member: Member, server: Start, clock: HandClock
) -> None:
    smtp = server()
    account = account_on(runtime, member, smtp)
    draft_id, outbox_id = written(runtime, account), sent(runtime, account)
    card = people.of_user(runtime, member.id)
    people.add_address(runtime, member, card.id, "anna@elders.example")
    second = people.of_user(runtime, member.id).addresses[1]
    people.move_address(runtime, member, card.id, second.id, "first")
    with pytest.raises(SendError) as caught:
        sending.queue(runtime, member.id, draft_id)
    assert caught.value.problem.code == "sender_not_first"
    with pytest.raises(SendError):
        sending.send_file(runtime, account, seed.letter(to="bram@klant.example", sender=member.address), str)
    sending.deliver(runtime, outbox_id)  # queued while it was allowed
    assert row(runtime, outbox_id).state == "failed"
    assert smtp.messages == []


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"to": ""}, "to"),
        ({"to": "geen adres"}, "to"),
        ({"to": "bram@klant.example\r\nBcc: x"}, "to"),
        ({"to": "Bram\r\nBcc: spion@x.example <bram@klant.example>"}, "to"),
        ({"cc": "kwijt@"}, "cc"),
        ({"bcc": "<>"}, "bcc"),
        ({"subject": "Hoi\r\nBcc: spion@x.example"}, "subject"),
    ],
)
def test_what_is_typed_wrong_is_told_by_field(
    runtime: Runtime, member: Member, server: Start, typed: dict[str, str], field: str
) -> None:
    account = account_on(runtime, member, server())
    draft_id = written(runtime, account, **typed)
    wrong = sending.check(runtime, member.id, composing.read(runtime, member.id, draft_id))
    assert list(wrong) == [field]
    with pytest.raises(InputError):
        sending.queue(runtime, member.id, draft_id)


def test_smuggling_and_dots_arrive_as_they_were_typed(
    runtime: Runtime, member: Member, server: Start
) -> None:
    smtp = server()
    account = account_on(runtime, member, smtp)
    body = ".\n..\nQUIT\n.\r\nMAIL FROM:<x@x.example>\r.\rlaatste"
    sending.deliver(runtime, sent(runtime, account, body=body))
    (message,) = smtp.messages
    text = message.data.partition(b"\r\n\r\n")[2]
    assert text.replace(b"\r\n", b"\n").rstrip() == body.replace("\r\n", "\n").replace("\r", "\n").encode()


def test_answering_marks_the_source(runtime: Runtime, member: Member, server: Start) -> None:
    account = account_on(runtime, member, server())
    raw = seed.letter()
    (key,) = seed.deliver(runtime, account, [raw])
    source = composing.Source(key, message_content.parsed(raw), raw, "x")
    draft_id = composing.start(runtime, member.id, account.id, "reply", source=source)
    sending.deliver(runtime, sending.queue(runtime, member.id, draft_id))
    with runtime.db.read() as connection:
        (flag,) = actions.open_of(connection, account.id, "INBOX")
    assert (flag.key, flag.arguments["add"]) == (MessageKey(account.id, "INBOX", 7, 1), ["\\Answered"])


def test_no_copy_where_the_provider_files_it(runtime: Runtime, member: Member, server: Start) -> None:
    account = account_on(runtime, member, server())
    with runtime.db.write() as connection:
        connection.execute("UPDATE accounts SET files_sent_copy = 'yes'")
    sending.deliver(runtime, sent(runtime, account))
    assert appends(runtime, account) == []


def test_send_again_only_by_decision(runtime: Runtime, member: Member, server: Start) -> None:
    smtp = server(close_at="DOT")
    account = account_on(runtime, member, smtp)
    outbox_id = sent(runtime, account)
    sending.deliver(runtime, outbox_id)
    smtp.behaviour = SmtpBehaviour(tls="implicit", certificate=smtp.behaviour.certificate)
    sending.again(runtime, member.id, outbox_id)
    sending.deliver(runtime, outbox_id)
    assert row(runtime, outbox_id).state == "sent" and len(smtp.messages) == 2


def test_others_mail_is_out_of_reach(
    runtime: Runtime, member: Member, colleague: Member, server: Start
) -> None:
    outbox_id = sent(runtime, account_on(runtime, member, server()))
    for act in (sending.undo, sending.again, sending.give_up):
        with pytest.raises(AccessError):
            act(runtime, colleague.id, outbox_id)


def test_a_file_is_sent_without_its_bcc(runtime: Runtime, member: Member, server: Start) -> None:
    smtp = server()
    account = account_on(runtime, member, smtp)
    raw = seed.letter(
        sender=member.address,
        to="bram@klant.example",
        more="Bcc: een@klant.example,\r\n twee@klant.example\r\n",
    )
    report = sending.send_file(runtime, account, raw.replace(b"\r\n", b"\n"), translator("en"))
    assert report["state"] == "sent" and report["problem"] is None
    assert [each["state"] for each in report["recipients"]] == ["sent"] * 3
    assert b"een@" not in smtp.messages[0].data and b"twee@" not in smtp.messages[0].data


@pytest.mark.parametrize("name", ["Bcc ", "bCC\t", "Resent-Bcc"])
def test_a_bcc_in_a_file_is_hidden_however_it_is_spelled(
    runtime: Runtime, member: Member, server: Start, name: str
) -> None:
    smtp = server()
    account = account_on(runtime, member, smtp)
    raw = seed.letter(sender=member.address, to="bram@klant.example", more=f"{name}: een@klant.example\r\n")
    assert sending.send_file(runtime, account, raw, translator("en"))["state"] == "sent"
    assert b"een@" not in smtp.messages[0].data
