"""The SMTP column of the fault matrix: each fault meets a mail at its first try or a later one, then is gone.

Without a kill each end is known; with SIGKILL at each step no recipient may have the mail twice, none may
lack it without being told so.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from soinbox_web.problems import StoreError
from soinbox_web.runtime import Runtime
from soinbox_web.store import database as store
from soinbox_web.store.database import Database
from tests.trust import crashing
from tests.trust.faults import Verdict
from tests.trust.sending_scene import (
    BRAM,
    FULL,
    VOL,
    WEG,
    Moment,
    Scene,
    calm_down,
    command,
    fate,
    sitting,
)

MOMENTS: tuple[Moment, ...] = ("first", "retry", "rest")
GONE = b"550 5.1.1 Unknown"


@dataclass(frozen=True)
class Fault:
    """What the submission server does; `ends`: state and copies (of Bram, Vol, Weg) when nobody is killed.

    "": it depends on how much the buffers took.
    """

    name: str
    behaviour: dict[str, object] = field(default_factory=dict)
    ends: str = "sent"
    copies: tuple[int, int, int] = (1, 1, 1)
    killed: bool = False  # one of those that are met with a kill at each step
    provider: bool = False  # files a copy in Sent


def _faults() -> Iterator[Fault]:
    yield Fault("no fault", killed=True)
    yield Fault("no fault, the provider files a copy", killed=True, provider=True)
    for moment in ("GREETING", "EHLO", "SIGN_IN", "MAIL", "RCPT", "DATA"):
        killed = moment in ("RCPT", "DATA")
        yield Fault(f"cut before the answer to {moment}", {"close_at": moment}, killed=killed)
    for moment in ("EHLO", "AUTH", "MAIL", "RCPT", "DOT"):
        killed = moment in ("RCPT", "DOT")
        yield Fault(f"cut after the answer to {moment}", {"cut_after": moment}, killed=killed)
    for moment in ("GREETING", "EHLO", "SIGN_IN", "MAIL", "RCPT", "DATA"):
        yield Fault(f"silence at {moment}", {"stall_at": moment})
    lost, queued = {"ends": "uncertain", "copies": (0, 0, 0)}, {"ends": "uncertain"}
    yield Fault("cut at the dot, queued", {"close_at": "DOT"}, **queued, killed=True)
    yield Fault("cut in the middle of the message", {"close_at": "BODY"}, "", killed=True)
    yield Fault("silence in the middle of the message", {"stall_at": "BODY"}, **lost)
    yield Fault("reset at the dot, queued", {"close_at": "DOT", "reset": True}, **queued)
    yield Fault("silence at the dot, queued", {"stall_at": "DOT"}, **queued, killed=True)
    spam = {"DOT": b"554 5.7.1 Spam"}
    yield Fault("cut at the dot, not queued", {"close_at": "DOT", "answers": spam}, **lost, killed=True)
    yield Fault("554 after the dot", {"answers": spam}, "failed", (0, 0, 0), killed=True)
    yield Fault("451 after the dot", {"answers": {"DOT": b"451 4.3.0 Later"}}, killed=True)
    yield Fault("421 to MAIL", {"answers": {"MAIL": b"421 4.3.2 Going down"}})
    yield Fault("554 to DATA", {"answers": {"DATA": b"554 5.5.1 No"}}, "failed", (0, 0, 0))
    yield Fault("450 for one", {"recipients": {VOL: FULL}}, killed=True)
    yield Fault("550 for one", {"recipients": {WEG: GONE}}, copies=(1, 1, 0), killed=True)
    both = {"recipients": {VOL: FULL, WEG: GONE}}
    yield Fault("450 for one, 550 for another", both, copies=(1, 1, 0))
    cut = {**both, "close_at": "DOT"}
    yield Fault("the same, cut at the dot, queued", cut, "uncertain", (1, 0, 0), killed=True)
    yield Fault("the same, the provider files a copy", cut, copies=(1, 1, 0), killed=True, provider=True)


FAULTS = tuple(_faults())
NO_FAULT = FAULTS[0]
Work = Callable[[Runtime, Scene], None]


def met(scene: Scene, fault: Fault, moment: Moment, database: type[Database] = Database) -> Verdict:
    """One run without a kill: the end is known."""
    return _run(scene, fault, moment, sitting, 0, database)


def killed_at_every_step(
    scene: Scene, fault: Fault, moment: Moment, every: int = 1, database: type[Database] = Database
) -> Iterator[Verdict]:
    """SIGKILL at step n of the sitting that meets the fault, for each n."""
    for step in _steps(scene, fault, moment, sitting, every, database):
        yield _run(scene, fault, moment, sitting, step, database)


def command_killed_at_every_step(scene: Scene, every: int = 1) -> Iterator[Verdict]:
    """The same of `soinbox send`."""
    for step in _steps(scene, NO_FAULT, "first", command, every):
        yield _run(scene, NO_FAULT, "first", command, step)


def beside_at_every_step(
    scene: Scene, work: Work, moment: Moment, every: int = 1, *, blind: bool = False
) -> Iterator[Verdict]:
    """A process stands still at step n of its work, and a mailroom starts: that leaves alone what is at work.

    So nothing is uncertain. `blind` is the control: the mailroom does not see who lives.
    """
    for step in _steps(scene, NO_FAULT, moment, work, every):
        _begin(scene, NO_FAULT, moment, work)
        other = scene.runtime(hours=2.0)
        other.close()  # nothing open crosses the fork
        with crashing.stopped_in_child(_building(scene), _working(scene, work), step), _hurried():
            for lock in scene.settings.instance.glob("*ing-*.lock") if blind else ():
                lock.unlink()
            with contextlib.suppress(StoreError):  # the other stands still in the middle of a write
                sitting(other, scene)
            other.close()
        verdict = Verdict(f"{work.__name__} stands still at step {step} while a mailroom starts")
        yield _judged(scene, verdict, NO_FAULT, exact=True)


def _steps(
    scene: Scene, fault: Fault, moment: Moment, work: Work, every: int, database: type[Database] = Database
) -> range:
    _begin(scene, fault, moment, work)
    total = crashing.in_child(_building(scene), _working(scene, work), 0, database)
    return range(1, total + 1, every)


def _run(
    scene: Scene, fault: Fault, moment: Moment, work: Work, step: int, database: type[Database] = Database
) -> Verdict:
    verdict = Verdict(f"{fault.name}, {moment} try" + (f", killed at step {step}" if step else ""))
    _begin(scene, fault, moment, work)
    crashing.in_child(_building(scene), _working(scene, work), step, database)
    return _judged(scene, verdict, fault, exact=not step and moment != "rest", database=database)


def _begin(scene: Scene, fault: Fault, moment: Moment, work: Work) -> None:
    scene.restore(moment)
    scene.clicks = work is not command
    if fault.provider:
        scene.let_provider_file()
    scene.behave(**fault.behaviour)  # type: ignore[arg-type]


def _judged(
    scene: Scene, verdict: Verdict, fault: Fault, *, exact: bool, database: type[Database] = Database
) -> Verdict:
    """The fault is gone, the mailroom is started until it has nothing left to do; what became of the mail."""
    began = time.monotonic()
    try:
        scene.provider_files()
        scene.behave()
        verdict.wrong += calm_down(scene, database)
        end = fate(scene)
        verdict.wrong += end.wrong(scene)
        verdict.code = end.row.state if end.row else "nothing"
        copies = tuple(end.copies[each] for each in (BRAM, VOL, WEG))
        if exact and fault.ends and (verdict.code, copies) != (fault.ends, fault.copies):
            verdict.wrong.append(f"{verdict.code} with {copies}, not {fault.ends} with {fault.copies}")
    except Exception as error:
        verdict.wrong.append(f"{type(error).__name__}: {error}")
    verdict.seconds = time.monotonic() - began
    return verdict


def _building(scene: Scene) -> crashing.Build:
    return lambda database: scene.runtime(database, hours=1.0)


def _working(scene: Scene, work: Work) -> crashing.Work:
    return lambda runtime: work(runtime, scene)


@contextmanager
def _hurried() -> Iterator[None]:
    """A database that is locked is not waited for."""
    usual, store.BUSY_SECONDS = store.BUSY_SECONDS, 0.1
    try:
        yield
    finally:
        store.BUSY_SECONDS = usual
