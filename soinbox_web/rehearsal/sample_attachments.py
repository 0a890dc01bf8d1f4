"""Attachments made on the spot: a PDF, a PNG, a text and an invitation."""

import struct
import zlib
from datetime import datetime, timedelta


def pdf(title: str, lines: tuple[str, ...]) -> bytes:
    """A PDF of one page that any viewer opens; Latin-1 text."""
    texts = "".join(f"0 -22 Td ({_escaped(line)}) Tj\n" for line in lines)
    content = f"BT /F1 20 Tf 60 770 Td ({_escaped(title)}) Tj /F1 12 Tf 0 -20 Td\n{texts}ET"
    stream = content.encode("latin-1", "replace")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )
    data = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(data))
    return data + head + table + tail


def png(width: int, height: int, seed: int) -> bytes:
    """A picture: the northern light over a dark plain, its colours turned by `seed`."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            wave = (x * 7 + seed * 31) % 97 / 97
            glow = max(0.0, 1 - abs(y / height - 0.25 - 0.2 * wave) * 3)
            rows += bytes(
                (
                    int(12 + 40 * glow * ((seed % 3) / 2)),
                    int(30 + 190 * glow),
                    int(48 + 110 * glow * (1 - wave)),
                )
            )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            (b"IDAT", zlib.compress(bytes(rows), 9)),
            (b"IEND", b""),
        )
    )


def invitation(uid: str, summary: str, begin: datetime, organizer: str, attendee: str, place: str) -> bytes:
    """An iCalendar REQUEST of one hour (RFC 5545, RFC 5546); `begin` in UTC."""
    stamp, end = f"{begin:%Y%m%dT%H%M%SZ}", f"{begin + timedelta(hours=1):%Y%m%dT%H%M%SZ}"
    lines = (
        "BEGIN:VCALENDAR",
        "PRODID:-//rehearsal//soinbox//EN",
        "VERSION:2.0",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{begin - timedelta(days=6):%Y%m%dT%H%M%SZ}",
        f"DTSTART:{stamp}",
        f"DTEND:{end}",
        f"SUMMARY:{summary}",
        f"LOCATION:{place}",
        f"ORGANIZER:mailto:{organizer}",
        f"ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{attendee}",
        "SEQUENCE:0",
        "STATUS:CONFIRMED",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    )
    return "\r\n".join(lines).encode()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
