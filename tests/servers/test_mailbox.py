"""The mailbox fixture: signed in, delivered to, sent from."""

import email.policy

import pytest

from tests.servers.mailbox import RealMailbox

pytestmark = pytest.mark.real


def test_round_trip(mailbox: RealMailbox) -> None:
    mailbox.deliver_text("Grüße", "één", flags=["\\Seen"])
    message = email.message_from_bytes(mailbox.messages()[0], policy=email.policy.default)
    assert message["Subject"] == "Grüße"
    assert message.get_content().strip() == "één"
    with mailbox.submission() as client:
        client.sendmail(mailbox.address, [mailbox.address], b"Subject: to myself\r\n\r\nhello\r\n")
    assert mailbox.sent() == [b"Subject: to myself\r\n\r\nhello\r\n"]
    assert mailbox.messages()[1].endswith(b"Subject: to myself\r\n\r\nhello\r\n")


def test_each_test_has_its_own(mailbox: RealMailbox) -> None:
    assert mailbox.messages() == []
