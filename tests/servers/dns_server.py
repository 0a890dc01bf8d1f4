"""A DNS server for tests, on loopback by UDP and TCP: records, faults, silence, and answers that change."""

import contextlib
import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from itertools import count

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

Answer = Sequence[str] | str
SILENCE, SERVFAIL, NXDOMAIN = "SILENCE", "SERVFAIL", "NXDOMAIN"


class DnsServer:
    """Answers from `records`, keys `(name, type)`, e.g. `("example.test", "MX"): ["10 mx.example.test."]`.

    A value is a list of records in presentation form, or one of the words SILENCE, SERVFAIL, NXDOMAIN; the
    type `*` stands for every type. `changing[(name, type)]` is a list of such values, one for each question,
    the last for ever (rebinding). A name without any record, or above no other name, is NXDOMAIN. `asked`
    is what was asked, in order.
    """

    def __init__(
        self,
        records: Mapping[tuple[str, str], Answer] | None = None,
        changing: Mapping[tuple[str, str], Sequence[Answer]] | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.records = dict(records or {})
        self.changing = dict(changing or {})
        self.asked: list[tuple[str, str]] = []
        self._turns = {key: count() for key in self.changing}
        self._udp, self._tcp = _pair_of_sockets(host)
        self.host = host
        self.port: int = self._udp.getsockname()[1]
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=serve, daemon=True) for serve in (self._serve_udp, self._serve_tcp)
        ]

    @property
    def address(self) -> tuple[str, int]:
        """For `Settings.dns_servers`."""
        return self.host, self.port

    @property
    def setting(self) -> str:
        """For SOINBOX_DNS_SERVERS."""
        return f"{self.host}:{self.port}"

    def start(self) -> "DnsServer":
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(2)
        self._udp.close()
        self._tcp.close()

    def __enter__(self) -> "DnsServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve_udp(self) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                wire, client = self._udp.recvfrom(4096)
                reply = self._reply(wire)
                if reply is not None:
                    self._udp.sendto(_fit(reply, dns.message.from_wire(wire)), client)

    def _serve_tcp(self) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                connection, _ = self._tcp.accept()
                with connection:
                    connection.settimeout(1)
                    (size,) = struct.unpack("!H", connection.recv(2, socket.MSG_WAITALL))
                    reply = self._reply(connection.recv(size, socket.MSG_WAITALL))
                    if reply is not None:
                        wire = reply.to_wire(max_size=65535)
                        connection.sendall(struct.pack("!H", len(wire)) + wire)

    def _reply(self, wire: bytes) -> dns.message.Message | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        answer = self._answer(name, kind)
        if answer == SILENCE:
            return None
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        if isinstance(answer, str):
            reply.set_rcode(dns.rcode.from_text(answer))
        elif answer:
            reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *answer))
        return reply

    def _answer(self, name: str, kind: str) -> Answer:
        for key in ((name, kind), (name, "*")):
            if key in self.changing:
                turns = self.changing[key]
                return turns[min(next(self._turns[key]), len(turns) - 1)]
            if key in self.records:
                return self.records[key]
        known = [*self.records, *self.changing]
        return () if any(other == name or other.endswith(f".{name}") for other, _ in known) else NXDOMAIN


def _fit(reply: dns.message.Message, query: dns.message.Message) -> bytes:
    """The reply as one datagram, cut short with the TC flag when it is too long (RFC 1035 section 4.2.1)."""
    try:
        return reply.to_wire(max_size=query.payload or 512)
    except dns.exception.TooBig:
        short = dns.message.make_response(query)
        short.flags |= dns.flags.TC
        return short.to_wire()


def _pair_of_sockets(host: str) -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket on one port."""
    for _ in range(20):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((host, 0))
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            tcp.bind((host, udp.getsockname()[1]))
        except OSError:
            udp.close()
            tcp.close()
            continue
        tcp.listen()
        udp.settimeout(0.1)
        tcp.settimeout(0.1)
        return udp, tcp
    raise OSError("no port is free for UDP and TCP")
