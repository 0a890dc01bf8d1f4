"""Which processes the product is: web server and mailroom, alone or under one parent."""

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from soinbox_web.children import Child, Tell
from soinbox_web.clock import SystemClock
from soinbox_web.problems import Problem, StoreError
from soinbox_web.runtime import Runtime, build
from soinbox_web.services import members, standing, upkeep
from soinbox_web.settings import Settings, child_environment, export
from soinbox_web.stopping import stop_on
from soinbox_web.store import instance_lock, locks

WEB_WORKERS = 2
HUNG_SECONDS = 120  # without an answer to its parent until a web worker counts as hung and is replaced
STOPPING_SECONDS = 4.0  # that a web server which was told to stop may still hold the port


def web(settings: Settings) -> None:
    """Serve pages until told to stop (uvicorn; `/live` and Flask on one port)."""
    _guard_binding(settings)
    _guard_port(settings)
    build(settings).close()
    export(settings)
    with instance_lock.share(settings.instance):
        _run_uvicorn(settings)


def _run_uvicorn(settings: Settings) -> None:
    import uvicorn

    uvicorn.run(
        "soinbox_web.serving.application:application",
        factory=True,
        host=settings.host,
        port=settings.port,
        http="soinbox_web.serving.head:BoundedHead",
        ws="none",
        workers=WEB_WORKERS,
        timeout_graceful_shutdown=2,
        timeout_worker_healthcheck=HUNG_SECONDS,
        access_log=False,
        server_header=False,
        log_config=None,  # ours stays
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
        url = settings.public_url or f"http://{settings.host}:{settings.port}"
        say(f"soinbox: {url}")
        if keyless:
            say(keyless)
        if code:
            say(f"First administrator: open {url}/first-administrator and enter the code {code}")
        supervise(
            {name: [sys.executable, "-m", "soinbox_web.cli", name] for name in ("mailroom", "web")}, runtime
        )


def demo(port: int | None) -> None:
    """The product with its own mail servers and sample mail, in a temporary folder."""
    from soinbox_web.rehearsal import demo as rehearsal

    rehearsal.run(port)


def supervise(commands: dict[str, list[str]], runtime: Runtime) -> None:
    """Keep child processes running until SIGTERM or SIGINT; each has the environment of the settings.

    StoreError product_keeps_stopping when the web server ends again and again right after its start. A
    mailroom that does is begun again, later each time: pages go on, and say so.
    """
    stop = threading.Event()
    stop_on(stop, signal.SIGTERM, signal.SIGINT)
    environment = child_environment(runtime.settings)
    told: dict[str, Tell] = {"mailroom": partial(standing.mailroom_fell, runtime)}
    standing.mailroom_fell(runtime, 0, 0.0)  # of a time before
    children: list[Child] = []
    try:
        for name, command in commands.items():
            children.append(Child(name, command, environment, runtime.clock, told.get(name)))
        while not stop.wait(0.3):
            for child in children:
                child.look()
    finally:
        for child in children:
            child.end()
        for child in children:
            child.gone()
        standing.mailroom_fell(runtime, 0, 0.0)
        runtime.close()


@contextmanager
def _served_once(settings: Settings) -> Iterator[None]:
    """Hold the instance while it is served; StoreError instance_running when another process does."""
    with locks.held(settings.instance / "serving.lock") as ours:
        if not ours:
            raise StoreError(Problem("instance_running", evidence=instance_lock.users(settings.instance)))
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
    """Anything but loopback needs https in front."""
    if (
        not settings.host.startswith("127.")
        and settings.host not in ("localhost", "::1")
        and not settings.secure
    ):
        detail = f"SOINBOX_HOST={settings.host} (SOINBOX_PUBLIC_URL=https://…)"
        raise StoreError(Problem("settings_invalid", facts={"name": "SOINBOX_HOST", "detail": detail}))
