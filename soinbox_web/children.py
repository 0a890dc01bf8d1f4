"""Child processes of the product: one that dies is begun again, later each time."""

import logging
import subprocess
from collections.abc import Callable, Mapping, Sequence

from soinbox_web.clock import Clock
from soinbox_web.problems import Problem, StoreError
from soinbox_web.stopping import stop_with_parent

STOP_SECONDS = 10
QUICK_DEATHS = 5  # of the web server, each time within QUICK_SECONDS: it cannot serve, and the product ends
QUICK_SECONDS = 10.0
LASTING = 60.0  # seconds; a mailroom that has lasted so long is well
LONGEST = 60.0  # seconds before it is begun again

log = logging.getLogger("soinbox.processes")
Tell = Callable[[int, float], None]


class Child:
    """One process; `tell` hears how often it died in a row (0: it stands) and in how many seconds it begins.

    A child that nobody needs to hear of is a vital one: StoreError product_keeps_stopping at its fifth quick
    death in a row.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        clock: Clock,
        tell: Tell | None = None,
    ) -> None:
        self.part = name
        self._command, self._environment = command, environment
        self._clock = clock
        self._tell = tell
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = self._again = clock.monotonic()
        self.deaths = 0
        self._begin()

    def look(self) -> None:
        """Note a death, begin again when it is time."""
        now = self._clock.monotonic()
        if self._process is None:
            if now >= self._again:
                self._begin()
        elif self._process.poll() is not None:
            self._died(now)
        elif self.deaths and now - self._begun >= self._lasting:
            self.deaths = 0
            self._say(0.0)

    def end(self) -> None:
        """Tell it to stop; `gone` waits for that."""
        if self._process is not None:
            self._process.terminate()

    def gone(self) -> None:
        """Wait until it has stopped; after its time it is killed."""
        if self._process is None:
            return
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()

    @property
    def _lasting(self) -> float:
        return LASTING if self._tell else QUICK_SECONDS

    def _begin(self) -> None:
        """Even a parent that is killed leaves none behind: it would hold the port, and serve unsupervised."""
        self._begun = self._clock.monotonic()
        try:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                preexec_fn=stop_with_parent,
            )
        except OSError as error:  # no room for another process now
            log.warning("%s: %s", self.part, type(error).__name__)
            self._died(self._begun)

    def _died(self, now: float) -> None:
        self._process = None
        self.deaths = self.deaths + 1 if now - self._begun < self._lasting else 1
        if self._tell is None and self.deaths >= QUICK_DEATHS:
            raise StoreError(Problem("product_keeps_stopping", facts={"part": self.part}))
        seconds = min(2.0 ** min(self.deaths - 1, 10), LONGEST)
        self._again = now + seconds
        log.warning("%s ended %d times in a row, begins again in %d s", self.part, self.deaths, seconds)
        self._say(seconds)

    def _say(self, seconds: float) -> None:
        if self._tell:
            self._tell(self.deaths, seconds)
