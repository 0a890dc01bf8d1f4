"""Debian's Cyrus IMAP: CONDSTORE, QRESYNC, OBJECTID, MOVE, SPECIAL-USE; a store of its own, no Maildir.

It cannot be installed beside Dovecot, so `tests/debian-parts` unpacks it; a copy of that, which Cyrus's own
user may read, lies in the server's folder.
"""

import contextlib
import grp
import imaplib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from soinbox_web.rehearsal import child
from soinbox_web.rehearsal.certificates import Authority
from tests import parts

HOST = "localhost"
_SETTINGS = """configdirectory: {folder}/conf
partition-default: {folder}/spool
admins: cyrus
cyrus_user: {user}
cyrus_group: {group}
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {folder}/sasldb2
sasl_path: {plugins}
sasl_mech_list: PLAIN
tls_server_cert: {certificate}
tls_server_key: {key}
virtdomains: userid
unixhierarchysep: yes
altnamespace: yes
autocreate_quota: 0
autocreate_inbox_folders: Sent | Drafts | Trash
autocreate_subscribe_folders: Sent | Drafts | Trash
xlist-sent: Sent
xlist-drafts: Drafts
xlist-trash: Trash
imapidlepoll: 1
"""
_SERVICES = """START {{
}}
SERVICES {{
  imaps cmd="{imapd} -s -C {folder}/imapd.conf" listen="127.0.0.1:{port}" prefork=0
}}
EVENTS {{
}}
"""


class Cyrus:
    """One Cyrus with one user, over TLS on `port`, until it is closed.

    `lacks` are the folders that a new mailbox does not have; `creme` is a subject as it may come.
    """

    lacks: tuple[tuple[str, ...], ...] = ()
    creme = "=?utf-8?q?Caf=C3=A9_cr=C3=A8me?="

    def __init__(self, ca: Authority, address: str, password: str) -> None:
        self.host, self.address, self.port = HOST, address, child.free_port()
        self._password = password
        self._client_context = ca.client_context()
        self._folder = Path(tempfile.mkdtemp(prefix="cyrus-"))
        self._folder.chmod(0o755)
        self._certificate, self._key = ca.issue(HOST, "127.0.0.1").write(self._folder, "server")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start and wait until somebody can sign in; RuntimeError with its words when nobody can."""
        owner = pwd.getpwnam("mail") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        root = self._folder / "debian"
        shutil.copytree(parts.UNPACKED, root, symlinks=True)
        programs, libraries = root / "usr" / "lib" / "cyrus" / "bin", parts.libraries(root)
        environment = {**os.environ, "LD_LIBRARY_PATH": libraries}
        settings, services = self._folder / "imapd.conf", self._folder / "cyrus.conf"
        plugins = next(iter(root.glob("usr/lib/*/sasl2")), Path("/usr/lib/sasl2"))
        settings.write_text(
            _SETTINGS.format(
                folder=self._folder, plugins=plugins, certificate=self._certificate, key=self._key,
                user=owner.pw_name, group=grp.getgrgid(owner.pw_gid).gr_name,
            )
        )  # fmt: skip
        services.write_text(_SERVICES.format(imapd=programs / "imapd", folder=self._folder, port=self.port))
        for name in ("conf", "conf/socket", "spool"):
            (self._folder / name).mkdir()
        name, _, domain = self.address.partition("@")
        password = [root / "usr" / "sbin" / "saslpasswd2", "-p", "-c", "-f", self._folder / "sasldb2"]
        subprocess.run(
            [*password, "-u", domain, name],
            input=self._password.encode(), env=environment, check=True,
        )  # fmt: skip
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", f"{owner.pw_uid}:{owner.pw_gid}", self._folder], check=True)
        log = self._folder / "log"
        with log.open("ab") as output:
            self._process = child.spawn(
                [programs / "master", "-D", "-C", settings, "-M", services, "-p", self._folder / "pid"],
                environment=environment,
                output=output,
            )
        deadline = time.monotonic() + 20
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text()
                self.__exit__()
                raise RuntimeError(f"Cyrus does not start:\n{said}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            child.end(self._process)
        shutil.rmtree(self._folder, ignore_errors=True)

    @staticmethod
    def folder(*names: str) -> str:
        """The full name of a folder."""
        return "/".join(names)

    @contextlib.contextmanager
    def signed_in(self, address: str) -> Iterator[imaplib.IMAP4_SSL]:
        """A client of the standard library."""
        client = imaplib.IMAP4_SSL(HOST, self.port, ssl_context=self._client_context, timeout=10)
        client.login(address, self._password)
        try:
            yield client
        finally:
            client.logout()

    def _answers(self) -> bool:
        try:
            with self.signed_in(self.address):
                return True
        except (OSError, imaplib.IMAP4.error):
            return False
