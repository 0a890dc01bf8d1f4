"""The outbox worker of the mailroom: sends what is due, each mail in a thread of its own, a few at once."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from soinbox_web.problems import StoreError
from soinbox_web.runtime import Runtime
from soinbox_web.services import sending
from soinbox_web.store import outbox

log = logging.getLogger(__name__)

LOOK_EVERY = 0.25  # seconds
SETTLE_EVERY = 8  # looks; uncertain mail is compared with Sent
AT_ONCE = 4  # mails on their way


def run(runtime: Runtime, stop: threading.Event) -> None:
    """Send what is due until `stop` is set; what a dead sender left is recovered at each look."""
    running: set[int] = set()
    guard = threading.Lock()
    recovered = False

    def deliver(outbox_id: int) -> None:
        try:
            sending.deliver(runtime, outbox_id)
        except Exception as error:
            log.error("outbox row %s: %s", outbox_id, type(error).__name__, exc_info=error)
        finally:
            with guard:
                running.discard(outbox_id)

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="outbox") as pool:
        for look in count():
            if stop.is_set():
                return
            if look % SETTLE_EVERY == 0:
                _settle(runtime)
            try:
                sending.recover(runtime, at_once=not recovered)
                recovered = True
                ready = due(runtime)
            except StoreError as error:  # a full disk or a long backup passes
                log.warning("outbox: %s", error.problem.code)
                ready = []
            for outbox_id in ready:
                with guard:
                    if outbox_id in running:
                        continue
                    running.add(outbox_id)
                pool.submit(deliver, outbox_id)
            stop.wait(LOOK_EVERY)


def _settle(runtime: Runtime) -> None:
    try:
        sending.settle_found(runtime)
    except Exception as error:  # what is uncertain stays so; sending goes on
        log.error("uncertain mail: %s", type(error).__name__, exc_info=error)


def due(runtime: Runtime) -> list[int]:
    """The rows that may be sent now, oldest first."""
    with runtime.db.read() as connection:
        return [row.id for row in outbox.due(connection, runtime.clock.now())]
