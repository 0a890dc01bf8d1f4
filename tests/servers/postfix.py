"""Debian's Postfix as a child process: submission with sign-in by Dovecot, delivering into its Maildirs."""

import os
import shutil
import smtplib
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from soinbox_web.rehearsal import child
from soinbox_web.rehearsal.certificates import Authority
from tests import parts
from tests.servers.dovecot import HOST, Dovecot

_MAIN = """
compatibility_level = 3.6
config_directory = {folder}
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = {host}
mydestination =
local_recipient_maps =
mynetworks =
default_transport = error:nobody leaves the rehearsal
smtpd_tls_chain_files = {folder}/chain.pem
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {auth}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_client_restrictions = permit_sasl_authenticated, reject
smtpd_reject_unlisted_recipient = yes
virtual_mailbox_domains = noordlicht.example
virtual_mailbox_base = {mail}
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
"""
_MASTER = """
postlog unix-dgram n - n - 1 postlogd
127.0.0.1:{starttls_port} inet n - n - - smtpd
127.0.0.1:{tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""


class Postfix:
    """Needs root. Ports: `starttls_port`, `tls_port`; the certificate is good for `localhost` and 127.0.0.1.

    `addresses`, of the domain noordlicht.example, are users of the Dovecot; it delivers into their INBOX.
    """

    def __init__(self, ca: Authority, dovecot: Dovecot, *addresses: str) -> None:
        self.host = HOST
        self.starttls_port = child.free_port()
        self.tls_port = child.free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="postfix-"))
        self.folder.chmod(0o755)
        self._process: subprocess.Popen[bytes] | None = None
        identity = ca.issue(HOST, "127.0.0.1")
        (self.folder / "chain.pem").write_bytes(identity.key + identity.chain)
        owner = dovecot.mail.stat()
        names = {
            "folder": self.folder,
            "host": HOST,
            "auth": dovecot.auth_socket,
            "mail": dovecot.mail,
            "uid": owner.st_uid,
            "gid": owner.st_gid,
            "starttls_port": self.starttls_port,
            "tls_port": self.tls_port,
        }
        (self.folder / "main.cf").write_text(_MAIN.format(**names))
        (self.folder / "master.cf").write_text(_MASTER.format(**names))
        (self.folder / "mailboxes").write_text("".join(f"{one} {one}/\n" for one in addresses))
        (self.folder / "queue").mkdir()
        (self.folder / "data").mkdir()
        shutil.chown(self.folder / "data", "postfix")

    def start(self) -> Self:
        """Start and wait until it answers; raises RuntimeError with its log when it does not."""
        command = parts.program("postfix")
        assert command, "Postfix is not installed"
        assert os.geteuid() == 0, "Postfix is started by root only"
        subprocess.run([command, "-c", self.folder, "check"], check=True, capture_output=True)
        master = "/usr/lib/postfix/sbin/master"
        self._process = child.spawn([master, "-c", self.folder, "-d"], output=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Postfix does not start:\n{self.log()}")
            time.sleep(0.05)
        return self

    def stop(self) -> None:
        if self._process is not None:
            child.end(self._process)
            self._process = None

    def close(self) -> None:
        """Stop and remove everything."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text() if path.exists() else "(no log)"

    def _answers(self) -> bool:
        try:
            with smtplib.SMTP("127.0.0.1", self.starttls_port, timeout=5) as client:
                return client.noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False
