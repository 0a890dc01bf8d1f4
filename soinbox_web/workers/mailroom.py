"""The mailroom's process: one by lease, a second stands by; ends cleanly on SIGTERM."""

import contextlib
import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from functools import partial

from soinbox_web import logs
from soinbox_web.problems import StoreError
from soinbox_web.runtime import Runtime, build
from soinbox_web.services import upkeep
from soinbox_web.settings import Settings, from_environment
from soinbox_web.stopping import stop_on
from soinbox_web.store import fallen, leases
from soinbox_web.store.fallen import Fallen
from soinbox_web.workers import expiry
from soinbox_web.workers.outbox import Outbox
from soinbox_web.workers.supervisor import Supervisor
from soinbox_web.workers.watch import Watch

LEASE = "mailroom"
HEARTBEAT = 4.0  # seconds
GIVES_WAY = 5  # niceness: a page that somebody waits for goes before mail that is fetched
STANDBY = 1.0

log = logging.getLogger("soinbox.mailroom")


def main(settings: Settings | None = None) -> None:
    """Run until SIGTERM or SIGINT."""
    logs.configure()
    os.nice(GIVES_WAY)
    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        stop_on(stop, signal.SIGTERM, signal.SIGINT)
    runtime = build(settings or from_environment())
    try:
        upkeep.take_in_key_ring(runtime)
        run(runtime, stop)
    finally:
        runtime.close()


def run(runtime: Runtime, stop: threading.Event) -> None:
    """Stand by until the lease is ours, then work until `stop` is set or the lease is lost."""
    holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    while not stop.is_set():
        if not _taken(runtime, holder):
            stop.wait(STANDBY)
            continue
        working, watch = threading.Event(), Watch(runtime.clock)
        workers: dict[str, Callable[[], None]] = {
            "heartbeat": partial(_beat, runtime, holder, stop, working, watch.fallen),
            "janitor": partial(expiry.run, runtime, working),
            "outbox": partial(Outbox(runtime).run, working),
        }
        threads: list[threading.Thread] = []
        try:
            threads += [watch.begin(name, work, working) for name, work in workers.items()]
            Supervisor(runtime, watch).run(working)
        finally:
            working.set()
            for thread in threads:
                thread.join(1.0)
            with contextlib.suppress(StoreError), runtime.db.write() as connection:
                leases.release(connection, LEASE, holder)


def _taken(runtime: Runtime, holder: str, parts: Iterable[Fallen] = (), *, unknown: bool = False) -> bool:
    """Whether the lease is ours now; `unknown` is the answer while the database cannot be written.

    With it goes which `parts` of the mailroom have fallen.
    """
    try:
        with runtime.db.write() as connection:
            ours = leases.take(connection, LEASE, holder, runtime.clock.now())
            if ours:
                fallen.note_parts(connection, parts)
            return ours
    except StoreError as error:
        log.warning("lease: %s", error.problem.code)
    except Exception as error:  # whatever it is: outside of any watch, it would end the mailroom
        log.warning("lease: %s", type(error).__name__)
    return unknown


def _beat(
    runtime: Runtime,
    holder: str,
    stop: threading.Event,
    working: threading.Event,
    parts: Callable[[], list[Fallen]] = list,
) -> None:
    """Keep the lease; `working` is set when all has to end: told to stop, or another has the lease.

    A database that is locked for a while is no reason: nobody else can take the lease then either.
    """
    missed = 0
    while not working.is_set():
        for _ in range(int(HEARTBEAT / 0.1)):
            if stop.wait(0.1):
                working.set()
                return
        missed = 0 if _taken(runtime, holder, parts(), unknown=True) else missed + 1
        if missed >= 2:
            log.warning("another mailroom has the lease")
            working.set()


if __name__ == "__main__":
    main()
