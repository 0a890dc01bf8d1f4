"""Changing, checking and removing connected accounts."""

from dataclasses import replace

import pytest

from soinbox_web.problems import InputError, ServerError
from soinbox_web.services import accounts, setup
from soinbox_web.texts import translator
from tests.set_up import ADDRESS, SECRET, ended, form_for, mail_servers, submit

CONTRACT = {
    "address", "user", "state", "last_success_at", "last_attempt_at", "next_retry_at", "problem", "folders"
}  # fmt: skip


@pytest.fixture
def servers(ca):
    with mail_servers(ca) as pair:
        yield pair


@pytest.fixture
def account(runtime, member, servers):
    submit(runtime, member, form_for(*servers))
    (found,) = accounts.of_user(runtime, member.id)
    return found


def edit(runtime, account, form):
    token = setup.submit_edit(runtime, account.user_id, account.id, form)
    return ended(runtime, account.user_id, token)


def test_nothing_changed_needs_no_password(runtime, account, servers):
    assert edit(runtime, account, form_for(*servers, secret="")).attempt.step == "done"
    assert accounts.own(runtime, account.user_id, account.id).state == "connected"


@pytest.mark.parametrize("side", ["imap", "smtp"])
@pytest.mark.parametrize(
    "change", [{"host": "127.0.0.1"}, {"port": 1993}, {"security": "starttls"}, {"username": "someone-else"}]
)
def test_a_changed_server_asks_that_sides_password_again(runtime, account, servers, side, change):
    before = [len(server.sign_ins) for server in servers]
    form = form_for(*servers, secret="")
    form = replace(form, **{side: replace(getattr(form, side), **change)})
    with pytest.raises(InputError) as caught:
        setup.submit_edit(runtime, account.user_id, account.id, form)
    problem = caught.value.problem
    assert (problem.code, problem.side, problem.guilty_field) == ("password_missing", side, "password")
    assert [len(server.sign_ins) for server in servers] == before


def test_a_changed_outgoing_server_leaves_the_incoming_password(runtime, account, servers, ca):
    imap, _ = servers
    with mail_servers(ca, {ADDRESS: "another-secret"}) as (_, other):
        form = replace(form_for(imap, other, secret=""), smtp_secret="another-secret")
        assert edit(runtime, account, form).attempt.step == "done"
    changed = accounts.own(runtime, account.user_id, account.id)
    assert changed.smtp.port == other.port
    assert accounts.secret(runtime, changed, "imap") == SECRET
    assert accounts.secret(runtime, changed, "smtp") == "another-secret"
    assert not setup.edit_view(runtime, account.user_id, account.id).same_secret


def test_a_new_incoming_password_leaves_an_outgoing_one_of_its_own(runtime, account, servers, ca):
    with mail_servers(ca, {ADDRESS: "new-one"}, {ADDRESS: "sending-one"}) as (imap, smtp):
        form = replace(form_for(imap, smtp, secret="new-one"), smtp_secret="sending-one")
        assert edit(runtime, account, form).attempt.step == "done"
        again = replace(form_for(imap, smtp, secret="new-one"), smtp_secret="")
        assert edit(runtime, account, again).attempt.step == "done"
    changed = accounts.own(runtime, account.user_id, account.id)
    assert accounts.secret(runtime, changed, "smtp") == "sending-one"


def test_a_typed_password_does_not_let_the_stored_one_travel(runtime, account, servers, ca):
    """What fails once may be sent again to another host only when it was typed here."""
    with mail_servers(ca) as (elsewhere, smtp):
        form = form_for(elsewhere, smtp, secret="typed-and-wrong")
        token = setup.submit_edit(runtime, account.user_id, account.id, form)
        assert ended(runtime, account.user_id, token).attempt.step == "advanced"
        setup.submit_advanced(runtime, account.user_id, token, form_for(elsewhere, smtp, secret=""))
        ended(runtime, account.user_id, token)
        assert {tried.secret for tried in elsewhere.sign_ins} == {"typed-and-wrong"}
    assert accounts.own(runtime, account.user_id, account.id).imap == account.imap


def test_a_failed_change_changes_nothing(runtime, account, servers):
    imap, smtp = servers
    view = edit(runtime, account, form_for(imap, smtp, secret="wrong-one"))
    assert view.attempt.step == "advanced"
    same = accounts.own(runtime, account.user_id, account.id)
    assert same.imap == account.imap and accounts.secret(runtime, same, "imap") == SECRET


def test_the_server_gone_keeps_the_account(runtime, account, servers):
    imap, smtp = servers
    imap.stop()
    view = edit(runtime, account, form_for(imap, smtp, secret=""))
    assert view.attempt.problems[0].code == "refused"
    assert view.attempt.problems[0].guilty_field == "port"


def test_checking_now_is_one_request_and_not_too_often(runtime, account, clock):
    accounts.refresh(runtime, account.user_id, account.id)
    with pytest.raises(ServerError) as caught:
        accounts.refresh(runtime, account.user_id, account.id)
    assert caught.value.problem.code == "checked_just_now"
    clock.turn(seconds=31)
    accounts.refresh(runtime, account.user_id, account.id)
    with runtime.db.read() as c:
        assert c.execute("SELECT count(*) FROM requests WHERE state = 'open'").fetchone()[0] == 1
    assert accounts.report(runtime, account.user_id, account.id).checking


def test_removing_takes_everything_here_and_says_so(runtime, account):
    path = runtime.mailbox(account.id, account.generation).path
    with runtime.db.write() as c:
        c.execute(
            "INSERT INTO drafts (user_id, account_id, compose_token, created_at, updated_at)"
            " VALUES (?, ?, 't', '', '')",
            (account.user_id, account.id),
        )
    accounts.remove(runtime, account.id)
    assert accounts.of_user(runtime, account.user_id) == []
    assert not path.exists()
    with runtime.db.read() as c:
        assert c.execute("SELECT count(*) FROM account_secrets").fetchone()[0] == 0
        assert c.execute("SELECT account_id FROM drafts").fetchone()["account_id"] is None
        detail = c.execute("SELECT detail FROM changes WHERE topic = 'account' ORDER BY id DESC").fetchone()
        assert detail["detail"] == "removed"


def test_the_contracts_shape(runtime, member, account):
    shape = accounts.status_json(runtime, accounts.by_address(runtime, ADDRESS.upper()), translator("en"))
    assert set(shape) == CONTRACT
    assert shape["user"] == member.address
    assert shape["state"] == "connected"
    assert shape["last_success_at"] == "2026-11-23T09:00:00.000Z"
