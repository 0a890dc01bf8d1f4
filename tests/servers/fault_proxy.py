"""A TCP proxy that cuts, drips, delays, replaces and injects what a server says."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass
from typing import Literal, Self

from soinbox_web.rehearsal.certificates import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to the server's bytes of one connection (`direction` "up": to the client's).

    `cut_after` counts bytes; then the line is reset, closed, or falls silent. `drip` and `delay` are seconds,
    for each byte and for each piece. `inject` is (offset, bytes). `replace` works within one piece.
    `silent_at`: once the client has said this (which still reaches the server), it hears nothing more.
    """

    cut_after: int | None = None
    how: Literal["reset", "close", "silence"] = "reset"
    direction: Literal["down", "up"] = "down"
    drip: float = 0.0
    delay: float = 0.0
    replace: tuple[bytes, bytes] | None = None
    inject: tuple[int, bytes] | None = None
    silent_at: bytes = b""


class FaultProxy:
    """Stands before a server on loopback; `fault` may be changed at any time and counts for new connections.

    With `certificate` the proxy speaks TLS to the client and, where `upstream` is given, to the server: then
    faults work on the plain bytes. `connections` and `bytes_down` (of all connections) count; `silent_since`
    is the monotonic moment at which a line last fell silent by `silent_at`.
    """

    def __init__(
        self,
        target: tuple[str, int],
        *,
        certificate: Identity | None = None,
        upstream: ssl.SSLContext | None = None,
    ) -> None:
        self.fault: Fault | None = None
        self.connections = 0
        self.bytes_down = 0
        self.silent_since: float | None = None
        self._target = target
        self._server_context = certificate.server_context() if certificate else None
        self._upstream = upstream
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.host, self.port = self._listener.getsockname()[:2]

    def start(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def stop(self) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()

    def cut_all(self) -> None:
        """Reset every connection that is open now."""
        for one in list(self._open):
            _hang_up(one, reset=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        fault = self.fault or Fault()
        self._open.add(client)
        try:
            server = socket.create_connection(self._target, timeout=10)
            server.settimeout(None)
            if self._upstream:
                server = self._upstream.wrap_socket(server, server_hostname=self._target[0])
            if self._server_context:
                self._open.discard(client)
                client = self._server_context.wrap_socket(client, server_side=True)
                self._open.add(client)
        except OSError:
            self._open.discard(client)
            client.close()
            return
        self._open.add(server)
        still = Fault()
        up = fault if fault.direction == "up" else still
        down = fault if fault.direction == "down" else still
        silent = threading.Event()
        upwards = threading.Thread(
            target=self._pump, args=(client, server, up, False, silent, fault.silent_at), daemon=True
        )
        upwards.start()
        self._pump(server, client, down, True, silent)
        upwards.join()
        for one in (client, server):  # not before: a number that is free again may be another line's by now
            self._open.discard(one)
            one.close()

    def _pump(
        self,
        source: socket.socket,
        sink: socket.socket,
        fault: Fault,
        down: bool,
        silent: threading.Event,
        silent_at: bytes = b"",
    ) -> None:
        passed = 0
        reset = False
        try:
            while piece := source.recv(65536):
                if silent_at and silent_at in piece:
                    self.silent_since = time.monotonic()
                    silent.set()
                elif down and silent.is_set():
                    self._stopping.wait()
                    break
                if fault.replace:
                    piece = piece.replace(*fault.replace)
                if fault.inject and passed <= fault.inject[0] < passed + len(piece):
                    at = fault.inject[0] - passed
                    piece = piece[:at] + fault.inject[1] + piece[at:]
                if fault.cut_after is not None and passed + len(piece) >= fault.cut_after:
                    self._send(sink, piece[: fault.cut_after - passed], fault)
                    self.bytes_down += (fault.cut_after - passed) * down
                    if fault.how == "silence":
                        self._stopping.wait()
                    reset = fault.how == "reset"
                    break
                self._send(sink, piece, fault)
                passed += len(piece)
                self.bytes_down += len(piece) * down
        except OSError:
            pass
        for one in (source, sink):
            _hang_up(one, reset=reset)

    def _send(self, sink: socket.socket, piece: bytes, fault: Fault) -> None:
        time.sleep(fault.delay)
        if not fault.drip:
            sink.sendall(piece)
            return
        for byte in piece:
            sink.sendall(bytes([byte]))
            if self._stopping.wait(fault.drip):
                return


def _hang_up(one: socket.socket, *, reset: bool = False) -> None:
    """Wake whoever reads from it; it ends when it is closed, with `reset` by an RST."""
    with contextlib.suppress(OSError):
        if reset:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.shutdown(one, socket.SHUT_RD)
