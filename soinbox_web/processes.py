"""Which processes the product is: web server and mailroom, alone or under one parent."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from types import FrameType

from soinbox_web.problems import Problem, StoreError
from soinbox_web.runtime import build
from soinbox_web.services import members, upkeep
from soinbox_web.settings import Settings, child_environment, export

WEB_WORKERS = 2
STOP_SECONDS = 10


def web(settings: Settings) -> None:
    """Serve pages until told to stop (uvicorn; `/live` and Flask on one port)."""
    import uvicorn

    _guard_binding(settings)
    build(settings).close()
    export(settings)
    uvicorn.run(
        "soinbox_web.asgi:application",
        factory=True,
        host=settings.host,
        port=settings.port,
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
    runtime = build(settings)
    upkeep.assert_sound(runtime)
    code = members.first_code(runtime)
    runtime.close()
    url = settings.public_url or f"http://{settings.host}:{settings.port}"
    say(f"soinbox: {url}")
    if code:
        say(f"First administrator: open {url}/first-administrator and enter the code {code}")
    supervise([[sys.executable, "-m", "soinbox_web.cli", name] for name in ("mailroom", "web")], settings)


def demo(port: int | None) -> None:
    """The product with its own mail servers and sample mail, in a temporary folder."""
    from soinbox_web.rehearsal import demo as rehearsal

    rehearsal.run(port)


def supervise(commands: list[list[str]], settings: Settings) -> None:
    """Keep child processes running until SIGTERM or SIGINT; each has the environment of `settings`."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    environment = child_environment(settings)
    children = {index: subprocess.Popen(command, env=environment) for index, command in enumerate(commands)}
    while not stop.wait(0.3):
        for index, child in children.items():
            if child.poll() is not None and not stop.wait(1.0):
                children[index] = subprocess.Popen(commands[index], env=environment)
    for child in children.values():
        child.terminate()
    for child in children.values():
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()


def _guard_binding(settings: Settings) -> None:
    """Anything but loopback needs https in front (architecture.md, Processes)."""
    if (
        not settings.host.startswith("127.")
        and settings.host not in ("localhost", "::1")
        and not settings.secure
    ):
        detail = f"SOINBOX_HOST={settings.host} (SOINBOX_PUBLIC_URL=https://…)"
        raise StoreError(Problem("settings_invalid", facts={"name": "SOINBOX_HOST", "detail": detail}))
