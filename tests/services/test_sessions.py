"""Signing in: right, wrong, too often, from a known device; and ending sessions."""

import time

import pytest

from soinbox_web.problems import InputError
from soinbox_web.services import members, sessions
from tests.cast import ANNA


def refused(runtime, address=ANNA.address, password="wrong", **more) -> str:
    with pytest.raises(InputError) as caught:
        sessions.sign_in(runtime, address, password, **more)
    return caught.value.problem.code


def test_signs_in_whatever_the_capitals(runtime, member):
    found, token = sessions.sign_in(runtime, f" {ANNA.address.upper()} ", ANNA.password)
    assert found.id == member.id
    assert members.of_session(runtime, token).address == ANNA.address


def test_only_the_hash_of_a_token_is_stored(runtime, member):
    _, token = sessions.sign_in(runtime, ANNA.address, ANNA.password)
    assert token not in "\n".join(runtime.db.connection().iterdump())
    assert len(token) >= 43  # 256 bits in base64


def test_each_sign_in_has_its_own_token(runtime, member):
    tokens = {sessions.sign_in(runtime, ANNA.address, ANNA.password)[1] for _ in range(3)}
    assert len(tokens) == 3


def test_an_unknown_name_gets_the_same_answer_after_the_same_time(runtime, member):
    def seconds(address: str) -> float:
        started = time.perf_counter()
        assert refused(runtime, address) == "member_refused"
        return time.perf_counter() - started

    seconds(ANNA.address)
    known, unknown = (
        min(seconds(address) for _ in range(2)) for address in (ANNA.address, "nobody@example.org")
    )
    assert unknown > known / 3


def test_guesses_are_delayed_and_the_right_password_waits_too(runtime, member, clock):
    assert [refused(runtime) for _ in range(5)] == ["member_refused"] * 5
    assert refused(runtime) == "member_delayed"
    assert refused(runtime, password=ANNA.password) == "member_delayed"
    clock.turn(minutes=97)
    sessions.sign_in(runtime, ANNA.address, ANNA.password)


def test_a_thousand_guesses_in_a_day_are_at_most_twenty_tries(runtime, member, clock):
    tried = 0
    for number in range(1000):
        tried += refused(runtime, place=f"192.0.2.{number % 250}") == "member_refused"
        clock.turn(seconds=86)
    assert tried <= 20


def test_guesses_by_others_do_not_lock_the_owner_out(runtime, member):
    device = sessions.device_cookie(runtime, member)
    for _ in range(20):
        refused(runtime, place="192.0.2.1")
    found, _ = sessions.sign_in(runtime, ANNA.address, ANNA.password, place="192.0.2.1", device=device)
    assert found.id == member.id


def test_a_device_has_a_limit_of_its_own(runtime, member):
    device = sessions.device_cookie(runtime, member)
    codes = [refused(runtime, device=device) for _ in range(11)]
    assert codes == ["member_refused"] * 10 + ["member_delayed"]


def test_a_device_cookie_serves_one_user_only(runtime, member, colleague):
    device = sessions.device_cookie(runtime, member)
    assert sessions.owns(runtime, device, ANNA.address)
    assert not sessions.owns(runtime, device, colleague.address)
    assert not sessions.owns(runtime, "made.up", ANNA.address)
    assert not sessions.owns(runtime, "ü.ü", ANNA.address)


def test_right_passwords_cost_nothing(runtime, member):
    for _ in range(8):
        sessions.sign_in(runtime, ANNA.address, ANNA.password)


def test_many_names_from_one_place_are_delayed(runtime, member):
    codes = [refused(runtime, f"user{number}@example.org", place="192.0.2.9") for number in range(31)]
    assert codes[:30] == ["member_refused"] * 30
    assert codes[30] == "member_delayed"


def test_lists_and_ends_sessions(runtime, member, colleague):
    _, here = sessions.sign_in(runtime, ANNA.address, ANNA.password, user_agent="Firefox on Windows")
    _, there = sessions.sign_in(runtime, ANNA.address, ANNA.password)
    me = members.of_session(runtime, here)
    listed = sessions.of_member(runtime, me)
    assert {(each.browser, each.system) for each in listed} == {("Firefox", "Windows"), ("", "")}
    assert not sessions.end(runtime, colleague, me.session_id)
    assert sessions.end_others(runtime, me) == 1
    assert members.of_session(runtime, there) is None
    sessions.end_all(runtime, me)
    assert members.of_session(runtime, here) is None


def test_a_session_ends_after_thirty_idle_days(runtime, member, clock):
    _, token = sessions.sign_in(runtime, ANNA.address, ANNA.password)
    clock.turn(days=29)
    assert members.of_session(runtime, token)
    clock.turn(days=29)
    assert members.of_session(runtime, token)
    clock.turn(days=31)
    assert members.of_session(runtime, token) is None


@pytest.mark.parametrize("tries", [500, 1000])
def test_refused_ones_leave_no_rows_behind(runtime, member, monkeypatch, tries):
    monkeypatch.setattr(sessions, "MOST_KEPT", 100)
    with runtime.db.read() as connection:
        before = connection.execute("SELECT count(*) FROM audit").fetchone()[0]
    for number in range(tries):
        refused(runtime, f"nobody{number}@example.org", place="192.0.2.1")
        assert refused(runtime, place="192.0.2.1") in ("member_refused", "member_delayed")
    with runtime.db.read() as connection:
        assert connection.execute("SELECT count(*) FROM audit").fetchone()[0] == before
        assert connection.execute("SELECT count(*) FROM buckets").fetchone()[0] <= 102
    assert refused(runtime, place="192.0.2.2") == "member_delayed"  # a member's own brake is not forgotten
