"""What the mailroom and the web process read of foreign bytes themselves costs as much as there is of it."""

import base64
import json
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import dns.message
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from soinbox_web.clock import SystemClock
from soinbox_web.mail import sasl
from soinbox_web.mail.discovery import dns as mail_dns
from soinbox_web.mail.discovery import published
from soinbox_web.mail.discovery.domains import registrable
from soinbox_web.mail.imap import envelope, folder_answers, header_parts, structure, tokens
from soinbox_web.mail.mime import authentication
from soinbox_web.mail.mime.reader import header_fault, read_fields
from soinbox_web.mail.net.wire import Wire
from soinbox_web.model import reply
from soinbox_web.model.address import Address
from soinbox_web.model.message import Correspondent
from soinbox_web.model.opened import Opened
from soinbox_web.model.sender_check import Known
from soinbox_web.services import sender_check
from soinbox_web.store import search, threads
from soinbox_web.store.mailbox_schema import SCHEMA
from tests.mail.linear import assert_linear

EVA = Address("eva", "zee.example")
Case = tuple[Callable[[Any], object], Callable[[int], Any], int]


def quietly(read: Callable[[Any], object]) -> Callable[[Any], object]:
    def reading(given: Any) -> None:
        try:
            read(given)
        except ValueError:
            pass

    return reading


def fill(piece: bytes, size: int) -> bytes:
    return piece * (size // len(piece))


def fetched(items: bytes) -> list[bytes]:
    return [b"1 FETCH (UID 7 " + items + b")"]


def quick(shape: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """An answer as `QUICK` wants it, up to the structure."""
    head = (
        b'* 1 FETCH (UID 7 FLAGS () INTERNALDATE "01-Dec-2026 10:00:00 +0000" RFC822.SIZE 9 ENVELOPE '
        b'("Tue, 1 Dec 2026 10:00:00 +0000" "x" '
    )
    return lambda n: head + shape(n) + b"\r\n"


class Dripping(socket.socket):
    """A line on which little comes at a time."""

    def recv(self, size: int, flags: int = 0) -> bytes:
        return super().recv(min(size, 4), flags)


def dripped(line: bytes) -> None:
    ours, theirs = socket.socketpair()
    with Dripping(fileno=ours.detach()) as sock, theirs:
        theirs.sendall(line + b"\r\n")
        wire = Wire(sock, SystemClock())
        wire.allow(60)
        assert wire.matched(envelope.QUICK) is None


def asked(fields: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """A header with a field above the first Received."""
    return lambda n: b"Authentication-Results: " + fields(n) + b"\r\nReceived: x\r\nFrom: a@b.example\r\n\r\n"


def many(field: bytes) -> Callable[[int], bytes]:
    return lambda n: fill(field + b"\r\n", n) + b"Received: x\r\nFrom: Eva <eva@zee.example>\r\n\r\n"


KNOWN = tuple(Correspondent(f"Eva Smit{n}", f"eva@zee{n}.example") for n in range(200))


def marks(raw: bytes) -> object:
    return sender_check.marks(raw, own_servers=frozenset(("mx.example",)), known=KNOWN)


def looks(domains: list[str]) -> object:
    known = Known.of((Correspondent("Eva", f"a@{each}") for each in domains), registrable)
    return known.domains.taken_for("zeezicht-login.example")


def xml(inside: Callable[[int], bytes]) -> Callable[[int], bytes]:
    return lambda n: b"<clientConfig><emailProvider>" + inside(n) + b"</emailProvider></clientConfig>"


def server(inside: Callable[[int], bytes]) -> Callable[[int], bytes]:
    return xml(lambda n: b'<incomingServer type="imap">' + inside(n) + b"</incomingServer>")


def answered(kind: str, text: Callable[[int], str]) -> Callable[[int], bytes]:
    def wire(size: int) -> bytes:
        message = dns.message.make_response(dns.message.make_query("zee.example.", kind))
        records = [text(number) for number in range(size)]
        message.answer.append(dns.rrset.from_text("zee.example.", 60, "IN", kind, *records))
        return bytes(message.to_wire(max_size=65_535))

    return wire


def records(wire: bytes) -> None:
    for found in dns.message.from_wire(wire).answer:
        for record in found:
            if found.rdtype == dns.rdatatype.TXT:
                mail_dns._digest(b"".join(record.strings))
            else:
                published.server_name(record.target.to_text(omit_final_dot=True))


def linked(batch: list[tuple[int, str, list[str]]]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        old = [(row, name, []) for row, _, names in batch for name in names]
        connection.executemany(
            "INSERT OR IGNORE INTO thread_links VALUES (?, ?)", [(name, row) for row, name, _ in old]
        )
        threads.link(connection, batch)


def chained(size: int) -> list[tuple[int, str, list[str]]]:
    """Each message joins two threads; in the order that makes the longest chain of them."""
    return [(n, f"<m{n}>", [f"<{n}>", f"<{n - 1}>"]) for n in range(size, 1, -1)]


def shown(size: int) -> Opened:
    urls = tuple(f"https://a.example/{n}" for n in range(1_000))
    html = "".join(f'<img src="/mark/{n % 1000}">' for n in range(size // 20))
    return Opened(None, html, "/mark/", urls)  # type: ignore[arg-type]


CASES: dict[str, Case] = {
    # answers of mail servers
    "tokens": (quietly(lambda a: tokens.tokens([a])), lambda n: b"(" + fill(b"a ", n) + b")", 100_000),
    "brackets": (quietly(lambda a: tokens.tokens([a])), lambda n: fill(b"(" * 90 + b")" * 90, n), 40_000),
    "brackets astray": (quietly(lambda a: tokens.tokens([a])), lambda n: fill(b"a[", n), 200_000),
    "brackets closed": (quietly(lambda a: tokens.tokens([a])), lambda n: fill(b"a[]", n), 200_000),
    "open string": (quietly(lambda a: tokens.tokens([a])), lambda n: b'"' + fill(b"\\a", n), 400_000),
    "strings": (quietly(lambda a: tokens.tokens([a])), lambda n: fill(b'"\\a" ', n), 60_000),
    "blanks": (quietly(lambda a: tokens.tokens([a])), lambda n: b" " * n + b"\n", 200_000),
    "literals": (quietly(tokens.tokens), lambda n: [b"a", b"b"] * (n // 2), 50_000),
    "pairs": (lambda a: tokens.pairs([[a] * 10] * 200), lambda n: fill(b"a", n), 5_000),
    "structure strings": (structure.marks, lambda n: fill(b'("', n), 200_000),
    "structure names": (structure.marks, lambda n: fill(b"name*", n), 200_000),
    "structure parts": (structure.marks, lambda n: b'(name"' + fill(b'("text" "x")', n) + b")", 100_000),
    "structure in structures": (
        structure.marks_of, lambda n: [[["text", "x", None, None, None, None, 1]] * 10] * n, 5_000
    ),
    "structure parameters": (
        structure.marks_of, lambda n: ["text", "x", ["a", "b"] * n, None, None, None, 1], 20_000
    ),
    "envelope line": (envelope.read_envelope, lambda n: fetched(fill(b"FLAGS (a) ", n)), 100_000),
    "envelope flags": (envelope.read_envelope, lambda n: fetched(b"FLAGS (" + fill(b"a ", n)), 60_000),
    "envelope people": (
        envelope.read_envelope,
        lambda n: fetched(b'ENVELOPE (NIL NIL (' + fill(b'("a" NIL "b" "c")', n)), 60_000,
    ),
    "envelope structure": (
        envelope.read_envelope, lambda n: fetched(b"BODYSTRUCTURE (" + fill(b"(a)", n)), 60_000
    ),
    "envelope deep structure": (
        envelope.read_envelope, lambda n: fetched(b"BODYSTRUCTURE " + fill(b"(" * 7 + b")" * 7, n)), 30_000
    ),
    "envelope too deep": (
        envelope.read_envelope, lambda n: fetched(b"BODYSTRUCTURE " + fill(b"(((((((((a", n)), 60_000
    ),
    "envelope literals": (
        envelope.read_envelope,
        lambda n: [b"1 FETCH (UID 7 ENVELOPE (", *[fill(b'\\"\r\n', n // 20), b" "] * 20], 60_000,
    ),
    "quick flags": (envelope.QUICK.match, lambda n: b"* 1 FETCH (UID 7 FLAGS (" + b"a " * (n // 2), 200_000),
    "quick people": (envelope.QUICK.match, quick(lambda n: b"(" + fill(b'("a" NIL "b" "c") ', n)), 200_000),
    "quick texts": (envelope.QUICK.match, quick(lambda n: b'(("' + fill(b"\\a", n)), 200_000),
    "quick structure": (
        envelope.QUICK.match,
        quick(lambda n: b'NIL NIL NIL NIL NIL NIL NIL NIL) BODYSTRUCTURE (' + fill(b") BODY[", n)), 200_000,
    ),
    "which message was passed over": (
        lambda a: envelope.uid_of(envelope.Passed(a, a)),
        lambda n: b"1 FETCH (" + fill(b" UID 1 FLAGS ()", n), 4_000,
    ),
    "header in parts": (
        lambda a: header_parts.values({"BODY[HEADER.FIELDS (TO)]": a}), lambda n: b"To:" + fill(b"\r\n a", n),
        2_000,
    ),
    "headers in parts": (
        lambda n: header_parts.values({f"BODY[HEADER.FIELDS (X{k})]": b"a:" + b"b" * 99 for k in range(n)}),
        lambda n: n, 5_000,
    ),
    "folders": (
        lambda a: folder_answers.with_roles_by_name(folder_answers.read_list(a, utf8=False)),
        lambda n: [b'LIST (\\HasNoChildren) "/" "f%d"' % k for k in range(n)], 5_000,
    ),
    "folder name": (
        lambda a: folder_answers.read_list([a], utf8=False),
        lambda n: b'LIST () "/" "' + fill(b"&AOk-", n) + b'"', 60_000,
    ),
    "folder name astray": (
        lambda a: folder_answers.read_list([a], utf8=False),
        lambda n: b'LIST () "/" "' + fill(b"&A", n) + b'"', 60_000,
    ),
    "folder attributes": (
        lambda a: folder_answers.read_list([a], utf8=False),
        lambda n: b"LIST (" + fill(b"\\a ", n) + b') "/" x', 60_000,
    ),
    "counts": (folder_answers.told_of, lambda n: b"STATUS x (" + fill(b"MESSAGES 1 ", n) + b")", 60_000),
    "an envelope in small pieces": (
        dripped, lambda n: quick(lambda m: b'(("' + fill(b"\\a", m))(n)[:-2], 12_000
    ),
    # headers of messages, read for each one
    "claim": (authentication.claim, asked(lambda n: b"mx;" + fill(b"a=b ", n)), 60_000),
    "claim of many": (authentication.claim, many(b"Authentication-Results: mx; spf=pass x.y=z"), 60_000),
    "claim in comments": (authentication.claim, many(b"Authentication-Results: " + b"(" * 8_000), 60_000),
    "claim in quotes": (authentication.claim, many(b'Authentication-Results: "' + b'\\"' * 4_000), 60_000),
    "claim with blanks": (
        authentication.claim, many(b"Authentication-Results: a" + b" " * 8_000 + b"b"), 60_000
    ),
    "claim properties": (
        authentication.claim, many(b"Authentication-Results: m; a=b " + b"aaaaaaaaa ." * 700), 60_000
    ),
    "header fields": (read_fields, lambda n: fill(b"a: b\r\n", n), 100_000),
    "header folds": (read_fields, lambda n: b"a: b" + fill(b"\r\n a", n), 60_000),
    "header astray": (read_fields, lambda n: b"a: b\r\n" + fill(b"x\r\na: b\r\n", n), 60_000),
    "header blanks": (read_fields, lambda n: b"a: b\r\n" + fill(b" \r\n", n) + b"b: c\r\n", 60_000),
    "header line": (read_fields, lambda n: b"a" * n, 60_000),
    "header names": (read_fields, lambda n: fill(b"a" + b" " * 999 + b"\r\n", n), 60_000),
    "blank before a header": (read_fields, lambda n: b"\r\n" * (n // 2) + b"x", 60_000),
    "fault of a header": (header_fault, lambda n: b"a: b\r\n" + fill(b"x\r\na: b\r\n", n), 60_000),
    "fault of a large message": (header_fault, lambda n: b"a: b\r\n\r\n" + b"x" * n, 5_000_000),
    "sender": (marks, lambda n: b"From: " + fill(b"a.b@", n) + b"\r\nReceived: x\r\n\r\n", 60_000),
    "senders": (marks, many(b"From: Eva Smit <eva@zeezicht.example>"), 60_000),
    "sender names": (marks, lambda n: b"From: " + fill(b"Eva ", n) + b"<a@b.example>\r\n\r\n", 4_000),
    "sender without commas": (marks, lambda n: b"From: " + fill(b"a ", n) + b"\r\n\r\n", 4_000),
    "replies": (marks, many(b"Reply-To: " + b"xn--a.xn--b@" * 600), 60_000),
    "known domains": (looks, lambda n: [f"zee{k}.example" for k in range(n)], 1_000),
    "look-alike": (
        lambda a: Known.of(KNOWN, registrable).domains.taken_for(a),
        lambda n: "zee-" * (n // 4) + ".example", 80,
    ),
    # what is found out about a provider
    "XML servers": (
        lambda a: published.read_autoconfig(a, EVA), xml(lambda n: fill(b'<incomingServer type="imap"/>', n)),
        60_000,
    ),
    "XML elements": (lambda a: published.read_autoconfig(a, EVA), server(lambda n: fill(b"<a>", n)), 60_000),
    "XML attributes": (
        lambda a: published.read_autoconfig(a, EVA),
        server(lambda n: b"<a " + b" ".join(b'a%d=""' % k for k in range(n // 9)) + b"/>"), 60_000,
    ),
    "XML entities": (lambda a: published.read_autoconfig(a, EVA), server(lambda n: fill(b"&lt;", n)), 60_000),
    "XML placeholders": (
        lambda a: published.read_autoconfig(a, EVA),
        server(lambda n: b"<hostname>" + fill(b"%EMAILDOMAIN%", n) + b"</hostname>"), 60_000,
    ),
    "XML placeholders astray": (
        lambda a: published.read_autoconfig(a, EVA),
        server(lambda n: b"<hostname>" + fill(b"%A", n) + b"</hostname>"), 60_000,
    ),
    "XML comments": (
        lambda a: published.read_autoconfig(a, EVA), server(lambda n: fill(b"<!---->", n)), 60_000
    ),
    "XML domains": (
        lambda a: published.covers_domain(a, "zee.example"),
        xml(lambda n: fill(b"<domain>a</domain>", n)), 60_000,
    ),
    "JSON lists": (published.read_pacc, lambda n: b'{"a":' + fill(b"[", n), 60_000),
    "JSON names": (
        published.read_pacc, lambda n: json.dumps({f"a{k}": k for k in range(n // 12)}).encode(), 60_000
    ),
    "JSON number": (published.read_pacc, lambda n: b'{"a":' + b"9" * n + b"}", 60_000),
    "JSON fraction": (published.read_pacc, lambda n: b'{"a":0.' + b"9" * n + b"}", 60_000),
    "JSON text": (published.read_pacc, lambda n: b'{"a":"' + fill(b"\\u0041", n) + b'"}', 60_000),
    "challenge": (sasl.challenge, lambda n: base64.b64encode(b'{"a":' + fill(b"[", n)), 2_000),
    "SRV records": (records, answered("SRV", lambda k: f"0 0 993 mail{k}.zee.example."), 300),
    "TXT records": (records, answered("TXT", lambda k: f'"v=UAAC1; a=sha256; d={k}"'), 300),
    # what is asked for and shown
    "search": (search.query, lambda n: "ab " * (n // 3), 100_000),
    "search quotes": (search.query, lambda n: '"a' * (n // 2), 100_000),
    "search phrase": (search.query, lambda n: '"' + "a " * (n // 2) + '"', 100_000),
    "server's search": (search.words, lambda n: '"a b" ' * (n // 6), 100_000),
    "threads": (linked, chained, 500),
    "quoting for a reply": (lambda a: reply.quote(a, "x"), lambda n: ">a\n" * (n // 3), 400_000),
    "subject of a reply": (reply.reply_subject, lambda n: "Re: " * (n // 4), 2_000),
    "subject of a forward": (reply.base_subject, lambda n: "Re [1]" + " " * n, 2_000),
    "pictures in their places": (lambda a: a.shown(lambda url: url), shown, 200_000),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_twice_as_much_takes_no_more_than_two_and_a_half_times_as_long(name: str) -> None:
    assert_linear(*CASES[name])
