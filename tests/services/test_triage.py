"""Triage: rows in order, removals held and undone, the Trash is final."""

import pytest

from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.problems import AccessError
from soinbox_web.runtime import Runtime
from soinbox_web.services import triage
from soinbox_web.store import actions
from tests import seed
from tests.clock import HandClock


@pytest.fixture
def account(runtime: Runtime, member: Member) -> Account:
    return seed.account(runtime, member)


def test_flags_go_at_once_and_removals_wait(
    runtime: Runtime, member: Member, account: Account, clock: HandClock
) -> None:
    keys = seed.deliver(runtime, account, [seed.letter("a"), seed.letter("b")])
    triage.act(runtime, member.id, keys, "flag")
    triage.act(runtime, member.id, [keys[0]], "delete")
    with runtime.db.read() as connection:
        assert [a.kind for a in actions.due(connection, account.id, clock.now())] == ["flag", "flag"]
        clock.turn(seconds=13)
        assert [a.kind for a in actions.due(connection, account.id, clock.now())] == [
            "flag",
            "flag",
            "delete",
        ]


def test_a_batch_is_undone_together_and_only_its_own(
    runtime: Runtime, member: Member, account: Account, clock: HandClock
) -> None:
    keys = seed.deliver(runtime, account, [seed.letter(str(n)) for n in range(4)])
    triage.act(runtime, member.id, [keys[0]], "delete")
    clock.turn(seconds=2)
    triage.act(runtime, member.id, keys[1:], "move", "Klanten")
    offer = triage.undoable(runtime, member.id)
    assert offer is not None and (len(offer.ids), offer.kind, offer.folder) == (3, "move", "Klanten")
    assert triage.undo(runtime, member.id, offer.ids) == 3
    with runtime.db.read() as connection:
        assert [a.key for a in actions.open_of(connection, account.id)] == [keys[0]]


@pytest.mark.parametrize("told", [False, True])
def test_marks_of_many_are_taken_back_once_and_only_those_that_changed(
    runtime: Runtime, member: Member, account: Account, clock: HandClock, told: bool
) -> None:
    keys = seed.deliver(runtime, account, [seed.letter(str(n)) for n in range(3)])
    triage.act(runtime, member.id, keys[:1], "read")
    assert triage.undoable(runtime, member.id) is None
    triage.act(runtime, member.id, keys, "read")
    offer = triage.undoable(runtime, member.id)
    assert offer is not None and (len(offer.ids), offer.kind, offer.seconds_left) == (2, "read", 10)
    if told:
        with runtime.db.write() as connection:
            for number in offer.ids:
                actions.finish(connection, number, clock.now())
    clock.turn(seconds=1)
    assert triage.undo(runtime, member.id, offer.ids) == 2
    assert triage.undo(runtime, member.id, offer.ids) == 0
    assert triage.undoable(runtime, member.id) is None
    with runtime.db.read() as connection:
        last = actions.open_of(connection, account.id)[-2:]
    assert [(each.key, each.arguments["remove"]) for each in last] == [(key, ["\\Seen"]) for key in keys[1:]]


def test_what_is_claimed_cannot_be_undone(runtime: Runtime, member: Member, account: Account) -> None:
    (key,) = seed.deliver(runtime, account, [seed.letter()])
    (number,) = triage.act(runtime, member.id, [key], "delete")
    with runtime.db.write() as connection:
        actions.claim(connection, number, "mailroom")
    assert triage.undo(runtime, member.id, [number]) == 0


def test_a_second_delete_of_the_same_does_nothing(runtime: Runtime, member: Member, account: Account) -> None:
    (key,) = seed.deliver(runtime, account, [seed.letter()])
    assert len(triage.act(runtime, member.id, [key, key], "delete")) == 1
    assert triage.act(runtime, member.id, [key], "delete") == []


def test_a_second_click_makes_no_second_copy(runtime: Runtime, member: Member, account: Account) -> None:
    (key,) = seed.deliver(runtime, account, [seed.letter()])
    for folder in ("Klanten", "Trash"):
        assert len(triage.act(runtime, member.id, [key], "copy", folder)) == 1
        assert triage.act(runtime, member.id, [key], "copy", folder) == []


def test_a_move_takes_only_what_lies_elsewhere(runtime: Runtime, member: Member, account: Account) -> None:
    here = seed.deliver(runtime, account, [seed.letter("a")])
    there = seed.deliver(runtime, account, [seed.letter("b")], folder="Klanten")
    (number,) = triage.act(runtime, member.id, [*here, *there], "move", "Klanten")
    with runtime.db.read() as connection:
        assert [(a.id, a.key) for a in actions.open_of(connection, account.id)] == [(number, here[0])]


def test_nobody_acts_on_anothers_mail(
    runtime: Runtime, member: Member, account: Account, colleague: Member
) -> None:
    (key,) = seed.deliver(runtime, account, [seed.letter()])
    (number,) = triage.act(runtime, member.id, [key], "delete")
    for verb in triage.VERBS:
        with pytest.raises(AccessError):
            triage.act(runtime, colleague.id, [key], verb, "Klanten")
    assert triage.undo(runtime, colleague.id, [number]) == 0
    with pytest.raises(AccessError):
        triage.act(runtime, member.id, [key], "move", "Nergens")
