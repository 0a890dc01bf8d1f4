"""A message that begins with nothing: empty lines or blanks before its first field."""

import time

import pytest

from soinbox_web.mail.mime.reader import read, read_fields

MESSAGE = b"Subject: Hallo\r\nFrom: eva@klant.example\r\n\r\nTekst\r\n"


@pytest.mark.parametrize(
    "blank",
    [b"\r\n", b"\n", b"\r\n\r\n\r\n", b" ", b"\t  ", b"  \r\n \t\r\n", b"\n" * 50_000, b" " * 100_000],
)
def test_its_header_is_read(blank):
    reading = read(blank + MESSAGE)
    assert reading.root.value("subject") == b"Hallo" and reading.root.body.strip() == b"Tekst"
    assert dict(read_fields(blank + MESSAGE))["from"] == b"eva@klant.example"


@pytest.mark.parametrize("raw", [b"\r\nNo field here\r\n", b"  no field\r\n", b"\r\n", b"   ", b""])
def test_a_body_alone_stays_one(raw):
    assert not read(raw).root.fields


def test_a_part_that_begins_with_an_empty_line_has_no_header():
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nNote: text\r\n--b--\r\n"
    (part,) = read(raw).root.children
    assert not part.fields and part.body.strip() == b"Note: text"


@pytest.mark.parametrize("blank", [b" ", b"\r\n", b" \r\n\t"])
def test_twice_the_blank_is_not_more_than_twice_the_work(blank):
    def seconds(times: int) -> float:
        raw = blank * times + b"x"
        begun = time.process_time()
        read_fields(raw)
        return time.process_time() - begun

    assert min(seconds(2_000_000) for _ in range(3)) < 2.5 * min(seconds(1_000_000) for _ in range(3)) + 0.02
