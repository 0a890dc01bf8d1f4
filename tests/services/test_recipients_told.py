"""Too many recipients and too long fields are refused with words; nobody is left out in silence."""

import pytest

from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.model.recipients import LONGEST, MOST
from soinbox_web.problems import InputError
from soinbox_web.runtime import Runtime
from soinbox_web.services import composing, sending
from soinbox_web.services.composing import Typed
from soinbox_web.services.sending.file import queue_file
from soinbox_web.store import outbox
from tests import seed


@pytest.fixture
def account(runtime: Runtime, member: Member) -> Account:
    return seed.account(runtime, member)


def crowd(count: int, name: str = "iemand") -> str:
    return ",\r\n ".join(f"{name}-{number:04}@klant.example" for number in range(count))


def checked(runtime: Runtime, account: Account, **typed: str) -> dict[str, str]:
    """The codes of what is wrong, by field."""
    draft_id = composing.start(runtime, account.user_id, account.id, "new")
    composing.save(
        runtime, account.user_id, draft_id, Typed(account.id, subject="Vraag", body="Hoi", **typed)
    )
    draft = composing.read(runtime, account.user_id, draft_id)
    wrong = sending.check(runtime, account.user_id, draft)
    if wrong:
        with pytest.raises(InputError):
            sending.queue(runtime, account.user_id, draft_id)
    return {field: problem.code for field, problem in wrong.items()}


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
@pytest.mark.parametrize("over", [1, MOST, 5 * MOST])
def test_one_recipient_too_many_is_told_of_its_own_field(
    runtime: Runtime, account: Account, field: str, over: int
) -> None:
    typed = {"to": "bram@klant.example"} | {field: crowd(MOST + over)}
    assert checked(runtime, account, **typed) == {field: "recipients_too_many"}
    assert sending.everything(runtime, account.user_id) == []


def test_the_first_that_does_not_fit_is_named(runtime: Runtime, account: Account) -> None:
    draft_id = composing.start(runtime, account.user_id, account.id, "new", to=crowd(2 * MOST))
    problem = sending.check(runtime, account.user_id, composing.read(runtime, account.user_id, draft_id))[
        "to"
    ]
    assert f"iemand-{MOST:04}@klant.example" in problem.cause(str) and str(MOST) in problem.cause(str)


def test_as_many_as_fit_in_each_field_are_all_sent(runtime: Runtime, account: Account) -> None:
    draft_id = composing.start(runtime, account.user_id, account.id, "new")
    typed = Typed(account.id, crowd(MOST), crowd(MOST, "cc"), crowd(MOST, "bcc"), "Vraag", "Hoi")
    composing.save(runtime, account.user_id, draft_id, typed)
    outbox_id = sending.queue(runtime, account.user_id, draft_id)
    assert len(recipients(runtime, outbox_id)) == 3 * MOST


def test_one_that_is_typed_again_is_not_one_too_many(runtime: Runtime, account: Account) -> None:
    assert checked(runtime, account, to=f"{crowd(MOST)}, IEMAND-0000@klant.example") == {}


@pytest.mark.parametrize("length", [LONGEST + 1, 2 * LONGEST, 20 * LONGEST])
@pytest.mark.parametrize("end", ["", ", bram@klant.example", ", geen adres"])
def test_a_field_that_is_too_long_is_told(runtime: Runtime, account: Account, length: int, end: str) -> None:
    typed = "," * length + end
    assert checked(runtime, account, to="bram@klant.example", cc=typed) == {"cc": "field_too_long"}
    assert checked(runtime, account, to=typed) == {"to": "field_too_long"}


def letter(account: Account, to: str, more: str = "") -> bytes:
    return seed.letter(sender=account.address, to=to, more=more)


def recipients(runtime: Runtime, outbox_id: int) -> list[str]:
    with runtime.db.read() as connection:
        row = outbox.of(connection, outbox_id)
    assert row is not None
    return [each.address for each in row.recipients]


def test_a_file_reaches_as_many_in_each_field(runtime: Runtime, account: Account) -> None:
    raw = letter(account, crowd(MOST), f"Cc: {crowd(MOST, 'cc')}\r\nBcc: {crowd(MOST, 'bcc')}\r\n")
    assert len(recipients(runtime, queue_file(runtime, account, raw))) == 3 * MOST


@pytest.mark.parametrize(
    ("to", "more", "code"),
    [
        (crowd(MOST + 1), "", "recipients_too_many"),
        ("bram@klant.example", f"Bcc: {crowd(2 * MOST)}\r\n", "recipients_too_many"),
        ("bram@klant.example", f"Cc: {crowd(3 * MOST)}\r\n", "recipients_too_many"),
        ("bram@klant.example", f"Cc: {crowd(MOST)}\r\nCc: laatste@klant.example\r\n", "recipients_too_many"),
        ("bram@klant.example", f"Cc: {crowd(3000)}\r\n", "header_too_big"),  # a field above 64 kB
        ("bram@klant.example", f"Cc: {crowd(9000)}\r\n", "header_too_big"),  # a head above 256 kB
        ("bram@klant.example", "X-More: 1\r\n" * 1001 + "Bcc: een@klant.example\r\n", "header_too_big"),
        ("bram@klant.example, caf\u00e9@klant.example", "", "recipient_invalid"),
        ("bram@klant.example", "Bcc: kwijt, een@klant.example\r\n", "recipient_invalid"),
        ("undisclosed-recipients:;", "", "recipient_missing"),
    ],
)
def test_a_file_whose_recipients_do_not_all_fit_is_not_sent(
    runtime: Runtime, account: Account, to: str, more: str, code: str
) -> None:
    with pytest.raises(InputError) as caught:
        queue_file(runtime, account, letter(account, to, more))
    assert caught.value.problem.code == code
    assert sending.everything(runtime, account.user_id) == []
