"""Debian's Dovecot as a child process: several users, TLS from the tests' authority, fast deliveries."""

import contextlib
import getpass
import imaplib
import itertools
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from soinbox_web.rehearsal import child
from soinbox_web.rehearsal.certificates import Authority
from tests import parts

PROGRAM = parts.program("dovecot")
HOST = "localhost"
_FLAG_LETTERS = {"\\Draft": "D", "\\Flagged": "F", "\\Answered": "R", "\\Seen": "S", "\\Deleted": "T"}
_CONFIGURATION = """
base_dir = {folder}/run
log_path = {folder}/log
listen = 127.0.0.1
protocols = imap
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = yes
auth_mechanisms = plain login{token_mechanisms}
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%u
mailbox_list_index = yes
mail_plugins = quota
mail_max_userip_connections = {max_connections}
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
{oauth}passdb {{
  driver = dict
  args = {folder}/users.conf
}}
userdb {{
  driver = prefetch
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Drafts {{
    auto = subscribe
    special_use = \\Drafts
  }}
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
  mailbox Trash {{
    auto = subscribe
    special_use = \\Trash
  }}
  mailbox Junk {{
    auto = subscribe
    special_use = \\Junk
  }}
  mailbox Archive {{
    auto = subscribe
    special_use = \\Archive
  }}
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
}}
protocol imap {{
  mail_plugins = quota imap_quota imap_zlib
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {folder}/auth {{
    mode = 0666
  }}
}}
service stats {{
  chroot =
}}
"""

_OAUTH = """passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
  override_fields = userdb_uid={uid} userdb_gid={gid} userdb_home={folder}/mail/%u
}}
"""

_INTROSPECTION = """
introspection_mode = post
introspection_url = {url}
username_attribute = email
active_attribute = active
active_value = true
tls_ca_cert_file = {ca}
"""

_USERS = """
uri = fs:posix:prefix={folder}/users/
key passdb {{
  key = %u
  format = json
}}
passdb_objects = passdb
"""


class Dovecot:
    """One Dovecot with its own folder, users and ports; the ports stay the same over restarts.

    Users are whole addresses. IMAP with STARTTLS listens on `imap_port`, IMAP over TLS on `imaps_port`; the
    certificate is good for `localhost`, 127.0.0.1 and `names`. `introspection` tells
    about tokens.
    """

    def __init__(
        self, ca: Authority, *names: str, max_connections: int = 10, introspection: str = ""
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.folder.chmod(0o755)
        self.host = HOST
        self.imap_port = child.free_port()
        self.imaps_port = child.free_port()
        self.max_connections = max_connections
        self.introspection = introspection
        self._anchor = ca.write_anchor(self.folder / "ca.pem") if introspection else None
        self.client_context = ca.client_context()
        self._certificate, self._key = ca.issue(HOST, "127.0.0.1", *names).write(self.folder, "server")
        self.auth_socket = self.folder / "auth"
        self._owner = pwd.getpwnam("mail") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self._passwords: dict[str, str] = {}
        self._quotas: dict[str, int | None] = {}
        self._deliveries = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._users = self.folder / "users"
        self._users.mkdir(mode=0o755)
        self.mail = self.folder / "mail"
        self.mail.mkdir(mode=0o755)
        os.chown(self.mail, self._owner.pw_uid, self._owner.pw_gid)

    # its life

    def start(self) -> Self:
        """Start and wait until it answers; raises RuntimeError with its log when it does not."""
        assert PROGRAM, "Dovecot is not installed"
        root = os.geteuid() == 0
        me = getpass.getuser()
        configuration = self.folder / "dovecot.conf"
        configuration.write_text(
            _CONFIGURATION.format(
                folder=self.folder,
                certificate=self._certificate,
                key=self._key,
                max_connections=self.max_connections,
                internal="dovecot" if root else me,
                internal_group="dovecot" if root else pwd.getpwnam(me).pw_gid,
                login="dovenull" if root else me,
                imap_port=self.imap_port,
                imaps_port=self.imaps_port,
                token_mechanisms=" xoauth2 oauthbearer" if self.introspection else "",
                oauth=self._write_oauth() if self.introspection else "",
            )
        )
        (self.folder / "users.conf").write_text(_USERS.format(folder=self.folder))
        self._process = child.spawn([PROGRAM, "-F", "-c", configuration], output=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Dovecot does not start:\n{self.log()}")
            time.sleep(0.01)
        return self

    def _write_oauth(self) -> str:
        """The passdb that asks the authorisation server about tokens (RFC 7662)."""
        settings = _INTROSPECTION.format(url=self.introspection, ca=self._anchor)
        (self.folder / "oauth2.conf").write_text(settings)
        return _OAUTH.format(folder=self.folder, uid=self._owner.pw_uid, gid=self._owner.pw_gid)

    def stop(self) -> None:
        """Stop politely: clients hear BYE."""
        if self._process is not None:
            child.end(self._process)
            self._process = None

    def kill(self) -> None:
        """End it and all its sessions at once: clients hear nothing but the closed connection."""
        if self._process is not None:
            child.kill(self._process)
            self._process = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop and remove everything."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text() if path.exists() else "(no log)"

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.imap_port), timeout=5) as connection:
                return connection.recv(100).startswith(b"* OK")
        except OSError:
            return False

    # its users

    def add_user(self, address: str, password: str, *, quota_kb: int | None = None) -> None:
        """Add a user, or change password and quota of one; it counts from the next sign-in."""
        self._passwords[address] = password
        self._quotas[address] = quota_kb
        user: dict[str, str | int] = {
            "password": "{PLAIN}" + password,
            "userdb_uid": self._owner.pw_uid,
            "userdb_gid": self._owner.pw_gid,
            "userdb_home": str(self.mail / address),
        }
        if quota_kb:
            user["userdb_quota_rule"] = f"*:storage={quota_kb}K"
        fresh = self._users / f".{address}"
        fresh.write_text(json.dumps(user))
        fresh.replace(self._users / address)

    def set_password(self, address: str, password: str) -> None:
        """From now on only this password is right; open sessions stay."""
        self.add_user(address, password, quota_kb=self._quotas[address])

    def password_is(self, address: str, password: str) -> bool:
        return self._passwords.get(address) == password

    def holds(self, address: str) -> bool:
        return address in self._passwords

    def remove_user(self, address: str) -> None:
        """Remove a user and the mail."""
        del self._passwords[address], self._quotas[address]
        (self._users / address).unlink()
        shutil.rmtree(self.mail / address, ignore_errors=True)

    # their mail

    def deliver(
        self, address: str, message: bytes, *, folder: str = "INBOX", flags: Iterable[str] = ()
    ) -> None:
        """Put a message straight into the Maildir; `flags` are IMAP system flags."""
        maildir = self.maildir(address, folder)
        letters = "".join(sorted(_FLAG_LETTERS[flag] for flag in flags))
        name = f"{time.time():.6f}.{next(self._deliveries)}.tests"
        fresh = maildir / "tmp" / name
        fresh.write_bytes(message)
        os.chown(fresh, self._owner.pw_uid, self._owner.pw_gid)
        fresh.rename(maildir / "cur" / f"{name}:2,{letters}" if letters else maildir / "new" / name)

    def create_folder(self, address: str, folder: str) -> None:
        self.maildir(address, folder)

    @contextlib.contextmanager
    def signed_in(self, address: str) -> Iterator[imaplib.IMAP4_SSL]:
        """A verified connection, signed in as the user, to look with and to disturb."""
        client = imaplib.IMAP4_SSL(HOST, self.imaps_port, ssl_context=self.client_context)
        try:
            client.login(address, self._passwords[address])
            yield client
        finally:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                client.logout()

    def messages(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """What the folder holds, in the order of UIDs."""
        with self.signed_in(address) as client:
            status, _ = client.select(f'"{_modified_utf7(folder)}"', readonly=True)
            if status != "OK":
                return []
            _, found = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
            return [part[1] for part in found if isinstance(part, tuple)]

    def maildir(self, address: str, folder: str) -> Path:
        root = self.mail / address
        stored = _modified_utf7(folder).replace("/", ".")
        path = root if folder == "INBOX" else root / f".{stored}"
        if not path.exists():
            if path != root and not root.exists():
                self.maildir(address, "INBOX")
            for part in (path, path / "cur", path / "new", path / "tmp"):
                part.mkdir(mode=0o700, exist_ok=True)  # Dovecot makes it too, when somebody signs in
                os.chown(part, self._owner.pw_uid, self._owner.pw_gid)
            if path != root:
                (path / "maildirfolder").touch()
                os.chown(path / "maildirfolder", self._owner.pw_uid, self._owner.pw_gid)
        return path


def _modified_utf7(name: str) -> str:
    """RFC 3501, section 5.1.3."""
    from imap_tools.imap_utf7 import utf7_encode

    return utf7_encode(name).decode("ascii")
