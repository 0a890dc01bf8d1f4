"""Which processes the product is: web server and mailroom, alone or under one parent."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from soinbox_web.clock import SystemClock
from soinbox_web.problems import Problem, StoreError
from soinbox_web.runtime import build
from soinbox_web.services import members, upkeep
from soinbox_web.settings import Settings, child_environment, export
from soinbox_web.stopping import stop_on, stop_with_parent
from soinbox_web.store import locks

WEB_WORKERS = 2
STOP_SECONDS = 10
STOPPING_SECONDS = 4.0  # that a web server which was told to stop may still hold the port
QUICK_DEATHS = 5  # a child that ends this often, each time within QUICK_SECONDS, ends the product
QUICK_SECONDS = 10.0


def web(settings: Settings) -> None:
    """Serve pages until told to stop (uvicorn; `/live` and Flask on one port)."""
    import uvicorn

    _guard_binding(settings)
    _guard_port(settings)
    build(settings).close()
    export(settings)
    uvicorn.run(
        "soinbox_web.asgi:application",
        factory=True,
        host=settings.host,
        port=settings.port,
        http="soinbox_web.head:BoundedHead",
        ws="none",
        workers=WEB_WORKERS,
        timeout_graceful_shutdown=2,
        access_log=False,
        server_header=False,
        log_level="warning",
        proxy_headers=settings.trusted_proxies > 0,
        forwarded_allow_ips="127.0.0.1",
    )


def mailroom(settings: Settings) -> None:
    """Synchronise, idle and send until told to stop."""
    from soinbox_web.workers import mailroom as room

    export(settings)
    room.main(settings)


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Web server and mailroom as children; one that dies is started again, both end with this process."""
    _guard_binding(settings)
    _guard_port(settings)
    runtime = build(settings)
    with _served_once(settings):
        upkeep.assert_sound(runtime)
        code, keyless = members.first_code(runtime), upkeep.keyless_words(runtime)
        runtime.close()
        url = settings.public_url or f"http://{settings.host}:{settings.port}"
        say(f"soinbox: {url}")
        if keyless:
            say(keyless)
        if code:
            say(f"First administrator: open {url}/first-administrator and enter the code {code}")
        supervise(
            {name: [sys.executable, "-m", "soinbox_web.cli", name] for name in ("mailroom", "web")}, settings
        )


def demo(port: int | None) -> None:
    """The product with its own mail servers and sample mail, in a temporary folder."""
    from soinbox_web.rehearsal import demo as rehearsal

    rehearsal.run(port)


def supervise(commands: dict[str, list[str]], settings: Settings) -> None:
    """Keep child processes running until SIGTERM or SIGINT; each has the environment of `settings`.

    StoreError product_keeps_stopping when one ends again and again right after its start.
    """
    stop = threading.Event()
    stop_on(stop, signal.SIGTERM, signal.SIGINT)
    environment, clock = child_environment(settings), SystemClock()
    children = {name: _child(command, environment) for name, command in commands.items()}
    begun = dict.fromkeys(commands, clock.monotonic())
    deaths = dict.fromkeys(commands, 0)
    try:
        while not stop.wait(0.3):
            for name, child in children.items():
                if child.poll() is None or stop.wait(1.0):
                    continue
                quick = clock.monotonic() - begun[name] < QUICK_SECONDS
                deaths[name] = deaths[name] + 1 if quick else 1
                if deaths[name] >= QUICK_DEATHS:
                    raise StoreError(Problem("product_keeps_stopping", facts={"part": name}))
                children[name] = _child(commands[name], environment)
                begun[name] = clock.monotonic()
    finally:
        for child in children.values():
            child.terminate()
        for child in children.values():
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()


def _child(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Even a parent that is killed leaves none behind: they would hold the port, and serve unsupervised."""
    return subprocess.Popen(command, env=environment, preexec_fn=stop_with_parent)


@contextmanager
def _served_once(settings: Settings) -> Iterator[None]:
    """Hold the instance while it is served; StoreError instance_running when another process does."""
    with locks.held(settings.instance / "serving.lock") as ours:
        if not ours:
            raise StoreError(Problem("instance_running"))
        yield


def _guard_port(settings: Settings) -> None:
    """StoreError port_taken, said before anything else happens; who is about to stop is given its time."""
    clock = SystemClock()
    end = clock.monotonic() + STOPPING_SECONDS
    while (error := _refused(settings)) is not None:
        if clock.monotonic() > end:
            facts = {"host": settings.host, "port": str(settings.port)}
            raise StoreError(Problem("port_taken", evidence=error.strerror or "", facts=facts)) from error
        clock.sleep(0.1)


def _refused(settings: Settings) -> OSError | None:
    """Why nobody can listen there now."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return error
    return None


def _guard_binding(settings: Settings) -> None:
    """Anything but loopback needs https in front (architecture.md, Processes)."""
    if (
        not settings.host.startswith("127.")
        and settings.host not in ("localhost", "::1")
        and not settings.secure
    ):
        detail = f"SOINBOX_HOST={settings.host} (SOINBOX_PUBLIC_URL=https://…)"
        raise StoreError(Problem("settings_invalid", facts={"name": "SOINBOX_HOST", "detail": detail}))
