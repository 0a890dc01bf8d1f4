"""A DNS server for the demo's own names; every other question goes to the machine's own servers."""

import contextlib
import socket
import threading
from collections.abc import Mapping
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset

_TTL = 60
_PATIENCE = 2.0


class NameServer:
    """Answers by UDP from `records`: {(name, type): value}, e.g. {("a.example", "MX"): "10 mail.a.example."}.

    Names below `.example` that are not there do not exist (RFC 6761); of a name that is there, missing types
    are empty.
    """

    def __init__(self, records: Mapping[tuple[str, str], str], *, host: str = "127.0.0.1") -> None:
        self._records = records
        self._names = {name for name, _ in records}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self.host, self.port = self._socket.getsockname()

    def start(self) -> Self:
        threading.Thread(target=self._serve, name="names", daemon=True).start()
        return self

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                wire, client = self._socket.recvfrom(4096)
            except OSError:
                return
            threading.Thread(target=self._reply, args=(wire, client), daemon=True).start()

    def _reply(self, wire: bytes, client: tuple[str, int]) -> None:
        with contextlib.suppress(OSError, dns.exception.DNSException):
            self._socket.sendto(self.answer(dns.message.from_wire(wire)).to_wire(), client)

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """The answer to one question."""
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        if not name.endswith(".example"):
            return _forwarded(query)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        value = self._records.get((name, dns.rdatatype.to_text(question.rdtype)))
        if value is not None:
            response.answer.append(dns.rrset.from_text(question.name, _TTL, "IN", question.rdtype, value))
        elif not any(one == name or one.endswith(f".{name}") for one in self._names):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response


def _forwarded(query: dns.message.Message) -> dns.message.Message:
    with contextlib.suppress(dns.exception.DNSException, OSError):
        for upstream in dns.resolver.Resolver().nameservers:
            with contextlib.suppress(dns.exception.DNSException, OSError):
                reply, _ = dns.query.udp_with_fallback(query, str(upstream), timeout=_PATIENCE)
                return reply
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.SERVFAIL)
    return response
