"""Composing: recipients as they are typed, signatures, drafts that were never written on."""

import pytest

from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.model.options import Options
from soinbox_web.model.recipients import read_recipients, write_recipients
from soinbox_web.runtime import Runtime
from soinbox_web.services import composing
from soinbox_web.services.composing import Typed
from soinbox_web.store import drafts, options
from tests import seed
from tests.clock import HandClock


@pytest.fixture
def account(runtime: Runtime, member: Member) -> Account:
    return seed.account(runtime, member)


@pytest.mark.parametrize(
    ("typed", "people", "wrong"),
    [
        ("a@b.nl, c@d.nl; e@f.nl\ng@h.nl", ["a@b.nl", "c@d.nl", "e@f.nl", "g@h.nl"], 0),
        ('"Bakker, Bram" <bram@b.nl>', ["bram@b.nl"], 0),
        ("Bram Bakker <BRAM@B.nl>, bram@b.nl", ["BRAM@b.nl"], 0),
        ("  <a@b.nl> ,, ;", ["a@b.nl"], 0),
        ("café@b.nl", [], 1),
        ("info@münchen.example", ["info@xn--mnchen-3ya.example"], 0),
        ("geen, a@b.nl, @x, x@, a@b", ["a@b.nl"], 4),
        ('"open <a@b.nl>', ["a@b.nl"], 0),
        ("a@b.nl c@d.nl", [], 1),
        ("", [], 0),
        ("," * 1000 + '"' * 50, [], 1),
    ],
)
def test_recipients_as_they_are_typed(typed: str, people: list[str], wrong: int) -> None:
    found = read_recipients(typed)
    assert ([each.address for each in found.people], len(found.wrong)) == (people, wrong)
    assert read_recipients(write_recipients(found.people)).people == found.people


def test_no_line_end_reaches_a_name() -> None:
    (person,) = read_recipients('"Bram \x00\x0b\x85Bcc: x" <a@b.nl>').people
    assert person.name.isprintable()


def test_the_signature_stands_where_the_options_say(
    runtime: Runtime, member: Member, account: Account
) -> None:
    with runtime.db.write() as connection:
        options.save(connection, member.id, Options(signature="Anna"), runtime.clock.now())
    new = composing.read(runtime, member.id, composing.start(runtime, member.id, account.id, "new"))
    assert new.body == "\n\n-- \nAnna\n"
    reply = composing.read(runtime, member.id, composing.start(runtime, member.id, account.id, "reply"))
    assert "Anna" not in reply.body


def test_what_was_never_written_on_is_not_kept(
    runtime: Runtime, member: Member, account: Account, clock: HandClock
) -> None:
    opened = composing.start(runtime, member.id, account.id, "new")
    kept = composing.start(runtime, member.id, account.id, "new")
    clock.turn(seconds=3)
    composing.save(runtime, member.id, kept, Typed(account.id, subject="Vraag"))
    assert [draft.id for draft in composing.everything(runtime, member.id)] == [kept]
    clock.turn(days=2)
    composing.start(runtime, member.id, account.id, "new")
    with runtime.db.read() as connection:
        assert drafts.of(connection, member.id, opened) is None
        assert drafts.of(connection, member.id, kept) is not None


def test_an_account_of_somebody_else_is_not_taken(
    runtime: Runtime, member: Member, account: Account, colleague: Member
) -> None:
    foreign = seed.account(runtime, colleague)
    draft_id = composing.start(runtime, member.id, account.id, "new")
    composing.save(runtime, member.id, draft_id, Typed(foreign.id, subject="x"))
    assert composing.read(runtime, member.id, draft_id).account_id == account.id
