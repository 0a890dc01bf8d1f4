"""Set-up against Dovecot and a submission server: both ways in, the wrong password, a refused sender side."""

from dataclasses import replace

import pytest

from soinbox_web.model.setup_attempt import AdvancedForm
from soinbox_web.services import accounts, setup
from tests.set_up import ended, submit

pytestmark = pytest.mark.real


def form_for(mailbox, secret=None, starttls=False):
    imap = mailbox.imap_starttls_login if starttls else mailbox.imap_login
    smtp = mailbox.smtp_starttls_login if starttls else mailbox.smtp_login
    return AdvancedForm(mailbox.address, imap, secret or mailbox.password, smtp, None)


@pytest.mark.parametrize("starttls", [False, True])
def test_both_sides_are_connected(runtime, member, mailbox, starttls):
    _, view = submit(runtime, member, form_for(mailbox, starttls=starttls))
    assert view.attempt.step == "done", view.attempt.problems
    (account,) = accounts.of_user(runtime, member.id)
    assert account.state == "connected" and account.imap == form_for(mailbox, starttls=starttls).imap


def test_dovecots_own_words_are_quoted(runtime, member, mailbox):
    _, view = submit(runtime, member, form_for(mailbox, "wrong-one"))
    (problem,) = view.attempt.problems
    assert (problem.code, problem.side) == ("credentials_wrong", "imap")
    assert "Authentication failed" in problem.evidence


def test_starttls_on_the_port_that_speaks_tls_is_told_apart(runtime, member, mailbox):
    form = form_for(mailbox)
    _, view = submit(runtime, member, replace(form, imap=replace(form.imap, security="starttls")))
    assert view.attempt.problems[0].code == "plain_on_tls_port"
    _, view = submit(
        runtime, member, replace(form, imap=replace(mailbox.imap_starttls_login, security="ssl"))
    )
    assert view.attempt.problems[0].code == "tls_on_plain_port"


def test_reading_works_when_sending_is_refused(runtime, member, mailbox):
    form = replace(form_for(mailbox), smtp_secret="wrong-one")
    _, view = submit(runtime, member, form)
    assert view.attempt.step == "done"
    (account,) = accounts.of_user(runtime, member.id)
    assert account.state == "reading_only" and account.smtp_status.problem.evidence


def test_a_changed_password_is_edited(runtime, member, mailbox):
    submit(runtime, member, form_for(mailbox))
    (account,) = accounts.of_user(runtime, member.id)
    mailbox.dovecot.add_user(mailbox.address, "een-nieuw-geheim")
    token = setup.submit_edit(runtime, member.id, account.id, form_for(mailbox, "een-nieuw-geheim"))
    assert ended(runtime, member.id, token).attempt.step == "done"
    assert accounts.secret(runtime, account, "imap") == "een-nieuw-geheim"
