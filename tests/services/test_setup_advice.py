"""What Advanced settings offer besides: chips, a test of one side, a pinned certificate, the report."""

from dataclasses import replace

import pytest

from soinbox_web.model.server import Login
from soinbox_web.rehearsal.behaviour import ImapBehaviour, SmtpBehaviour
from soinbox_web.rehearsal.scripted_imap import ScriptedImap
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from soinbox_web.services import accounts, setup
from soinbox_web.services.setup import report
from tests.set_up import ADDRESS, SECRET, ended, form_for, mail_servers, running, submit


@pytest.fixture
def servers(ca):
    with mail_servers(ca) as pair:
        yield pair


def one_side(runtime, member, form, side):
    token = setup.start_advanced(runtime, member.id, ADDRESS)
    setup.submit_advanced(runtime, member.id, token, form, only=side)
    return ended(runtime, member.id, token)


@pytest.mark.parametrize("side", ["imap", "smtp"])
def test_a_side_is_tested_alone_and_nothing_is_saved(runtime, member, servers, side):
    imap, smtp = servers
    view = one_side(runtime, member, form_for(imap, smtp), side)
    assert view.attempt.step == "advanced" and view.passed == side and view.attempt.faults == ()
    assert (len(imap.sign_ins), len(smtp.sign_ins)) == ((1, 0) if side == "imap" else (0, 1))
    assert accounts.of_user(runtime, member.id) == []
    setup.submit_advanced(runtime, member.id, view.attempt.token, form_for(imap, smtp, secret=""))
    assert ended(runtime, member.id, view.attempt.token).attempt.step == "done", "the secret was kept"


def test_a_test_has_its_own_verdict_and_the_same_limits(runtime, member, servers):
    imap, smtp = servers
    wrong = form_for(imap, smtp, secret="wrong-one")
    view = one_side(runtime, member, wrong, "smtp")
    assert [(p.code, p.side) for p in view.attempt.problems] == [("credentials_wrong", "smtp")]
    assert view.passed is None and imap.sign_ins == []
    one_side(runtime, member, wrong, "smtp")
    assert len(smtp.sign_ins) == 1, "answered from memory"


def test_a_test_of_an_account_leaves_it_as_it_is(runtime, member, servers):
    imap, smtp = servers
    submit(runtime, member, form_for(imap, smtp))
    (account,) = accounts.of_user(runtime, member.id)
    token = setup.submit_edit(
        runtime, member.id, account.id, form_for(imap, smtp, secret="wrong-one"), only="imap"
    )
    assert ended(runtime, member.id, token).attempt.problems[0].code == "credentials_wrong"
    assert accounts.secret(runtime, account, "imap") == SECRET


def test_the_form_of_the_user_name_that_works_is_told(runtime, member, ca):
    with mail_servers(ca, passwords={"anna": SECRET}) as (imap, smtp):
        view = one_side(runtime, member, form_for(imap, smtp), "imap")
        (problem,) = view.attempt.faults
        assert (problem.code, problem.guilty_field) == ("username_form", "username")
        assert problem.facts["suggestion"] == "anna" and len(imap.sign_ins) == 2
        assert [c.login.username for c in view.chips if c.kind == "username"] == ["anna"]
        _, view = submit(runtime, member, form_for(imap, smtp))
        assert view.attempt.step == "done"
        assert [p.code for p in view.attempt.faults] == ["username_form"], "told, and saved as it works"
    (account,) = accounts.of_user(runtime, member.id)
    assert account.imap.username == "anna"


def test_a_shut_port_suggests_the_others(runtime, member, servers):
    imap, smtp = servers
    shut = ScriptedImap(ImapBehaviour())
    with running(shut):
        pass
    form = replace(form_for(imap, smtp), imap=Login("localhost", shut.port, "ssl", ADDRESS))
    _, view = submit(runtime, member, form)
    offered = [(c.kind, c.login.port, c.login.security) for c in view.chips if c.side == "imap"]
    assert offered == [("security", 993, "ssl"), ("security", 143, "starttls")]


def test_a_port_with_the_other_security_is_suggested_first(runtime, member, servers):
    imap, smtp = servers
    form = replace(form_for(imap, smtp), imap=Login("localhost", imap.port, "starttls", ADDRESS))
    _, view = submit(runtime, member, form)
    assert view.attempt.problems[0].code == "plain_on_tls_port"
    first = next(chip for chip in view.chips if chip.side == "imap")
    assert (first.kind, first.login.port, first.login.security) == ("security", imap.port, "ssl")


@pytest.mark.parametrize(
    ("name", "offered"), [("mail.noordlicht.example", True), ("mail.elsewhere.example", False)]
)
def test_a_name_in_the_certificate_is_suggested_when_it_is_the_same_owners(
    runtime, member, ca, name, offered
):
    imap = ScriptedImap(ImapBehaviour(tls="implicit", certificate=ca.issue(name), passwords={}))
    smtp = ScriptedSmtp(SmtpBehaviour(tls="implicit", certificate=ca.issue(name), passwords={}))
    with running(imap, smtp):
        _, view = submit(runtime, member, form_for(imap, smtp))
    assert view.attempt.problems[0].code == "cert_name_mismatch"
    hosts = [c.login.host for c in view.chips if c.kind == "certificate_name" and c.side == "imap"]
    assert hosts == ([name] if offered else [])
    assert imap.sign_ins == []


class TestPinning:
    @pytest.fixture
    def settings(self, settings):
        return replace(settings, allow_pinning=True)

    @pytest.fixture
    def stranger(self, ca):
        """A server whose certificate nobody can check."""
        imap = ScriptedImap(
            ImapBehaviour(
                tls="implicit",
                certificate=ca.issue("localhost", fault="self_signed"),
                passwords={ADDRESS: SECRET},
            )
        )
        with running(imap):
            yield imap

    def form(self, imap, pin=""):
        return replace(
            form_for(imap, imap), imap=Login("localhost", imap.port, "ssl", ADDRESS, pin), smtp=None
        )

    def test_one_certificate_is_accepted_by_its_fingerprint(self, runtime, member, stranger):
        token, view = submit(runtime, member, self.form(stranger))
        (problem,) = view.attempt.problems
        assert problem.code == "cert_self_signed" and stranger.sign_ins == []
        pin = problem.facts["fingerprint"]
        _, view = submit(runtime, member, self.form(stranger, pin), token)
        assert view.attempt.step == "done"
        (account,) = accounts.of_user(runtime, member.id)
        assert account.imap.pin == pin

    def test_another_certificate_gets_no_password(self, runtime, member, stranger):
        _, view = submit(runtime, member, self.form(stranger, "0" * 64))
        (problem,) = view.attempt.problems
        assert (problem.code, problem.retry) == ("pin_mismatch", "after_change")
        assert len(problem.facts["fingerprint"]) == 64 and stranger.sign_ins == []

    def test_a_pin_counts_only_where_the_operator_allows_it(self, runtime, member, stranger):
        _, view = submit(runtime, member, self.form(stranger))
        pin = view.attempt.problems[0].facts["fingerprint"]
        runtime.settings = replace(runtime.settings, allow_pinning=False)
        _, view = submit(runtime, member, self.form(stranger, pin))
        assert view.attempt.problems[0].code == "cert_self_signed" and stranger.sign_ins == []


def test_the_report_tells_all_but_the_secret(runtime, member, servers):
    imap, smtp = servers
    imap.behaviour = replace(imap.behaviour, refusal=b"NO [AUTHENTICATIONFAILED] not geheim-fout for anna")
    token, _ = submit(runtime, member, form_for(imap, smtp, secret="geheim-fout"))
    open_ = report.of_attempt(runtime, member.id, token, masked=False)
    for part in ("credentials_wrong", f"localhost:{imap.port}", "imap connect: ok", ADDRESS, "OpenSSL"):
        assert part in open_
    masked = report.of_attempt(runtime, member.id, token, masked=True)
    assert "geheim-fout" not in open_ + masked
    assert "anna" not in masked.lower() and "…@noordlicht.example" in masked


def test_the_report_of_an_account(runtime, member, servers):
    submit(runtime, member, form_for(*servers))
    (account,) = accounts.of_user(runtime, member.id)
    text = report.of_account(runtime, account, masked=True)
    assert "state: connected" in text and "imap: ok" in text
    assert SECRET not in text and "anna" not in text.lower()
