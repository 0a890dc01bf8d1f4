"""Messages are built once, in bytes no server and no parser can misread."""

import re
from datetime import UTC, datetime
from email import message_from_bytes

import pytest

from soinbox_web.mail.mime.compose import build, new_message_id
from soinbox_web.mail.mime.parse import parse, part_bytes
from soinbox_web.model.message import Correspondent
from soinbox_web.model.outgoing import Outgoing, OutgoingFile
from soinbox_web.problems import InputError

_ANNA = Correspondent("Anna de Vries", "anna@noordlicht.example")
_BRAM = Correspondent("", "bram@noordlicht.example")
_DATE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def _build(**fields):
    usual = {"sender": _ANNA, "to": (_BRAM,), "subject": "Offerte", "text": "Dag Bram"}
    return build(Outgoing(**{**usual, **fields}), message_id="<1@noordlicht.example>", date=_DATE)


def _no_bare_line_ends(raw):
    return not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", raw)


def test_what_is_built_is_read_back():
    attached = bytes(range(256)) * 100
    built = _build(
        sender=Correspondent('Zoë "Q." Äcker', "zoe@exämple.example"),
        cc=(Correspondent("Vries, Anna de", "anna@noordlicht.example"),),
        bcc=(Correspondent("", "geheim@noordlicht.example"),),
        subject="Onderwerp met é, 漢字 en een heel lange staart " * 4,
        text="Regel één\nFrom hier\n.\n..\n" + "lang " * 400,
        html='<p>Regel <b>één</b> <img src="cid:logo"></p>',
        attachments=(
            OutgoingFile(
                "jaarverslag café 2026 met een lange naam die gevouwen wordt.pdf", "application/pdf", attached
            ),
            OutgoingFile("logo.png", "image/png", b"\x89PNG", "logo"),
        ),
        in_reply_to="<a@x.example>",
        references=("<" + "r" * 200 + "@x.example>", "<a@x.example>"),
    )
    message = parse(built.wire)
    assert message.sender == (Correspondent('Zoë "Q." Äcker', "zoe@xn--exmple-cua.example"),)
    assert message.cc == (Correspondent("Vries, Anna de", "anna@noordlicht.example"),)
    assert message.bcc == ()
    assert message.subject == ("Onderwerp met é, 漢字 en een heel lange staart " * 4).strip()
    assert message.text == ("Regel één\nFrom hier\n.\n..\n" + "lang " * 400).rstrip("\n")
    assert message.html is not None
    assert "één" in message.html
    assert message.references == ("<" + "r" * 200 + "@x.example>", "<a@x.example>")
    assert [a.name for a in message.attachments] == [
        "logo.png", "jaarverslag café 2026 met een lange naam die gevouwen wordt.pdf",
    ]  # fmt: skip
    assert part_bytes(built.wire, message.attachments[1].part)[2] == attached
    assert message.defects == ()
    assert built.envelope_from == "zoe@xn--exmple-cua.example"
    assert built.recipients == (
        "bram@noordlicht.example", "anna@noordlicht.example", "geheim@noordlicht.example",
    )  # fmt: skip
    for raw in (built.wire, built.sent_copy):
        assert _no_bare_line_ends(raw)
        assert raw.isascii()
        assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert message_from_bytes(built.wire).get_content_type() == "multipart/mixed"


def test_bcc_is_in_the_copy_only():
    built = _build(bcc=(Correspondent("", "geheim@noordlicht.example"),))
    assert b"geheim" not in built.wire
    assert b"Bcc: geheim@noordlicht.example\r\n" in built.sent_copy
    assert built.sent_copy.replace(b"Bcc: geheim@noordlicht.example\r\n", b"") == built.wire


@pytest.mark.parametrize(
    "text", ["a\n.\nMAIL FROM:<x>", "a\r.\rb", "a\r\n.\r\nb", "a\n.\rb\r\n", "\r\r\n\n", "a\0b"]
)
def test_no_bare_line_end_reaches_the_wire(text):
    for html in (None, text):
        assert _no_bare_line_ends(_build(text=text, html=html).wire)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\0"])
@pytest.mark.parametrize(
    "fields",
    [
        lambda e: {"subject": f"x{e}Bcc: evil@x.example"},
        lambda e: {"sender": Correspondent(f"x{e}Bcc: evil@x.example", "a@x.example")},
        lambda e: {"sender": Correspondent("", f"a@x.example{e}Bcc: b@x.example")},
        lambda e: {"to": (Correspondent(f"x{e}X: y", "a@x.example"),)},
        lambda e: {"cc": (Correspondent("", f"a{e}@x.example"),)},
        lambda e: {"bcc": (Correspondent("", f"a@x.example>{e}RCPT TO:<b@x.example"),)},
        lambda e: {"reply_to": (Correspondent(f"{e}", "a@x.example"),)},
        lambda e: {"in_reply_to": f"<a@x.example>{e}X: y"},
        lambda e: {"references": (f"<a{e}@x.example>",)},
        lambda e: {"attachments": (OutgoingFile(f"a{e}X: y", "text/plain", b""),)},
    ],
)  # fmt: skip
def test_header_injection_is_refused(fields, end):
    with pytest.raises(InputError):
        _build(**fields(end))


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "@x.example",
        "a@",
        "a b@x.example",
        "a@b@x.example ",
        "ä@x.example",
        "a@x..example",
        "<a@x.example>",
    ],
)
def test_addresses_that_cannot_be_sent_to(address):
    with pytest.raises(InputError) as caught:
        _build(to=(Correspondent("", address),))
    assert caught.value.problem.code == "address_invalid"


def test_a_type_that_cannot_be_is_sent_as_bytes():
    built = _build(
        attachments=(OutgoingFile("a.eml", "message/rfc822", b"x"), OutgoingFile("b", "text/x\r\n", b"y"))
    )
    assert [a.type for a in parse(built.wire).attachments] == ["application/octet-stream"] * 2


def test_message_ids_differ_and_carry_the_domain():
    first, second = new_message_id("anna@noordlicht.example"), new_message_id("anna@noordlicht.example")
    assert first != second
    assert first.endswith("@noordlicht.example>")
