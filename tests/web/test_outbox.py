"""Drafts and outbox: states, problems, sending again by decision, nothing of others."""

import pytest

from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.problems import Problem
from soinbox_web.runtime import Runtime
from soinbox_web.services import composing, sending
from soinbox_web.services.composing import Typed
from soinbox_web.store import outbox
from soinbox_web.store.outbox import Recipient
from tests import seed
from tests.client import SoinboxClient
from tests.clock import HandClock


@pytest.fixture
def account(runtime: Runtime, member: Member) -> Account:
    return seed.account(runtime, member)


def mail(runtime: Runtime, account: Account, state: outbox.State, code: str = "") -> int:
    draft_id = composing.start(runtime, account.user_id, account.id, "new")
    composing.save(
        runtime, account.user_id, draft_id, Typed(account.id, "bram@klant.example", subject="Vraag")
    )
    outbox_id = sending.queue(runtime, account.user_id, draft_id)
    if state != "held":
        problem = Problem(code, side="smtp", facts={"host": "mail.klant.example"}) if code else None
        with runtime.db.write() as connection:
            now = runtime.clock.now()
            outbox.claim(connection, outbox_id, "test", now)
            told = [Recipient("bram@klant.example", "refused", "550 5.1.1 <b>weg</b>")]
            outbox.settle(connection, outbox_id, state, told, now, problem)
    return outbox_id


@pytest.mark.parametrize(
    ("state", "code", "words"),
    [
        ("held", "", "About to be sent"),
        ("sent", "", "Sent"),
        ("failed", "message_refused", "The mail server refuses this message"),
        ("uncertain", "send_uncertain", "It is not known whether the message was sent"),
    ],
)
def test_states_and_problems(
    runtime: Runtime,
    account: Account,
    signed_in: SoinboxClient,
    clock: HandClock,
    state: outbox.State,
    code: str,
    words: str,
) -> None:
    mail(runtime, account, state, code)
    if state == "uncertain":
        html = signed_in.get("/outbox").get_data(as_text=True)
        assert "Looking for it in Sent items" in html and "Send again" not in html
        clock.turn(seconds=61)
    html = signed_in.get("/outbox").get_data(as_text=True)
    assert words in html
    assert ("Send again" in html) == (state in ("failed", "uncertain"))
    if state == "failed":
        assert "550 5.1.1 &lt;b&gt;weg" in html


def test_send_again(runtime: Runtime, account: Account, signed_in: SoinboxClient) -> None:
    outbox_id = mail(runtime, account, "uncertain", "send_uncertain")
    assert signed_in.submit(f"/outbox/{outbox_id}/again").status_code == 303
    assert "About to be sent" in signed_in.get("/outbox").get_data(as_text=True).replace(
        "Next try at", "About to be sent"
    )
    assert signed_in.submit(f"/outbox/{outbox_id}/again").status_code == 409


def test_edit_opens_the_draft_again(runtime: Runtime, account: Account, signed_in: SoinboxClient) -> None:
    outbox_id = mail(runtime, account, "failed", "message_refused")
    done = signed_in.submit(f"/outbox/{outbox_id}/edit")
    assert "/drafts/" in done.location and "Vraag" in signed_in.get(done.location).get_data(as_text=True)
    assert "The mail server refuses" not in signed_in.get("/outbox").get_data(as_text=True)


def test_of_others_nothing(
    runtime: Runtime, account: Account, client: SoinboxClient, colleague: Member
) -> None:
    outbox_id = mail(runtime, account, "failed", "message_refused")
    other = client.sign_in(colleague)
    assert "Vraag" not in other.get("/outbox").get_data(as_text=True)
    for act in ("undo", "again", "edit", "remove"):
        assert other.submit(f"/outbox/{outbox_id}/{act}").status_code == 404


def test_who_has_a_mail_is_kept_apart_from_who_does_not(
    runtime: Runtime, account: Account, signed_in: SoinboxClient
) -> None:
    outbox_id = mail(runtime, account, "held")
    told = [Recipient("bram@klant.example", "sent"), Recipient("vol@klant.example", "delayed", "450 full")]
    with runtime.db.write() as connection:
        now = runtime.clock.now()
        outbox.claim(connection, outbox_id, "test", now)
        outbox.hold(connection, outbox_id, told, now, now)
    html = signed_in.get("/outbox").get_data(as_text=True)
    assert "is tried again" in html and f"/outbox/{outbox_id}/undo" not in html
    with runtime.db.write() as connection:
        outbox.claim(connection, outbox_id, "test", now)
        outbox.settle(connection, outbox_id, "failed", told, now)
    html = signed_in.get("/outbox").get_data(as_text=True)
    assert "Not sent to everybody" in html and "is tried again" not in html
    assert f"/outbox/{outbox_id}/again" in html and f"/outbox/{outbox_id}/edit" not in html, (
        "the draft would go to Bram once more"
    )
    assert signed_in.submit(f"/outbox/{outbox_id}/remove").status_code == 303
    assert composing.everything(runtime, account.user_id) == []
