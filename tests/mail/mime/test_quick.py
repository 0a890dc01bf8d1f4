"""fast-mail-parser's tree: the same text as our own reader's, or a doubt; never anything else."""

import random
from email.message import EmailMessage

import pytest

from bench import mailboxes
from soinbox_web.mail.mime import quick
from soinbox_web.mail.mime.parse import carefully_read_text, readable_text
from tests.mail.mime.corpora import messages, own, present

REASONS = {
    "cpython/038-msg_38.eml": "boundaries of outer parts inside inner ones, which end elsewhere then",
    "imaptools/054-raw_email4.eml": "the last boundary is cut off: text for one reader, none for the other",
    "rubymail/017-raw_email4.eml": "the same message",
}


def _quick(raw: bytes) -> bool:
    try:
        quick.tree(raw)
    except quick.Doubt:
        return False
    return True


def test_generated_messages_go_the_quick_way_and_read_the_same() -> None:
    for _, _, raw in mailboxes.messages(1_000):
        assert _quick(raw)
        assert readable_text(raw) == carefully_read_text(raw)


@present
def test_odd_messages_read_the_same_or_with_care() -> None:
    went, differing = 0, []
    for name, raw in messages():
        went += _quick(raw)
        if readable_text(raw) != carefully_read_text(raw):
            differing.append(name)
    assert differing == sorted(REASONS)
    assert went > 600


@present
def test_nothing_but_text_comes_of_mutations() -> None:
    dice = random.Random(11)
    given = [raw for _, raw in messages() if len(raw) < 20_000]
    for _ in range(3_000):
        raw = bytearray(dice.choice(given))
        for _ in range(dice.randrange(1, 8)):
            place = dice.randrange(len(raw) + 1)
            raw[place : place + dice.randrange(4)] = dice.choice(
                (b"", b"\r\n", b"--", b'"', b"=", b";", b"boundary=x", b"\0", b"\xff", b"(", b"\r\n\r\n")
            )
        assert isinstance(readable_text(bytes(raw)), str)


@pytest.mark.parametrize("name", ["cr-only", "empty", "from-line-first", "base64-message"])
def test_doubts(name: str) -> None:
    with pytest.raises(quick.Doubt):
        quick.tree(own(name))


def test_deep_and_wide_trees_are_read_with_care() -> None:
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (depth, depth)
        for depth in range(2_000)
    )
    message = EmailMessage()
    message.set_content("Hallo")
    for number in range(60):
        message.add_attachment(b"x", "application", "pdf", filename=f"{number}.pdf")
    for raw in (b"Subject: x\r\n" + deep, message.as_bytes()):
        with pytest.raises(quick.Doubt):
            quick.tree(raw)
