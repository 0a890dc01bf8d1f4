"""Set-up in a domain of its own DNS: consent, other doors, Cancel, limits, double posts, what was pasted."""

import contextlib
import socket
import threading
import time
from dataclasses import replace

import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.problems import ServerError
from soinbox_web.rehearsal.behaviour import ImapBehaviour, SmtpBehaviour
from soinbox_web.rehearsal.scripted_imap import ScriptedImap
from soinbox_web.rehearsal.scripted_smtp import ScriptedSmtp
from soinbox_web.runtime import build
from soinbox_web.services import members, setup
from soinbox_web.services.setup.typed_secrets import Typed
from soinbox_web.store import setup_attempts
from soinbox_web.workers import expiry
from tests.servers.dns_server import SILENCE, DnsServer
from tests.set_up import ADDRESS, SECRET, ended, form_for, mail_servers, running, submit
from tests.waiting import until

DOMAIN, HOSTER = "noordlicht.example", "mail.hoster.example"
OWN = f"imap.{DOMAIN}"


@pytest.fixture
def dns():
    with DnsServer({(DOMAIN, "MX"): [f"10 mx.{DOMAIN}."]}) as server:
        yield server


@pytest.fixture
def settings(settings, dns):
    return replace(settings, dns_servers=(dns.address,))


def publish(dns, host, **ports):
    """SRV records of the domain that lead to ports of `host`."""
    dns.records[host, "A"] = ["127.0.0.1"]
    for service, port in ports.items():
        dns.records[f"_{service}._tcp.{DOMAIN}", "SRV"] = [f"0 1 {port} {host}."]


def servers_at(ca, host, tls="implicit"):
    identity = ca.issue(host)
    imap = ScriptedImap(ImapBehaviour(tls=tls, certificate=identity, passwords={ADDRESS: SECRET}))
    smtp = ScriptedSmtp(SmtpBehaviour(tls=tls, certificate=identity, passwords={ADDRESS: SECRET}))
    return imap, smtp


def test_a_strange_hosts_servers_get_no_password_before_yes(runtime, member, ca, dns):
    imap, smtp = servers_at(ca, HOSTER)
    with running(imap, smtp):
        publish(dns, HOSTER, imaps=imap.port, submissions=smtp.port)
        token = setup.start(runtime, member.id, ADDRESS)
        assert ended(runtime, member.id, token).attempt.step == "password"
        setup.submit_password(runtime, member.id, token, SECRET)
        view = ended(runtime, member.id, token)
        assert view.attempt.step == "consent" and view.attempt.unconfirmed_hosts == (HOSTER,)
        assert imap.sign_ins == smtp.sign_ins == []
        assert SECRET not in view.attempt.sealed
        setup.confirm_hosts(runtime, member.id, token)
        assert ended(runtime, member.id, token).attempt.step == "done"
        assert len(imap.sign_ins) == 1 and len(smtp.sign_ins) == 1


def test_another_door_is_tried_where_the_best_is_shut(runtime, member, ca, dns):
    imap, smtp = servers_at(ca, OWN, "starttls")
    with running(imap, smtp):
        shut = ScriptedImap(ImapBehaviour(tls="implicit", certificate=ca.issue(OWN)))
        with running(shut):
            shut_port = shut.port
            publish(dns, OWN, imaps=shut_port, imap=imap.port, submissions=shut_port, submission=smtp.port)
            token = setup.start(runtime, member.id, ADDRESS)
            found = ended(runtime, member.id, token).attempt
        assert (found.imap.port, found.imap.security) == (shut_port, "ssl")
        setup.submit_password(runtime, member.id, token, SECRET)
        view = ended(runtime, member.id, token)
        assert view.attempt.step == "done", view.attempt.problems
        assert len(imap.sign_ins) == 1 and len(smtp.sign_ins) == 1
        connects = [t.stage for t in view.stages if t.stage.side == "imap" and t.stage.stage == "connect"]
        assert [(s.detail, s.ok) for s in connects] == [
            (f"{OWN}:{shut_port}", False), (f"{OWN}:{imap.port}", True),
        ]  # fmt: skip


def test_a_door_that_was_typed_is_not_left_for_another(runtime, member, ca, dns):
    imap, smtp = servers_at(ca, OWN, "starttls")
    with running(imap, smtp):
        shut = ScriptedImap(ImapBehaviour(tls="implicit", certificate=ca.issue(OWN)))
        with running(shut):
            publish(dns, OWN, imaps=shut.port, imap=imap.port, submission=smtp.port)
            token = setup.start(runtime, member.id, ADDRESS)
            found = ended(runtime, member.id, token).attempt
        setup.open_advanced(runtime, member.id, token)
        form = replace(form_for(imap, smtp), imap=found.imap, smtp=found.smtp)
        _, view = submit(runtime, member, form, token)
    assert view.attempt.problems[0].code == "refused" and imap.sign_ins == []
    assert [chip.login.port for chip in view.chips if chip.kind == "found" and chip.side == "imap"] == [
        imap.port
    ]


def has_ipv6():
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_a_server_that_answers_over_ipv4_only_works_and_is_noted(runtime, member, ca, dns):
    imap, smtp = servers_at(ca, OWN)
    with running(imap, smtp):
        dns.records.update({(OWN, "A"): ["127.0.0.1"], (OWN, "AAAA"): ["::1"]})
        form = form_for(imap, smtp)
        form = replace(form, imap=replace(form.imap, host=OWN), smtp=None)
        token = setup.start_advanced(runtime, member.id, ADDRESS)
        setup.submit_advanced(runtime, member.id, token, form, only="imap")
        view = ended(runtime, member.id, token)
    assert view.passed == "imap" and view.attempt.faults == ()
    assert [problem.code for problem in view.attempt.problems] == ["ipv6_only_failure"]


@pytest.fixture
def real_time(settings):
    """The product on the real clock, with a user."""
    runtime = build(settings, SystemClock())
    yield runtime, members.add(runtime, "real@noordlicht.example", "Real", "lang-genoeg-wachtwoord")
    runtime.close()


def test_cancel_ends_a_running_detection(real_time, dns):
    runtime, user = real_time
    dns.records = {(f"stil.{DOMAIN}", "*"): SILENCE}
    others = set(threading.enumerate())
    token = setup.start(runtime, user.id, f"anna@stil.{DOMAIN}")
    assert setup.view(runtime, user.id, token).attempt.step == "finding"
    at_work = {t for t in threading.enumerate() if t.name.startswith("detection")} - others
    assert at_work
    setup.cancel(runtime, user.id, token)
    until(lambda: not any(thread.is_alive() for thread in at_work), seconds=6)
    time.sleep(0.5)
    assert setup.view(runtime, user.id, token).attempt.step == "cancelled"


def test_cancel_hangs_up_during_the_sign_in(real_time, ca):
    runtime, user = real_time
    with mail_servers(ca) as (_, smtp):
        stalled = ScriptedImap(
            ImapBehaviour(tls="implicit", certificate=ca.issue("localhost"), stall_at="SIGN_IN")
        )
        with running(stalled):
            token = setup.start_advanced(runtime, user.id, ADDRESS)
            setup.submit_advanced(runtime, user.id, token, form_for(stalled, smtp))
            until(lambda: {"LOGIN", "AUTHENTICATE"} & set(stalled.commands), seconds=3)
            assert setup.view(runtime, user.id, token).attempt.running
            assert [t for t in threading.enumerate() if t.name.endswith("(run)")], "both sides are at work"
            began = time.monotonic()
            setup.cancel(runtime, user.id, token)
            view = setup.view(runtime, user.id, token)
            assert view.attempt.step == "cancelled" and view.attempt.sealed is None
            until(lambda: not [t for t in threading.enumerate() if t.name.endswith("(run)")], seconds=3)
            assert time.monotonic() - began < 2
        time.sleep(0.4)
        assert setup.view(runtime, user.id, token).attempt.step == "cancelled"
        assert smtp.sign_ins == []


def test_an_attempt_cut_off_by_a_restart_can_go_on(runtime, member, clock):
    with runtime.db.write() as c:
        setup_attempts.insert(c, "cut-off", member.id, ADDRESS, "connecting", clock.now())
    restarted = build(runtime.settings, clock)
    assert setup.view(restarted, member.id, "cut-off").attempt.running
    clock.turn(seconds=61)
    attempt = setup.view(restarted, member.id, "cut-off").attempt
    assert attempt.step == "advanced" and attempt.problems[0].code == "setup_interrupted"
    restarted.close()


def test_ten_detections_in_ten_minutes(runtime, member, dns, clock):
    for number in range(10):
        token = setup.start(runtime, member.id, f"anna@nergens-{number}.example")
        ended(runtime, member.id, token)
    with pytest.raises(ServerError) as caught:
        setup.start(runtime, member.id, "anna@nergens-10.example")
    assert caught.value.problem.code == "local_limit"
    clock.turn(minutes=10, seconds=1)
    setup.start(runtime, member.id, "anna@nergens-10.example")


def test_ten_users_refused_at_one_host_spare_the_eleventh(runtime, member, ca):
    with mail_servers(ca, passwords={}) as (imap, smtp):
        for number in range(10):
            user = members.add(runtime, f"u{number}@noordlicht.example", "U", "lang-genoeg-wachtwoord")
            form = form_for(imap, smtp, secret=f"wrong-{number}")
            name = replace(form.imap, username=f"u{number}")
            _, view = submit(runtime, user, replace(form, imap=name, smtp=None))
            assert view.attempt.problems[0].code == "credentials_wrong"
        tried = len(imap.sign_ins)
        _, view = submit(runtime, member, form_for(imap, smtp))
        assert view.attempt.problems[0].code == "local_limit" and len(imap.sign_ins) == tried


def test_an_address_posted_twice_begins_once_and_a_password_signs_in_once(runtime, member, ca, dns):
    imap, smtp = servers_at(ca, OWN)
    with running(imap, smtp):
        publish(dns, OWN, imaps=imap.port, submissions=smtp.port)
        token = setup.start(runtime, member.id, ADDRESS)
        assert setup.start(runtime, member.id, ADDRESS.upper()) == token
        ended(runtime, member.id, token)
        posts = [
            threading.Thread(target=setup.submit_password, args=(runtime, member.id, token, SECRET))
            for _ in range(2)
        ]
        for post in posts:
            post.start()
        for post in posts:
            post.join()
        assert ended(runtime, member.id, token).attempt.step == "done"
        assert len(imap.sign_ins) == 1 and len(smtp.sign_ins) == 1


@pytest.mark.parametrize(
    "pasted", ["abcd efgh ijkl mnop", "abcd\u00a0efgh\u00a0ijkl\u00a0mnop", " abcdefghijklmnop "]
)
def test_a_google_password_is_taken_as_it_is_pasted(runtime, member, dns, pasted):
    token = setup.start(runtime, member.id, "anna@gmail.com")
    assert ended(runtime, member.id, token).attempt.step == "password"
    setup.submit_password(runtime, member.id, token, pasted)
    view = ended(runtime, member.id, token)
    assert view.attempt.problems[0].code == "host_missing", "its shape was not questioned"
    assert Typed.of(runtime, view.attempt).imap == "abcdefghijklmnop"


class Minutes(threading.Event):
    """A stop that comes after two waits, each of which lets the time pass."""

    def __init__(self, clock):
        super().__init__()
        self.clock, self.waits = clock, []

    def wait(self, timeout=None):
        self.waits.append(timeout)
        self.clock.turn(seconds=timeout)
        if len(self.waits) == 2:
            self.set()
        return self.is_set()


def test_the_janitor_wipes_what_is_over_within_a_minute(runtime, member, clock):
    setup.start_advanced(runtime, member.id, ADDRESS)
    clock.turn(minutes=14, seconds=30)
    stop = Minutes(clock)
    expiry.run(runtime, stop)
    assert stop.waits == [60.0, 60.0]
    with runtime.db.read() as c:
        assert c.execute("SELECT count(*) FROM setup_attempts").fetchone()[0] == 0
