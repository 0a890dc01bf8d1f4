"""Debian's Courier IMAP: UTF8=ACCEPT, no CONDSTORE, no MOVE, `.` between folders, all below INBOX.

It cannot be installed beside Dovecot, so `tests/debian-parts` unpacks it. Its `imapd` is started for each
connection, as by inetd; signing in, which Courier leaves to other programs, is done here.
"""

import base64
import contextlib
import imaplib
import os
import select
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from soinbox_web.rehearsal.certificates import Authority
from tests import parts

HOST = "localhost"
CAPABILITIES = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE SORT QUOTA IDLE ENABLE UTF8=ACCEPT"


class Courier:
    """Serves one user over TLS on `port` until it is closed.

    `lacks` are the folders that a new mailbox does not have; `creme` is a subject as it may come.
    """

    lacks = (("Sent",), ("Trash",))
    creme = "Café crème"

    def __init__(self, ca: Authority, address: str, password: str) -> None:
        self.host, self.address = HOST, address
        self._password = password
        self._server_context = ca.issue(HOST, "127.0.0.1").server_context()
        self._client_context = ca.client_context()
        self._folder = Path(tempfile.mkdtemp(prefix="courier-"))
        for name in ("cur", "new", "tmp"):
            (self._folder / "Maildir" / name).mkdir(parents=True)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for process in self._running:
            process.kill()
            process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    @staticmethod
    def folder(*names: str) -> str:
        """The full name of a folder."""
        return ".".join(("INBOX", *names))

    @contextlib.contextmanager
    def signed_in(self, address: str) -> Iterator[imaplib.IMAP4_SSL]:
        """A client of the standard library."""
        client = imaplib.IMAP4_SSL(HOST, self.port, ssl_context=self._client_context, timeout=10)
        client.login(address, self._password)
        try:
            yield client
        finally:
            client.logout()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        with contextlib.suppress(OSError), self._server_context.wrap_socket(raw, server_side=True) as line:
            tag = self._sign_in(line)
            if tag:
                self._pass_on(line, tag)

    def _sign_in(self, line: ssl.SSLSocket) -> str:
        """The tag of the command that signed in; "" for a client that left."""
        line.sendall(b"* OK ready\r\n")
        for command in line.makefile("r", encoding="latin-1", newline="\r\n"):
            tag, verb, *words = command.split()
            if verb.upper() == "CAPABILITY":
                line.sendall(f"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n{tag} OK done\r\n".encode())
            elif verb.upper() == "LOGIN" and [word.strip('"') for word in words] == self._pair:
                return tag
            elif verb.upper() == "AUTHENTICATE" and words[1:]:
                if base64.b64decode(words[1]).decode().split("\0")[1:] == self._pair:
                    return tag
                line.sendall(f"{tag} NO [AUTHENTICATIONFAILED] no\r\n".encode())
            else:
                line.sendall(f"{tag} NO not now\r\n".encode())
        return ""

    @property
    def _pair(self) -> list[str]:
        return [self.address, self._password]

    def _pass_on(self, line: ssl.SSLSocket, tag: str) -> None:
        environment = {
            **os.environ, "LD_LIBRARY_PATH": parts.libraries(parts.UNPACKED), "AUTHENTICATED": self.address,
            "AUTHADDR": self.address, "AUTHFULLNAME": "", "AUTHOPTIONS": "", "IMAP_CAPABILITY": CAPABILITIES,
            "IMAP_ENHANCEDIDLE": "0", "IMAP_USELOCKS": "0", "IMAP_IDLE_TIMEOUT": "1",
        }  # fmt: skip
        with subprocess.Popen(
            [str(parts.program("courier")), "Maildir"], cwd=self._folder, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
        ) as process:  # fmt: skip
            self._running.append(process)
            try:
                self._talk(line, tag, process)
            finally:
                process.kill()

    @staticmethod
    def _talk(line: ssl.SSLSocket, tag: str, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin and process.stdout
        while b"PREAUTH" not in process.stdout.readline():
            pass
        line.sendall(f"{tag} OK signed in\r\n".encode())
        said = process.stdout.fileno()
        while True:
            ready, _, _ = select.select([line, said], [], [], 0 if line.pending() else None)
            if line in ready or line.pending():
                heard = line.recv(65_536)
                if not heard:
                    return
                process.stdin.write(heard)
            if said in ready:
                answer = os.read(said, 65_536)
                if not answer:
                    return
                line.sendall(answer)
