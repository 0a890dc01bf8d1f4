"""The steps of one connection: timed, reported, and the one place where their errors become problems."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from soinbox_web.clock import Clock, SystemClock
from soinbox_web.mail.diagnose import FOREIGN, error_of, problem_of
from soinbox_web.mail.net.network import Cancelled, never
from soinbox_web.model.provider import Provider
from soinbox_web.model.server import Login, Protocol
from soinbox_web.model.stage import Stage, StageName
from soinbox_web.problems import Problem


def silent(stage: Stage) -> None:
    """Report to nobody."""


@dataclass
class Step:
    """The stage at hand; `detail` may be set while it runs."""

    detail: str = ""


@dataclass
class Stages:
    """What connections tell about themselves while they work.

    `at(name)` reports the stage running and then finished, and turns every error inside into a leaf of
    SoinboxError with side, stage and facts filled in; Cancelled passes. `secret` is what a sign-in sends.
    `notes` is what is worth telling although it works.
    """

    side: Protocol
    login: Login
    provider: Provider | None = None
    progress: Callable[[Stage], None] = silent
    cancelled: Callable[[], bool] = never
    clock: Clock = field(default_factory=SystemClock)
    secret: str = field(default="", repr=False)
    token: bool = False
    notes: list[Problem] = field(default_factory=list)

    @contextmanager
    def at(self, name: StageName, detail: str = "") -> Iterator[Step]:
        step, begin = Step(detail), self.clock.monotonic()
        if self.cancelled():
            raise Cancelled
        self.progress(Stage(self.side, name, None, 0, detail))
        try:
            yield step
        except BaseException as error:
            self.progress(Stage(self.side, name, False, self._since(begin), step.detail))
            if isinstance(error, FOREIGN):
                raise error_of(self.problem(error, name)) from error
            raise
        self.progress(Stage(self.side, name, True, self._since(begin), step.detail))

    def problem(self, error: BaseException, name: str) -> Problem:
        return problem_of(
            error,
            side=self.side,
            stage=name,
            login=self.login,
            provider=self.provider,
            secret=self.secret,
            token=self.token,
        )

    def _since(self, begin: float) -> int:
        return round((self.clock.monotonic() - begin) * 1000)
