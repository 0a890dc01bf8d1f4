"""The part that small servers of the tests share: a port on loopback, and a thread for whoever comes."""

import socket
import threading
from typing import Self


class Listening:
    """Serves on `port` within its block; a subclass says in `_serve` how."""

    port: int

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._over = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts; closing would not
        self._listener.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        raise AssertionError("a server says how it serves")
