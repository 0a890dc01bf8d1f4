"""Signing in with server data: what is saved, what is refused, what is remembered."""

from dataclasses import replace

import pytest

from soinbox_web.model.server import Login
from soinbox_web.problems import AccessError, InputError
from soinbox_web.rehearsal.behaviour import SmtpBehaviour
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from soinbox_web.services import accounts, setup
from tests.set_up import ADDRESS, SECRET, ended, form_for, mail_servers, running, submit


@pytest.fixture
def servers(ca):
    with mail_servers(ca) as pair:
        yield pair


def test_what_works_is_saved_with_its_secrets_and_the_attempt_forgets_them(runtime, member, servers):
    _, view = submit(runtime, member, form_for(*servers))
    assert view.attempt.step == "done", view.attempt.problems
    assert view.attempt.sealed is None
    (account,) = accounts.of_user(runtime, member.id)
    assert account.state == "connected"
    assert account.name == member.name
    assert accounts.secret(runtime, account, "imap") == SECRET
    assert accounts.secret(runtime, account, "smtp") == SECRET
    stages = [(t.stage.side, t.stage.stage, t.stage.ok) for t in view.stages]
    assert ("imap", "sign_in", True) in stages and ("smtp", "sign_in", True) in stages
    with runtime.db.read() as c:
        assert [r["detail"] for r in c.execute("SELECT detail FROM changes WHERE topic = 'account'")] == [
            "connected"
        ]


def test_a_wrong_password_opens_advanced_with_everything_kept(runtime, member, servers):
    _, view = submit(runtime, member, form_for(*servers, secret="wrong-one"))
    assert view.attempt.step == "advanced"
    (problem, *_) = view.attempt.problems
    assert (problem.code, problem.side, problem.guilty_field) == ("credentials_wrong", "imap", "password")
    assert "Authentication failed" in problem.evidence
    assert view.kept_imap and view.attempt.imap.host == "localhost"
    assert accounts.of_user(runtime, member.id) == []


def test_the_same_wrong_secret_is_answered_from_memory(runtime, member, clock, servers):
    imap, smtp = servers
    token, _ = submit(runtime, member, form_for(imap, smtp, secret="wrong-one"))
    tried = len(imap.sign_ins)
    _, view = submit(runtime, member, form_for(imap, smtp, secret="wrong-one"), token)
    assert len(imap.sign_ins) == tried
    assert view.attempt.problems[0].code == "credentials_wrong"
    assert view.attempt.problems[0].evidence
    clock.turn(minutes=14.9)
    _, view = submit(runtime, member, form_for(imap, smtp, secret="wrong-one"), token)
    assert len(imap.sign_ins) == tried
    clock.turn(minutes=1)
    _, view = submit(runtime, member, form_for(imap, smtp, secret="wrong-one"))
    assert len(imap.sign_ins) > tried
    _, view = submit(runtime, member, form_for(imap, smtp))
    assert view.attempt.step == "done"


def test_five_refusals_of_one_login_pause_it(runtime, member, servers):
    imap, smtp = servers
    token = None
    for number in range(5):
        token, view = submit(runtime, member, form_for(imap, smtp, secret=f"wrong-{number}"), token)
        assert view.attempt.problems[0].code == "credentials_wrong"
    tried = len(imap.sign_ins)
    _, view = submit(runtime, member, form_for(imap, smtp), token)
    assert view.attempt.problems[0].code == "local_limit"
    assert view.attempt.problems[0].retry_after_seconds == 900
    assert view.attempt.problems[0].facts["date"] == "10:16"
    assert len(imap.sign_ins) == tried


def test_one_click_signs_in_at_most_twice(runtime, member, servers):
    imap, smtp = servers
    submit(runtime, member, form_for(imap, smtp, secret="wrong-one"))
    assert len(imap.sign_ins) <= 2 and len(smtp.sign_ins) <= 1


def test_reading_without_sending_is_saved(runtime, member, servers, ca):
    imap, _ = servers
    smtp = ScriptedSmtp(SmtpBehaviour(tls="implicit", certificate=ca.issue("localhost"), passwords={}))
    with running(smtp):
        _, view = submit(runtime, member, form_for(imap, smtp))
    assert view.attempt.step == "done"
    (account,) = accounts.of_user(runtime, member.id)
    assert account.state == "reading_only"
    assert account.smtp_status.problem.side == "smtp"
    assert "535" in account.smtp_status.problem.evidence


def test_a_form_posted_twice_signs_in_once(runtime, member, servers):
    imap, smtp = servers
    token = setup.start_advanced(runtime, member.id, ADDRESS)
    setup.submit_advanced(runtime, member.id, token, form_for(imap, smtp))
    setup.submit_advanced(runtime, member.id, token, form_for(imap, smtp))
    assert ended(runtime, member.id, token).attempt.step == "done"
    assert len(imap.sign_ins) == 1
    assert len(accounts.of_user(runtime, member.id)) == 1


def test_an_address_is_connected_once(runtime, member, servers):
    submit(runtime, member, form_for(*servers))
    token = setup.start_advanced(runtime, member.id, "other@noordlicht.example")
    for again in (
        lambda: setup.start(runtime, member.id, ADDRESS.upper()),
        lambda: setup.submit_advanced(runtime, member.id, token, form_for(*servers)),
    ):
        with pytest.raises(InputError) as caught:
            again()
        assert caught.value.problem.code == "already_connected"


def test_a_clear_line_needs_the_operators_leave(runtime, member, servers):
    imap, smtp = servers
    token = setup.start_advanced(runtime, member.id, ADDRESS)
    clear = replace(form_for(imap, smtp), imap=Login("localhost", imap.port, "none", ADDRESS))
    with pytest.raises(InputError) as caught:
        setup.submit_advanced(runtime, member.id, token, clear)
    assert (caught.value.problem.code, caught.value.problem.side) == ("encryption_required", "imap")
    assert imap.sign_ins == []


def test_another_users_attempt_and_account_are_not_there(runtime, member, colleague, servers):
    token, _ = submit(runtime, member, form_for(*servers))
    (account,) = accounts.of_user(runtime, member.id)
    for reach in (
        lambda: setup.view(runtime, colleague.id, token),
        lambda: setup.cancel(runtime, colleague.id, token),
        lambda: setup.submit_password(runtime, colleague.id, token, "x"),
        lambda: setup.edit_view(runtime, colleague.id, account.id),
        lambda: setup.submit_edit(runtime, colleague.id, account.id, form_for(*servers)),
        lambda: accounts.own(runtime, colleague.id, account.id),
        lambda: accounts.report(runtime, colleague.id, account.id),
        lambda: accounts.refresh(runtime, colleague.id, account.id),
    ):
        with pytest.raises(AccessError):
            reach()


def test_an_attempt_is_wiped_after_a_quarter_of_an_hour(runtime, member, clock, servers):
    token, _ = submit(runtime, member, form_for(*servers, secret="wrong-one"))
    clock.turn(minutes=15, seconds=1)
    with pytest.raises(AccessError) as caught:
        setup.view(runtime, member.id, token)
    assert caught.value.problem.code == "setup_ended"
    setup.wipe(runtime)
    with runtime.db.read() as c:
        assert c.execute("SELECT count(*) FROM setup_attempts").fetchone()[0] == 0
        assert c.execute("SELECT count(*) FROM setup_stages").fetchone()[0] == 0


def test_no_secret_is_stored_in_clear(runtime, member, servers):
    submit(runtime, member, form_for(*servers, secret="geheim-fout"))
    submit(runtime, member, form_for(*servers))
    with runtime.db.write() as c:
        c.execute("DELETE FROM changes")
    for file in runtime.settings.instance.glob("soinbox.sqlite*"):
        content = file.read_bytes()
        assert SECRET.encode() not in content and b"geheim-fout" not in content
