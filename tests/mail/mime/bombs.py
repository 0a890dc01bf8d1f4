"""Messages of our own making that cost a careless reader much more than their size; each in any size."""

import base64
from collections.abc import Callable, Iterator

Bomb = Callable[[int], bytes]


def _header(name: str, value: bytes) -> bytes:
    return name.encode() + b": " + value + b"\r\nSubject: bomb\r\n\r\nx\r\n"


def _many_headers(name: str, piece: bytes, size: int) -> bytes:
    """A value in fields of 60 kB each, as many as the header block may hold."""
    value = piece * (60_000 // len(piece))
    count = max(1, min(4, size // 60_000))
    return b"".join(name.encode() + b": " + value[:size] + b"\r\n" for _ in range(count)) + b"\r\nx\r\n"


def _typed(kind: str, body: bytes) -> bytes:
    return b"Subject: bomb\r\nMIME-Version: 1.0\r\nContent-Type: " + kind.encode() + b"\r\n\r\n" + body


def _encoded(encoding: str, body: bytes) -> bytes:
    head = b"Subject: bomb\r\nContent-Transfer-Encoding: " + encoding.encode() + b"\r\n"
    return head + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + body


def _parts(head: bytes, size: int) -> bytes:
    """As many parts as fit, each with this header."""
    part = b"--b\r\n" + head + b"\r\n\r\nx\r\n"
    return _typed("multipart/mixed; boundary=b", part * min(900, max(1, size // len(part))) + b"--b--\r\n")


def _calendar(lines: str) -> bytes:
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    return _typed("text/calendar; method=REQUEST", text.encode())


def _html(text: str) -> bytes:
    return _typed("text/html; charset=utf-8", text.encode())


def _nested(size: int) -> bytes:
    body = b"x"
    for level in range(49):
        mark = b"b%d" % level
        body = b"Content-Type: multipart/mixed; boundary=" + mark + b"\r\n\r\n--" + mark + b"\r\n" + body
    return b"Subject: bomb\r\n" + body + b"y" * size


def _fill(piece: str, size: int) -> str:
    return piece * max(1, size // len(piece))


BOMBS: dict[str, Bomb] = {
    # header fields
    "parameters": lambda n: _parts(b"Content-Type: text/plain" + b";" * 8_000, n),
    "parameters without values": lambda n: _parts(b"Content-Disposition: inline" + b";a" * 4_000, n),
    "parameters with blanks": lambda n: _parts(b"Content-Type: text/plain;a" + b" " * 7_900 + b"b", n),
    "parameters half quoted": lambda n: _parts(b'Content-Type: text/plain;a="' + b'\\"' * 3_900, n),
    "parameter pieces": lambda n: _parts(
        b"Content-Type: a/b" + b"".join(b";n*%d*=%%41" % i for i in range(600)), n
    ),
    "commas": lambda n: _many_headers("Cc", b",", n),
    "comments": lambda n: _many_headers("To", b"(", n),
    "comments closed": lambda n: _many_headers("To", b"(a)", n),
    "brackets": lambda n: _many_headers("From", b"<", n),
    "bracket pairs": lambda n: _many_headers("From", b"<>", n),
    "quotes": lambda n: _many_headers("To", b'"', n),
    "escapes": lambda n: _many_headers("To", b'"\\', n),
    "blanks in a phrase": lambda n: _many_headers("To", b'a "' + b" " * 50_000 + b'" @b', n),
    "dots with blanks": lambda n: _many_headers("To", b". @ ", n),
    "groups": lambda n: _many_headers("To", b"a:b;", n),
    "addresses without commas": lambda n: _many_headers("To", b"a@b ", n),
    "encoded words": lambda n: _many_headers("To", b"=?utf-8?q?=41?= ", n),
    "encoded words astray": lambda n: _many_headers("Subject", b"=?a?q?", n),
    "encoded gaps": lambda n: _many_headers("Subject", b"?= " + b" " * 50, n),
    "quoted names": lambda n: _many_headers("From", b"\"'", n),
    "references": lambda n: _many_headers("References", b"<a", n),
    "reference list": lambda n: _many_headers("References", b"<a@b>", n),
    "date": lambda n: _many_headers("Date", b" 1", n),
    "folds": lambda n: b"Subject: x" + b"\r\n a" * (n // 4) + b"\r\n\r\nx",
    "blank lines in a header": lambda n: b"Subject: x\r\n" + b" \r\n" * (n // 3) + b"A: b\r\n\r\nx",
    "lines that are no fields": lambda n: b"A: b\r\n" + b"x\r\nA: b\r\n" * (n // 9) + b"\r\nx",
    "message identifier": lambda n: _many_headers("Message-ID", b"<", n),
    # structure
    "boundaries": lambda n: _typed('multipart/mixed; boundary="-"', b"-" * n),
    "boundaries astray": lambda n: _typed("multipart/mixed; boundary=b", b"x--b\r\n" * (n // 6)),
    "boundaries with blanks": lambda n: _typed("multipart/mixed; boundary=b", b"\n--b" + b" " * n + b"x"),
    "long boundary": lambda n: _typed(f"multipart/mixed; boundary={'a' * 900}", b"--" + b"a" * n),
    "empty parts": lambda n: _parts(b"", n),
    "nested parts": _nested,
    "messages in messages": lambda n: b"Subject: x\r\nContent-Type: message/rfc822\r\n\r\n" * (n // 45),
    "files": lambda n: _parts(b'Content-Disposition: attachment; filename="a"', n),
    # encodings
    "quoted-printable blanks": lambda n: _encoded("quoted-printable", b" " * n + b"x"),
    "quoted-printable signs": lambda n: _encoded("quoted-printable", b"=" * n),
    "base64 pieces": lambda n: _encoded("base64", b"QUI=" * (n // 4)),
    "base64 signs": lambda n: _encoded("base64", b"=" * n),
    "uuencode": lambda n: _encoded("x-uuencode", b"begin 644 a\n" * (n // 12)),
    "uuencoded lines": lambda n: _encoded("x-uuencode", b"begin 644 a\n" + b"M!\n" * (n // 3)),
    "bytes of no charset": lambda n: _typed("text/plain; charset=utf-8", b"\xff\xc3" * (n // 2)),
    "utf-7": lambda n: _typed("text/plain; charset=utf-7", b"+" * n),
    "iso-2022-jp": lambda n: _typed("text/plain; charset=iso-2022-jp", b"\x1b$B!" * (n // 4)),
    "iso-2022-kr": lambda n: _typed("text/plain; charset=iso-2022-kr", b"\x1b$)C\x0e" * (n // 5)),
    "hz": lambda n: _typed("text/plain; charset=hz", b"~{" * (n // 2)),
    "gb18030": lambda n: _typed("text/plain; charset=gb18030", b"\x81" * n),
    "utf-16": lambda n: _typed("text/plain; charset=utf-16", b"\xd8" * n),
    # plain text
    "quoted in turns": lambda n: _typed("text/plain", b"a\n>b\n" * (n // 5)),
    "quoted in blocks": lambda n: _typed("text/plain", (b"a\n" + b">b\n" * 5) * (n // 17)),
    "quoted deeply": lambda n: _typed("text/plain", b">" * n),
    "flowed": lambda n: _typed("text/plain; format=flowed", b"a \n" * (n // 3)),
    "flowed quotes": lambda n: _typed("text/plain; format=flowed", b"> a \n" * (n // 5)),
    "flowed blanks": lambda n: _typed("text/plain; format=flowed; delsp=yes", b" " * n),
    "links": lambda n: _typed("text/plain", b"http://a@" * (n // 9)),
    "addresses in a text": lambda n: _typed("text/plain", b"a.b@" * (n // 4)),
    "lines": lambda n: _typed("text/plain", b"\n" * n),
    # HTML
    "entities": lambda n: _html(_fill("&amp", n)),
    "entity numbers": lambda n: _html("<" * 70_000 + "&#" + "9" * n + ";"),
    "stray signs": lambda n: _html(_fill("&", n)),
    "comments without end": lambda n: _html(_fill("<!--", n)),
    "comments with another end": lambda n: _html(_fill("<!-- --!>", n)),
    "tags without end": lambda n: _html(_fill("<a ", n)),
    "tags": lambda n: _html(_fill("<b>", n)),
    "end tags": lambda n: _html(_fill("</p>", n)),
    "formatting astray": lambda n: _html(_fill("<p><b><i></p>", n)),
    "deep blocks": lambda n: _html("<div>" * 490 + _fill("<span></i></span>", n)),
    "table cells": lambda n: _html("<table>" * 100 + _fill("<tr><td>", n)),
    "attributes": lambda n: _html("<p" + _fill(" a=b", n) + ">x"),
    "attribute quotes": lambda n: _html("<p " + _fill("a='\"", n) + ">x"),
    "styles": lambda n: _html("".join(f'<p style="a{i}:{",[1" * 2_000}">x' for i in range(n // 6_000))),
    "one style": lambda n: _html(_fill('<p style="color:red;margin:0 1px">x', n)),
    "style brackets": lambda n: _html('<p style="a:' + "([" * (n // 2) + '">x'),
    "style comments": lambda n: _html('<p style="' + _fill("/*", n) + '">x'),
    "selectors": lambda n: _html("<style>" + _fill("a,b>c~d{", n) + "</style>x"),
    "pictures": lambda n: _html(_fill('<img src="cid:a">', n)),
    "remote pictures": lambda n: _html(
        "".join(f'<img src="http://a.example/{i}">' for i in range(n // 34))
    ),
    "sources": lambda n: _html('<img srcset="' + _fill("a,", n) + '">'),
    "links in HTML": lambda n: _html(_fill('<a href="http://a">', n)),
    "bodies": lambda n: _html(_fill("<body ", n)),
    "script": lambda n: _html("<script>" + _fill("<!--<script>", n)),
    "drawings": lambda n: _html(_fill("<svg><style>", n)),
    "plain ends": lambda n: _html(_fill("<", n)),
    # meetings
    "calendar parameters": lambda n: _calendar("DTSTART" + _fill(";X=a,a", min(n, 200_000)) + ":20260101"),
    "calendar quotes": lambda n: _calendar("DTSTART" + _fill(';X="a', min(n, 200_000)) + ":20260101"),
    "calendar folds": lambda n: _calendar("SUMMARY:a" + _fill("\r\n b", min(n, 7_000))),
    "calendar escapes": lambda n: _calendar("SUMMARY:" + _fill("\\n\\,", min(n, 200_000))),
    "calendar lines": lambda n: _calendar(_fill("ATTENDEE;CN=a:mailto:a@b\r\n", min(n, 40_000))),
    "calendar components": lambda n: _calendar(_fill("BEGIN:VALARM\r\n", min(n, 25_000))),
    "calendar rules": lambda n: _calendar("RRULE:FREQ=SECONDLY;COUNT=" + "9" * min(n, 200_000)),
    "calendar durations": lambda n: _calendar("DTSTART:20260101\r\nDURATION:P" + "9" * min(n, 4_000) + "D"),
    "calendar zones": lambda n: _calendar("DTSTART;TZID=" + _fill("a/", min(n, 100_000)) + ":20260101T0"),
}  # fmt: skip

SIZES = (20_000, 200_000, 1_000_000)
LARGE = (20_000_000, 40_000_000)


def everything(size: int) -> Iterator[tuple[str, bytes]]:
    """Each bomb, in this size and twice as large, and some of them inside each other."""
    for name, bomb in BOMBS.items():
        yield f"{name} {size}", bomb(size)
        yield f"{name} {size * 2}", bomb(size * 2)
    names = list(BOMBS)
    for number, name in enumerate(names):
        other = names[(number * 7 + 3) % len(names)]
        yield f"{name} in {other} {size}", inside(BOMBS[name](size), BOMBS[other](size))


def inside(inner: bytes, outer: bytes) -> bytes:
    """A message with one bomb attached as a message, the other as base64 of one."""
    return (
        b"Subject: two\r\nContent-Type: multipart/mixed; boundary=outermost\r\n\r\n--outermost\r\n"
        b"Content-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--outermost\r\n"
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(outer) + b"\r\n--outermost--\r\n"
    )  # fmt: skip


def long_invitation(attendees: int) -> bytes:
    """Whose meeting takes much longer to read than all else."""
    lines = "".join(f"ATTENDEE;CN=a{n}:mailto:a{n}@b.example\r\n" for n in range(attendees))
    return (
        "Subject: Overleg\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHallo!\r\n--b\r\n"
        "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\n"
        f"DTSTART:20261201T090000Z\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n--b--\r\n"
    ).encode()


def lines_without_number(size: int) -> bytes:
    """A file of so many lines that no reader within its memory parts them."""
    head = b"Subject: lines\r\nContent-Transfer-Encoding: x-uuencode\r\nContent-Disposition: attachment\r\n"
    return head + b"Content-Type: application/pdf\r\n\r\nbegin 644 a\n" + b"M!\n" * (size // 3)
