"""Mail that costs its reader far more than its sender, by kind; each is what one person could be sent.

`size` doubles all of them. They are written from what the formats allow (RFC 5322, 2045, 2231, 5545, 6350,
3676, HTML, CSS), not from what a parser is known to do.
"""

from base64 import b64encode
from collections.abc import Iterator
from itertools import cycle, islice

HEAD = "From: Eva <eva@klant.example>\r\nDate: Mon, 23 Nov 2026 08:15:00 +0000\r\nMIME-Version: 1.0\r\n"


def openable(size: int = 1) -> dict[str, list[bytes]]:
    """Messages by kind, to be opened again and again."""
    return {
        "invitations": [
            _mail(f"ics {n}", "text/calendar; method=REQUEST", each) for n, each in enumerate(calendars(size))
        ],
        "headers": [
            f"{HEAD}Subject: header {n}\r\n{each}\r\n\r\nHallo.\r\n".encode()
            for n, each in enumerate(headers(size))
        ],
        "HTML": [_mail(f"html {n}", "text/html", each) for n, each in enumerate(pages(size))],
        "CSS": [_mail(f"css {n}", "text/html", each) for n, each in enumerate(styles(size))],
        "quotes": [_mail(f"quote {n}", kind, each) for n, (kind, each) in enumerate(quotes(size))],
        "parts": [f"{HEAD}Subject: parts {n}\r\n{each}".encode() for n, each in enumerate(parts(size))],
    }


def calendars(size: int) -> Iterator[str]:
    for line in (
        "DTSTART" + ";X=a,a" * 12 * size,
        "DTSTART" + ";X=a,a" * 12 * size + ":20261201T100000Z",
        "ATTENDEE" + ';CN="a"' * 2_000 * size,
        'DTSTART;X="' + "a" * 40_000 * size + ":20261201T100000Z",
        "DTSTART" + ";" * 20_000 * size + ":20261201T100000Z",
        "RRULE:FREQ=SECONDLY;BYSECOND=" + ",".join(map(str, range(60))) * 200 * size,
        "\r\n".join(f'ATTENDEE;CN="{"x" * 200}{n}":mailto:g{n}@klant.example' for n in range(900)),
        "SUMMARY:" + "\\;\\," * 20_000 * size,
        "DESCRIPTION:" + "\r\n ".join("a" * 2 for _ in range(30_000 * size)),
    ):
        yield (
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\n"
            f"DTSTART:20261201T100000Z\r\n{line}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )


def headers(size: int) -> Iterator[str]:
    many = 60_000 * size
    for field in ("Content-Type: text/plain", "Content-Disposition: attachment"):
        yield field + ";" * many
        yield field + ";" * 10 * many
        yield field + ";a*0*=a" * (many // 7)
        yield f"{field}; x=" + '"\\' * many
    yield "To: " + "(" * many
    yield "To: " + "," * many
    yield "To: " + "<@a,@b:" * (many // 4)
    yield "Cc: " + ", ".join(f"g{n}@klant.example" for n in range(many // 4))
    yield "Subject: " + " ".join(["=?utf-8?q?=41?="] * (many // 10))
    yield "X-Words: " + "=?utf-8?b?" * (many // 4)
    yield "X-Fold: a" + "\r\n " * many
    yield "\r\n".join(f"X-{n}: {'a' * 200}" for n in range(many // 20))


def pages(size: int) -> Iterator[str]:
    room = 500_000 * size
    for piece in (
        *("<ul><li>", "<table><tr><td>", "<a><b>", "<div ", "<", "&", "&#", "<!--", "<p><font>", "</p>"),
    ):
        yield piece * (room // len(piece))
    yield "<i " + " ".join(f"a{n}=1" for n in range(room // 8)) + ">x"
    yield "".join(f'<a href="https://e{n}.example/{"a" * 60}">x</a>' for n in range(room // 100))
    yield '<img src="' + "a" * room + '">'


def styles(size: int) -> Iterator[str]:
    room = 1_000_000 * size
    for style in (
        "color:red;" * 20,
        "color:" + "(" * 400,
        "/*" * 200,
        "font-family:'" + "a" * 400,
        "a" * 400,
    ):
        one = f'<b style="{style}">x</b>'
        yield one * (room // len(one))
    yield '<b style="' + "color:rgb(1,1,1);" * (room // 17) + '">x</b>'
    yield "<style>" + "a," * (room // 2) + "b{color:red}</style>x"


def quotes(size: int) -> Iterator[tuple[str, str]]:
    room = 3_500_000 * size
    plain, flowed = "text/plain; charset=utf-8", "text/plain; charset=utf-8; format=flowed; delsp=yes"
    yield plain, "".join(islice(cycle(("> a\n", "b\n")), room // 3))
    yield plain, ">" * room
    yield flowed, "a \n" * (room // 3)
    yield flowed, "".join(islice(cycle((">a \n", "> >a \n")), room // 5))
    yield plain, "https://" * (room // 16)
    yield plain, "www." * (room // 8)


def parts(size: int) -> Iterator[str]:
    many = 20_000 * size
    yield "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + "--b\r\n\r\nx\r\n" * many
    yield "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + "--b" * many
    for field in ("Content-Type: text/plain", "Content-Disposition: attachment; filename=x"):
        heavy = f"--b\r\n{field}{';' * 60_000}\r\n\r\nx\r\n"
        yield "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + heavy * 10 * size
    nested = "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(many // 10)
    )
    yield nested
    yield "Content-Type: message/rfc822\r\n\r\n" * (many // 2)
    yield f'Content-Type: multipart/mixed; boundary="{"b" * 60_000}"\r\n\r\n' + f"--{'b' * 70}\r\n" * many


def cards(size: int = 1) -> dict[str, str]:
    """Files of cards, by name."""
    many = 12 * size
    vcard = "BEGIN:VCARD\r\nVERSION:3.0\r\n{}\r\nFN:Eva\r\nEND:VCARD\r\n"
    return {
        "parameters.vcf": vcard.format("TEL" + ";X=a,a" * many),
        "quoted parameters.vcf": vcard.format("TEL" + ';X="a"' * 200 * many),
        "quotes.vcf": vcard.format('TEL;X="' + "a" * 4_000 * many + ":1"),
        "many.vcf": vcard.format("TEL:1") * 2_000 * size,
        "folds.vcf": vcard.format("NOTE:" + "\r\n a" * 5_000 * many),
        "quotes.csv": 'first_name,last_name\n"' + '","' * 100_000 * size,
        "commas.csv": "first_name,last_name\n" + "," * 1_000_000 * size,
        "rows.csv": "first_name,address\n" + "eva,eva@klant.example\n" * 20_000 * size,
    }


def searches() -> Iterator[str]:
    """Words to look for that cost the most, without end."""
    return cycle(
        (
            "a", "e* n* a*", '"' * 100, " ".join("abcdefghij"), "%" * 200, "_ " * 80, "NEAR(" * 30,
            "from:" * 40, " OR ".join(f"{n}*" for n in range(60)), "é" * 200, "(" * 200, "- " * 90, "a" * 200,
            "offerte*",
        )
    )  # fmt: skip


def _mail(subject: str, kind: str, content: str) -> bytes:
    whole = kind if "charset" in kind else f"{kind}; charset=utf-8"
    body = b64encode(content.encode()).decode()
    lines = "\r\n".join(body[at : at + 76] for at in range(0, len(body), 76))
    head = f"{HEAD}Subject: {subject}\r\nContent-Type: {whole}\r\nContent-Transfer-Encoding: base64\r\n"
    return f"{head}\r\n{lines}\r\n".encode()
