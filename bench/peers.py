"""The same work done by others: a bare socket that parses nothing, and plain imap-tools."""

import socket
import ssl
import subprocess
from pathlib import Path

from imap_tools import MailBox

from soinbox_web.mail.imap.envelope import ITEMS
from tests.servers.dovecot import Dovecot


def bare_socket(server: Dovecot, address: str, password: str) -> int:
    """Ask for every envelope and read the answer to its end; its bytes."""
    with (
        socket.create_connection(("127.0.0.1", server.imaps_port)) as raw,
        server.client_context.wrap_socket(raw, server_hostname="localhost") as line,
    ):
        _say(line, f'a LOGIN "{address}" "{password}"')
        _say(line, "a EXAMINE INBOX")
        return _say(line, f"a UID FETCH 1:* {ITEMS}")


def imap_tools_all(server: Dovecot, address: str, password: str) -> int:
    """Every envelope by `fetch(bulk=500, headers_only=True)`; their number."""
    count = 0
    with _signed_in(server, address, password) as mailbox:
        for message in mailbox.fetch(bulk=500, headers_only=True, mark_seen=False):
            _ = (
                message.uid,
                message.subject,
                message.from_values,
                message.to_values,
                message.date,
                message.flags,
            )
            count += 1
    return count


def imap_tools_page(mailbox: MailBox) -> int:
    """The newest 50 envelopes, from signed in with no folder open."""
    mailbox.folder.set("INBOX", readonly=True)
    return sum(1 for _ in mailbox.fetch(limit=50, reverse=True, headers_only=True, mark_seen=False))


def mbsync(server: Dovecot, address: str, password: str, folder: Path) -> int:
    """Every message of INBOX into a Maildir by isync's mbsync; their number."""
    folder.mkdir()
    anchor = folder / "ca.pem"
    anchor.write_text(ssl.DER_cert_to_PEM_cert(server.client_context.get_ca_certs(binary_form=True)[0]))
    config = folder / "mbsyncrc"
    config.write_text(
        f"IMAPAccount a\nHost localhost\nPort {server.imaps_port}\nUser {address}\nPass {password}\n"
        f"SSLType IMAPS\nSystemCertificates no\nCertificateFile {anchor}\n\n"
        f"IMAPStore far\nAccount a\n\nMaildirStore near\nPath {folder}/\nInbox {folder}/INBOX\n\n"
        f"Channel c\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState *\n"
    )
    done = subprocess.run(["mbsync", "-q", "-c", str(config), "c"], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return sum(1 for place in ("new", "cur") for _ in (folder / "INBOX" / place).iterdir())


def signed_in(server: Dovecot, address: str, password: str) -> MailBox:
    box = MailBox("localhost", server.imaps_port, ssl_context=server.client_context)
    box.login(address, password, initial_folder=None)
    return box


def _signed_in(server: Dovecot, address: str, password: str) -> MailBox:
    box = signed_in(server, address, password)
    box.folder.set("INBOX", readonly=True)
    return box


def _say(line: ssl.SSLSocket, command: str) -> int:
    line.sendall(command.encode() + b"\r\n")
    size, tail = 0, b""
    while not (tail.endswith(b"\r\n") and (b"\r\na OK" in tail or tail.startswith(b"a OK"))):
        chunk = line.recv(262_144)
        if not chunk:
            raise ConnectionError(tail)
        size += len(chunk)
        tail = (tail + chunk)[-1000:]
    return size
