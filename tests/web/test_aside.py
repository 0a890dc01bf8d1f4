"""Messages that could not be fetched, on their account's status page: names, source and deletion."""

import pytest

from soinbox_web import __version__
from soinbox_web.model.message import Correspondent, Envelope, MessageKey
from soinbox_web.problems import Problem
from soinbox_web.services import triage
from soinbox_web.store import actions, bodies, folders, requests, skipped_messages
from tests import seed

SENDER = Correspondent("<b>Eva</b> Smit", "eva@hotel.example")


@pytest.fixture
def account(runtime, member):
    made = seed.account(runtime, member)
    named = Envelope(
        11, frozenset(), None, 2_000_000, 1_795_000_000, "Offerte <i>kade</i>", (SENDER,), (), (), (), (), "",
        "", (), False, False,
    )  # fmt: skip
    with runtime.mailbox(made.id, made.generation).write() as connection:
        inbox = folders.by_name(connection, "INBOX")
        skipped_messages.put(connection, inbox.id, {11: "too_large"}, __version__, known={11: named})
        skipped_messages.put(connection, inbox.id, {12: "hung_up"}, __version__, day=runtime.clock.now())
        skipped_messages.leave_out(connection, inbox.id, [1, 2])
        folders.leave_out(connection, 290_000)
    return made


def http_refresh(answer):
    """The page comes again by itself, without JavaScript."""
    return 'http-equiv="refresh"' in answer.text


def key_of(account, uid):
    return str(MessageKey(account.id, "INBOX", seed.UIDVALIDITY, uid))


def test_they_are_listed_by_name(signed_in, account):
    text = signed_in.get(f"/accounts/{account.id}/status").text
    assert "Offerte &lt;i&gt;kade&lt;/i&gt;" in text and "&lt;b&gt;Eva&lt;/b&gt; Smit" in text
    assert "far larger than soinbox takes in" in text and "2.0 MB" in text
    assert "Message 12" in text and "The connection ends whenever" in text
    assert "290,000 folders" in text or "290000 folders" in text
    assert "Inbox · " in text, "the folder has the name it has elsewhere"
    assert text.count("Show source") == 2, "what is older than the horizon is not among them"


def test_nothing_is_said_where_nothing_is_missing(signed_in, runtime, member):
    made = seed.account(runtime, member, "bram@noordlicht.example")
    assert 'id="aside"' not in signed_in.get(f"/accounts/{made.id}/status").text


def test_in_dutch(signed_in, account):
    text = signed_in.get(f"/accounts/{account.id}/status", headers={"Accept-Language": "nl"}).text
    assert "Show source" in text or "Bron tonen" in text


def test_the_source_is_asked_for_and_shown(signed_in, runtime, account):
    url = f"/accounts/{account.id}/aside/{key_of(account, 11)}"
    first = signed_in.get(url)
    assert "being fetched" in first.text and http_refresh(first)
    with runtime.db.read() as connection:
        (asked,) = requests.open_of(connection, account.id)
    assert (asked.kind, asked.subject) == ("body", key_of(account, 11))
    with runtime.mailbox(account.id, account.generation).write() as connection:
        inbox = folders.by_name(connection, "INBOX")
        skipped_messages.keep_source(
            connection, inbox.id, 11, bodies.pack(b"From: <script>alert(1)</script>\r\n")
        )
    shown = signed_in.get(url).text
    assert f'action="{url}/delete"' in shown, "who has read it can delete it"
    assert "From: &lt;script&gt;alert(1)&lt;/script&gt;" in shown and "<script>alert" not in shown


def test_a_source_that_cannot_be_had_says_why(signed_in, runtime, account):
    url = f"/accounts/{account.id}/aside/{key_of(account, 12)}"
    signed_in.get(url)
    with runtime.db.write() as connection:
        (asked,) = requests.open_of(connection, account.id)
        requests.finish(connection, asked.id, runtime.clock.now(), Problem("message_gone", "imap"))
    answer = signed_in.get(url)
    assert not http_refresh(answer) and "problem" in answer.text


def test_deleting_is_an_ordinary_action_that_can_be_taken_back(signed_in, runtime, member, account):
    status = f"/accounts/{account.id}/status"
    answer = signed_in.submit(f"/accounts/{account.id}/aside/{key_of(account, 11)}/delete")
    assert answer.status_code == 303 and answer.location.endswith("/status#aside")
    with runtime.db.read() as connection:
        (action,) = actions.open_of(connection, account.id)
    assert (action.kind, action.key.uid) == ("delete", 11)
    text = signed_in.get(status).text
    assert "Offerte" not in text and "Message 12" in text and "1 message deleted" in text
    triage.undo(runtime, member.id, [action.id])
    assert "Offerte" in signed_in.get(status).text


def test_nobody_elses(signed_in, runtime, colleague, account):
    other = seed.account(runtime, colleague, "bram@noordlicht.example")
    for url in (
        f"/accounts/{other.id}/aside/{key_of(other, 11)}",
        f"/accounts/{account.id}/aside/{key_of(other, 11)}",
        f"/accounts/{account.id}/aside/{key_of(account, 1)}",
        f"/accounts/{account.id}/aside/nonsense",
    ):
        assert signed_in.get(url).status_code == 404
        assert signed_in.submit(f"{url}/delete").status_code == 404
