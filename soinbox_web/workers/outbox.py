"""The outbox worker of the mailroom: sends what is due, each mail in a thread of its own, a few at once."""

import logging
import threading
from itertools import count

from soinbox_web.fair import FairPool, Full
from soinbox_web.runtime import Runtime
from soinbox_web.services import sending
from soinbox_web.store import outbox
from soinbox_web.store.outbox import OutboxRow
from soinbox_web.threads import Threads

log = logging.getLogger(__name__)

LOOK_EVERY = 0.25  # seconds
SETTLE_EVERY = 8  # looks; uncertain mail is compared with Sent
AT_ONCE = 4  # mails on their way, two of one user


class Outbox:
    """`run` may be called again after an error; what was on its way then is still known."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._threads = Threads(AT_ONCE, thread_name_prefix="outbox")
        self._fair = FairPool(AT_ONCE, "outbox", pool=self._threads)
        self._running: set[int] = set()
        self._guard = threading.Lock()
        self._recovered = False

    def run(self, stop: threading.Event) -> None:
        """Send what is due until `stop` is set; what a dead sender left is recovered at each look."""
        for look in count():
            if stop.is_set():
                break
            if look % SETTLE_EVERY == 0:
                self._settle()
            sending.recover(self._runtime, at_once=not self._recovered)
            self._recovered = True
            self._send(due(self._runtime))
            stop.wait(LOOK_EVERY)
        self._threads.shutdown()

    def _send(self, ready: list[OutboxRow]) -> None:
        """What finds no room, behind a hundred of the same user, is due at the next look too."""
        self._threads.catch_up()
        for row in ready:
            with self._guard:
                if row.id in self._running:
                    continue
                self._running.add(row.id)
            try:
                self._fair.submit(row.user_id, self._deliver, row.id)
            except Full:
                with self._guard:
                    self._running.discard(row.id)

    def _deliver(self, outbox_id: int) -> None:
        try:
            sending.deliver(self._runtime, outbox_id)
        except Exception as error:
            log.error("outbox row %s: %s", outbox_id, type(error).__name__, exc_info=error)
        finally:
            with self._guard:
                self._running.discard(outbox_id)

    def _settle(self) -> None:
        try:
            sending.settle_found(self._runtime)
        except Exception as error:  # what is uncertain stays so; sending goes on
            log.error("uncertain mail: %s", type(error).__name__, exc_info=error)


def due(runtime: Runtime) -> list[OutboxRow]:
    """The rows that may be sent now, oldest first."""
    with runtime.db.read() as connection:
        return outbox.due(connection, runtime.clock.now())
