"""Debian's Roundcube on nginx and php-fpm, with files of its own, signed in to like a browser does."""

import json
import os
import pwd
import re
import secrets
import shutil
import sqlite3
import ssl
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

from bench.reader import PAGE, Browser, first, need_rows
from soinbox_web.rehearsal import child
from tests import parts
from tests.servers.dovecot import Dovecot

PACKAGES = "roundcube-core roundcube-sqlite3 php-fpm nginx"
WORKERS = 8
_ROOT = Path("/var/lib/roundcube/public_html")
_SCHEMA = Path("/usr/share/roundcube/SQL/sqlite.initial.sql")
_DEFAULTS = Path("/etc/roundcube")
_FPM = """[global]
error_log = {folder}/php-fpm.log
daemonize = no
[roundcube]
{user}listen = {folder}/php.sock
listen.mode = 0666
pm = static
pm.max_children = {workers}
clear_env = yes
env[ROUNDCUBE_CONFIG_DIR] = {folder}/config
php_admin_value[session.save_path] = {folder}/temp
"""
_NGINX = """{user}worker_processes 2;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 256; }}
http {{
  include /etc/nginx/mime.types;
  access_log off;
  tcp_nodelay on;
  keepalive_requests 100000;
  client_body_temp_path {folder}/temp/body;
  fastcgi_temp_path {folder}/temp/fastcgi;
  proxy_temp_path {folder}/temp/proxy;
  scgi_temp_path {folder}/temp/scgi;
  uwsgi_temp_path {folder}/temp/uwsgi;
  fastcgi_buffers 64 16k;
  fastcgi_buffer_size 32k;
  server {{
    listen 127.0.0.1:{port};
    root {root};
    location = / {{
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME {root}/index.php;
      fastcgi_pass unix:{folder}/php.sock;
    }}
  }}
}}
"""
_CONFIG = """<?php
$config = [];
$config['db_dsnw'] = 'sqlite:///{folder}/data/roundcube.sqlite?mode=0600';
$config['imap_host'] = 'ssl://127.0.0.1:{imaps_port}';
$config['imap_conn_options'] = ['ssl' => ['verify_peer' => true, 'cafile' => '{folder}/ca.pem']];
$config['des_key'] = '{key}';
$config['log_dir'] = '{folder}/logs/';
$config['temp_dir'] = '{folder}/temp/';
$config['imap_cache'] = {imap_cache};
$config['messages_cache'] = {messages_cache};
$config['plugins'] = [];
$config['skin'] = 'elastic';
$config['enable_spellcheck'] = false;
"""


def missing() -> bool:
    """Whether any of Roundcube's packages is not installed."""
    return not (_ROOT.is_dir() and _SCHEMA.is_file() and parts.program("nginx") and _fpm())


def _fpm() -> str | None:
    """php-fpm, which carries its version in its name."""
    found = sorted(Path("/usr/sbin").glob("php-fpm*"))
    return str(found[-1]) if found else None


class Roundcube:
    """One Roundcube on `port` for the users of one Dovecot; `cached`: its caches are in its database."""

    def __init__(self, server: Dovecot, *, cached: bool) -> None:
        self.port = child.free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="roundcube-"))
        self.folder.chmod(0o755)
        self._owner = pwd.getpwnam("www-data") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self._processes: list[subprocess.Popen[bytes]] = []
        for name in ("config", "data", "logs", "temp"):
            (self.folder / name).mkdir()
        for name in ("defaults.inc.php", "mimetypes.php"):
            shutil.copy(_DEFAULTS / name, self.folder / "config")
        ca = server.client_context.get_ca_certs(binary_form=True)[0]
        (self.folder / "ca.pem").write_text(ssl.DER_cert_to_PEM_cert(ca))
        (self.folder / "config" / "config.inc.php").write_text(
            _CONFIG.format(
                folder=self.folder,
                imaps_port=server.imaps_port,
                key=secrets.token_hex(12),
                imap_cache="'db'" if cached else "null",
                messages_cache="'db'" if cached else "false",
            )
        )
        with sqlite3.connect(self.folder / "data" / "roundcube.sqlite") as database:
            database.executescript(_SCHEMA.read_text())
        database.close()
        for path in (self.folder / "data", *self.folder.glob("data/*"), *self._folders("logs", "temp")):
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid)

    def _folders(self, *names: str) -> list[Path]:
        return [self.folder / name for name in names]

    def start(self) -> Self:
        """Start both and wait for the sign-in page; RuntimeError with their logs when it stays away."""
        root = os.geteuid() == 0
        name = self._owner.pw_name
        fpm, nginx = self.folder / "php-fpm.conf", self.folder / "nginx.conf"
        fpm.write_text(
            _FPM.format(folder=self.folder, workers=WORKERS, user=f"user = {name}\n" if root else "")
        )
        nginx.write_text(
            _NGINX.format(
                folder=self.folder, port=self.port, root=_ROOT, user=f"user {name};\n" if root else ""
            )
        )
        commands: tuple[list[str | Path], ...] = (
            [_fpm() or "", "--nodaemonize", "--fpm-config", fpm],
            [parts.program("nginx") or "", "-e", self.folder / "nginx.log", "-c", nginx],
        )
        with (self.folder / "output").open("ab") as output:
            self._processes = [child.spawn(command, output=output) for command in commands]
        deadline = time.monotonic() + 20
        while True:
            try:
                Browser(self.port).get("/?_task=login")
                return self
            except (OSError, RuntimeError) as error:
                dead = any(process.poll() is not None for process in self._processes)
                if dead or time.monotonic() > deadline:
                    text = self.log()
                    self.close()
                    raise RuntimeError(f"Roundcube does not start: {error}\n{text}") from error
                time.sleep(0.05)

    def close(self) -> None:
        """Stop both and remove everything."""
        for process in reversed(self._processes):
            child.end(process)
        self._processes = []
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        paths = [self.folder / "output", *self._folders("php-fpm.log", "nginx.log")]
        paths += sorted((self.folder / "logs").iterdir())
        return "".join(f"{path.name}: {path.read_text()[-3000:]}\n" for path in paths if path.is_file())


class RoundcubeReader:
    """Somebody signed in to Roundcube, asking what its own JavaScript asks."""

    def __init__(self, roundcube: Roundcube, address: str, password: str, rows: int) -> None:
        self._rows = min(rows, PAGE)
        self._roundcube = roundcube
        self._browser = Browser(roundcube.port)
        token = first(r'name="_token" value="([^"]+)"', self._browser.get("/?_task=login"))
        form = {"_token": token, "_task": "login", "_action": "login", "_timezone": "Europe/Amsterdam"}
        self._browser.post(
            "/?_task=login", {**form, "_url": "", "_user": address, "_pass": password}, expected=(302,)
        )
        if "_task=mail" not in self._browser.location:
            raise RuntimeError(f"Roundcube did not sign in: {self._browser.location}\n{roundcube.log()}")
        inbox = self._browser.get("/?_task=mail&_mbox=INBOX")
        token = first(r'"request_token":"([^"]+)"', inbox)
        self._headers = {"X-Roundcube-Request": token, "X-Requested-With": "XMLHttpRequest"}

    def list_rows(self) -> list[str]:
        return self._listed("list", {})

    def search(self, word: str) -> None:
        self._listed("search", {"_q": word, "_headers": "subject", "_scope": "base", "_filter": "ALL"})

    def show(self, name: str) -> None:
        query = urlencode(
            {"_task": "mail", "_action": "show", "_uid": name, "_mbox": "INBOX", "_framed": "1"}
        )
        page = self._browser.get(f"/?{query}")
        if b'id="messagebody"' not in page or not re.search(rb'class="message-(html)?part', page):
            raise RuntimeError(f"message {name} was not shown: {page[:600]!r}")

    def refresh(self) -> None:
        """What an open browser asks each minute."""
        form = {"_mbox": "INBOX", "_list": "1", "_last": str(int(time.time())), "_remote": "1"}
        answer = self._browser.post("/?_task=mail&_action=refresh", form, self._headers)
        if json.loads(answer).get("action") != "refresh":
            raise RuntimeError(f"not refreshed: {answer[:600]!r}")

    def close(self) -> None:
        self._browser.close()

    def _listed(self, action: str, wanted: dict[str, str]) -> list[str]:
        query = urlencode({"_task": "mail", "_action": action, "_mbox": "INBOX", "_remote": "1", **wanted})
        answer = self._browser.get(f"/?{query}", self._headers)
        found = re.findall(r"add_message_row\((\d+),", json.loads(answer)["exec"])
        need_rows(len(found), self._rows, answer)
        return found
