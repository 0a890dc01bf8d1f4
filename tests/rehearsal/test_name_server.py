"""The demo's names: its own are answered, others below .example do not exist, the rest goes upstream."""

import dns.message
import dns.query
import dns.rcode
import pytest

from soinbox_web.rehearsal.name_server import NameServer

RECORDS = {
    ("noordlicht.example", "MX"): "10 mail.noordlicht.example.",
    ("mail.noordlicht.example", "A"): "127.0.0.1",
}


@pytest.mark.parametrize(
    ("name", "kind", "answers", "rcode"),
    [
        ("Noordlicht.example", "MX", ["10 mail.noordlicht.example."], dns.rcode.NOERROR),
        ("noordlicht.example", "A", [], dns.rcode.NOERROR),
        ("mail.noordlicht.example", "A", ["127.0.0.1"], dns.rcode.NOERROR),
        ("nobody.example", "A", [], dns.rcode.NXDOMAIN),
    ],
)
def test_answers(name: str, kind: str, answers: list[str], rcode: int) -> None:
    server = NameServer(RECORDS)
    try:
        reply = server.answer(dns.message.make_query(name, kind))
    finally:
        server.stop()
    assert reply.rcode() == rcode
    assert [record.to_text() for rrset in reply.answer for record in rrset] == answers


def test_over_udp() -> None:
    server = NameServer(RECORDS).start()
    try:
        query = dns.message.make_query("mail.noordlicht.example", "A")
        reply = dns.query.udp(query, server.host, port=server.port, timeout=3)
        assert reply.answer
    finally:
        server.stop()
