"""The part of a scripted server that both protocols share: listening, TLS, timing, cutting and counting."""

import contextlib
import socket
import ssl
import struct
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

from soinbox_web.rehearsal.behaviour import Behaviour

LINE_LIMIT = 1_000_000
B = TypeVar("B", bound=Behaviour)


class Cut(Exception):
    """The conversation is over; the connection is closed."""


@dataclass(frozen=True, slots=True)
class SignInTried:
    """One sign-in that reached the server."""

    username: str
    secret: str
    mechanism: str
    encrypted: bool


class Wire:
    """One connection, seen from the server."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = b""
        self.encrypted = False

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def line(self) -> bytes:
        """The next line without its CRLF; raises Cut at the end of the connection."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > LINE_LIMIT:
                raise Cut
            self._buffer += self._more()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.removesuffix(b"\r")

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes; raises Cut at the end of the connection."""
        while len(self._buffer) < size:
            self._buffer += self._more()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _more(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise Cut
        return data

    def start_tls(self, context: ssl.SSLContext) -> None:
        self._buffer = b""
        self._socket = secure = context.wrap_socket(
            self._socket, server_side=True, do_handshake_on_connect=False
        )
        secure.do_handshake()
        self.encrypted = True

    def close(self, *, reset: bool = False) -> None:
        with contextlib.suppress(OSError):
            if reset:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._socket.close()


class ScriptedServer(ABC, Generic[B]):
    """A threaded server on the loopback net that follows a `Behaviour` and counts what it sees.

    `connections` counts accepted sockets, `refused` tries to accept one that failed, `sign_ins` lists every
    sign-in tried, `secrets_in_clear` the secrets that came without TLS, `commands` the verbs in order.
    `behaviour` may be exchanged at any time;
    a connection keeps the one it began with.
    """

    def __init__(self, behaviour: B, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.behaviour = behaviour
        self.connections = 0
        self.refused = 0
        self.sign_ins: list[SignInTried] = []
        self.secrets_in_clear: list[str] = []
        self.commands: list[str] = []
        self._stopping = threading.Event()
        self._open: set[Wire] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server((host, port), backlog=64)
        self.host, self.port = self._listener.getsockname()[:2]

    def start(self) -> Self:
        threading.Thread(target=self._accept, name=f"scripted {self.port}", daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening and close every connection; a second call does nothing."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            wires = list(self._open)
        for wire in wires:
            wire.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @abstractmethod
    def _converse(self, wire: Wire, behaviour: B) -> None:
        """Speak the protocol until Cut; greeting and implicit TLS are done."""

    @abstractmethod
    def _default_greeting(self) -> bytes:
        """The greeting of a server that has nothing to hide, with its CRLF."""

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:  # stopping; or out of file handles for a while
                self.refused += 1
                self._stopping.wait(0.05)
                continue
            self.connections += 1
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(Wire(connection),), daemon=True).start()

    def _serve(self, wire: Wire) -> None:
        behaviour = self.behaviour
        with self._lock:
            self._open.add(wire)
        reset = False
        try:
            if behaviour.tls == "implicit":
                self._handshake(wire, behaviour)
            self._moment("GREETING", behaviour)
            wire.send(self._default_greeting() if behaviour.greeting is None else behaviour.greeting)
            self._converse(wire, behaviour)
        except Cut:
            reset = behaviour.reset
        except (OSError, ValueError):
            pass  # the other side left, or refused our certificate
        finally:
            wire.close(reset=reset)
            with self._lock:
                self._open.discard(wire)

    def _handshake(self, wire: Wire, behaviour: B) -> None:
        if behaviour.certificate is None:
            raise Cut
        self._moment("TLS", behaviour)
        wire.start_tls(behaviour.certificate.server_context(old_tls=behaviour.old_tls))

    def _moment(self, name: str, behaviour: B) -> None:
        """What is to happen at this moment: wait, stall or cut."""
        if self._stopping.wait(behaviour.delays.get(name, 0.0)):
            raise Cut
        if behaviour.stall_at == name:
            self._stopping.wait()
            raise Cut
        if behaviour.close_at == name:
            raise Cut

    def _tried(self, wire: Wire, username: str, secret: str, mechanism: str) -> None:
        self.sign_ins.append(SignInTried(username, secret, mechanism, wire.encrypted))
        if not wire.encrypted:
            self.secrets_in_clear.append(secret)
