"""`soinbox demo`: mail servers, sample team and mail, and the product, all in a temporary folder."""

import contextlib
import http.client
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import click

from soinbox_web.clock import SystemClock
from soinbox_web.problems import Problem
from soinbox_web.rehearsal import child, misbehaving, team
from soinbox_web.rehearsal.cast import COMPANY, TEAM
from soinbox_web.rehearsal.mail_world import World, mail_world
from soinbox_web.runtime import build
from soinbox_web.settings import Settings, child_environment, from_environment
from soinbox_web.stopping import stop_on

PORT = 8025
STOP_SECONDS = 15.0
ANSWER = 60.0  # seconds that one page may take


def run(port: int | None = None) -> None:
    """Run until SIGINT or SIGTERM; nothing outlives this process, and the folder is removed."""
    stop = threading.Event()
    stop_on(stop, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    clock = SystemClock()
    click.echo("Starting mail servers and writing sample mail …")
    with tempfile.TemporaryDirectory(prefix="soinbox-demo-") as name:
        folder = Path(name)
        with mail_world(folder, clock.now()) as world:
            environ = {f"SOINBOX_{key}": value for key, value in world.variables.items()}
            settings = from_environment(
                environ, instance=folder / "instance", host="127.0.0.1", port=port or _usual_port()
            )
            runtime = build(settings, clock)
            team.prepare(runtime, world)
            runtime.close()
            command = [sys.executable, "-m", "soinbox_web.cli", "serve"]
            serving = child.spawn(command, environment={**child_environment(settings), **environ})
            try:
                if _answers(settings, stop, lambda: serving.poll() is None):
                    click.echo(_welcome(settings, world))
                while not stop.wait(0.5) and serving.poll() is None:
                    pass
            finally:
                child.end(serving, patience=STOP_SECONDS)
    if not stop.is_set():
        raise click.ClickException("The product has stopped; its last words are above.")


def _usual_port() -> int:
    return PORT if child.is_free("127.0.0.1", PORT) else child.free_port()


def _answers(settings: Settings, stop: threading.Event, alive: Callable[[], bool]) -> bool:
    """Whether pages are served; however long a machine with much else to do takes to begin."""
    while alive() and not stop.wait(0.2):
        with contextlib.closing(
            http.client.HTTPConnection(settings.host, settings.port, timeout=ANSWER)
        ) as page:
            try:
                page.request("GET", "/sign-in")
                if page.getresponse().status < 500:
                    return True
            except (OSError, http.client.HTTPException):
                continue
    return False


def _welcome(settings: Settings, world: World) -> str:
    lines = ["", f"soinbox is ready:  http://{settings.host}:{settings.port}", "", f"Sign in ({COMPANY}):"]
    for one in TEAM:
        role = "administrator" if one.is_admin else "user"
        lines.append(f"  {one.address:<28} {one.password:<22} {role}, {one.title}")
    newcomer = next(one for one in TEAM if not one.connected)
    lines += [
        "",
        f"{newcomer.name} has no mailbox yet: sign in, click Inbox and set up",
        f"  {newcomer.address}  with the mail password  {newcomer.mail_password}",
        "",
        f"Addresses that misbehave on purpose (mail password: {misbehaving.PASSWORD}):",
    ]
    for case in misbehaving.CASES:
        lines.append(f"  {case.mail_address:<42} {_promise(case, world)}")
    lines += ["", "Ctrl-C ends everything; nothing is kept.", ""]
    return "\n".join(lines)


def _promise(case: misbehaving.Case, world: World) -> str:
    if not case.expect:
        return case.note
    host = case.mail_address.replace("@", ".")
    facts = {"host": host, "provider": host, "protocol": "IMAP", "port": str(world.odd_imap_port)}
    title = Problem(case.expect, facts=facts).title(str)
    return f"sending: {title}" if case.imap is None else title
