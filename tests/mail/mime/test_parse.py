"""Odd messages of our own making are read, each in the way a person expects."""

import hashlib
from datetime import UTC, datetime

import pytest

from soinbox_web.mail.mime import caps
from soinbox_web.mail.mime.parse import parse, part_bytes
from soinbox_web.model.message import Correspondent
from tests.mail.mime.corpora import OWN, own


@pytest.mark.parametrize("path", sorted(OWN.glob("*.eml")), ids=lambda path: path.stem)
def test_every_odd_message_is_read_and_each_part_can_be_fetched(path):
    raw = path.read_bytes()
    message = parse(raw)
    assert not message.source_only
    for attachment in message.attachments:
        media_type, name, content = part_bytes(raw, attachment.part)
        assert (media_type, name, len(content)) == (attachment.type, attachment.name, attachment.size)
        assert hashlib.sha256(content).hexdigest() == attachment.sha256


def test_empty():
    message = parse(own("empty"))
    assert (message.subject, message.sender, message.text, message.date) == ("", (), "", None)
    assert message.defects == ("message is empty",)


def test_no_date_sender_subject():
    message = parse(own("no-date-sender-subject"))
    assert (message.subject, message.sender, message.date) == ("", (), None)
    assert message.text == "No date, no sender, no subject."


def test_a_text_without_a_header_is_kept():
    assert parse(own("body-without-header")).text.startswith("Just text, as if a header were missing.")


def test_eight_bit_header_and_text():
    message = parse(own("raw-latin1"))
    assert message.subject == "Café crème"
    assert message.text == "Een café kost € 3"


def test_utf8_that_is_none_falls_back_on_windows_1252():
    assert parse(own("utf8-said-but-cp1252")).text == "De prijs is € 12,50 voor een café"


def test_unknown_charset_is_tried_as_utf8_and_said():
    message = parse(own("unknown-charset"))
    assert message.text == "Héllo"
    assert "unknown charset" in message.defects


def test_codecs_named_by_mail_are_never_used():
    message = parse(own("codec-named-by-mail"))
    assert "Hello" not in message.subject
    assert "Uryyb" in message.subject
    assert message.text == "caf-dma"


def test_attachments_inside_a_base64_message_are_seen():
    message = parse(own("base64-message"))
    assert message.text.strip() == "Zie bijlage."
    assert [(a.name, a.type) for a in message.attachments] == [
        ("Verborgen factuur.eml", "message/rfc822"),
        ("factuur.pdf", "application/pdf"),
    ]


def test_rfc_2231_name():
    assert [a.name for a in parse(own("rfc2231-name")).attachments] == ["jaar\xadverslag café.pdf"]


def test_names_have_no_path_no_bidi_and_end():
    first, second, third = (a.name for a in parse(own("path-in-name")).attachments)
    assert first == "runfdp.exe"
    assert second == "part-2.png"
    assert len(third) == caps.FILE_NAME
    assert third.endswith(".html")


def test_uuencode_is_noted_and_winmail_stays():
    assert "uuencoded file in the text" in parse(own("uuencode")).defects
    assert [a.name for a in parse(own("winmail")).attachments] == ["winmail.dat"]


def test_control_and_bidi_characters_leave_header_texts():
    assert parse(own("bidi-subject")).subject == "Factuur fdp.exe ok"
    assert parse(own("header-injected-names")).cc == (
        Correspondent("Ann B[31m", "ann@x.example"),
        Correspondent("Eve <eve@x.example>, Mal", "mal@x.example"),
    )


def test_boundaries_that_are_missing():
    message = parse(own("boundary-missing-at-end"))
    assert (message.text, message.html) == ("plat", "<p>rijk")
    assert parse(own("boundary-absent")).text == "Gewoon tekst."


def test_text_html_and_pictures_of_a_newsletter():
    message = parse(own("alternative-in-related"))
    assert message.text == "Dit is een lange regel."
    assert message.html is not None
    assert [(a.name, a.inline, a.content_id) for a in message.attachments] == [("logo.png", True, "logo@x")]


@pytest.mark.parametrize("name", ["lf-only", "cr-only", "from-line-first"])
def test_line_ends_and_mbox_line(name):
    message = parse(own(name))
    assert message.sender == (Correspondent("Anna de Vries", "anna@noordlicht.example"),)
    assert message.date == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    assert message.text.startswith(("regel 1\nregel 2", "Tekst"))


def _nested(depth: int) -> bytes:
    raw = b"Content-Type: text/plain\r\n\r\ndeep\r\n"
    for level in range(depth):
        boundary = b"b%d" % level
        head = b'Content-Type: multipart/mixed; boundary="%s"\r\n\r\n--%s\r\n' % (boundary, boundary)
        raw = head + raw + b"--%s--\r\n" % boundary
    return b"Subject: nested\r\n" + raw


def test_nesting_cap():
    assert parse(_nested(caps.DEPTH)).text.strip() == "deep"
    beyond = parse(_nested(caps.DEPTH + 1))
    assert (beyond.source_only, beyond.subject) == (True, "nested")


def test_part_cap():
    head = b"Subject: many\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    assert not parse(head + b"--b\r\n\r\nx\r\n" * (caps.PARTS - 1) + b"--b--").source_only
    assert parse(head + b"--b\r\n\r\nx\r\n" * (caps.PARTS + 1) + b"--b--").source_only


@pytest.mark.parametrize(
    "header",
    [
        b"X-A: b\r\n" * (caps.HEADER_FIELDS + 1),
        b"X-A: " + b"b" * (caps.HEADER_FIELD + 1) + b"\r\n",
        (b"X-A: " + b"b" * 60_000 + b"\r\n") * 5,
    ],
    ids=["fields", "field", "block"],
)
def test_header_caps_leave_the_source_and_the_fields_above(header):
    message = parse(b"Subject: still here\r\nFrom: a@b.example\r\n" + header + b"\r\nbody")
    assert message.source_only
    assert message.subject == "still here"
    assert message.defects
