"""A message beyond what is fetched: whoever opens it is told so in words about reading."""

from soinbox_web.mail.imap.bodies import LARGEST
from soinbox_web.model.account import Account
from soinbox_web.model.member import Member
from soinbox_web.runtime import Runtime
from soinbox_web.services import fetching
from soinbox_web.store import requests
from soinbox_web.texts import translator
from tests import seed


def test_a_message_that_is_too_large_is_told_of_as_one_to_read(runtime: Runtime, member: Member) -> None:
    account: Account = seed.account(runtime, member)
    (key,) = seed.deliver(runtime, account, [seed.letter("Groot")])
    with runtime.mailbox(account.id, account.generation).write() as connection:
        connection.execute("DELETE FROM bodies")
        connection.execute("UPDATE messages SET size = ?", (LARGEST + 1,))
    with runtime.db.write() as connection:
        number = requests.ask(connection, account.id, "body", str(key), runtime.clock.now())
        asked = requests.of(connection, number)
    assert asked is not None
    nobody = None  # the server is not asked
    fetching.answer(fetching.Reader(runtime, account, nobody), asked)  # type: ignore[arg-type]
    with runtime.db.read() as connection:
        answered = requests.of(connection, number)
    assert answered is not None and answered.problem is not None
    told = answered.problem
    assert told.code == "message_too_large"
    for language in ("en", "nl"):
        assert "50 MB" in told.cause(translator(language))
