"""Faults of the machine at steps of each worker of the mailroom: the seconds until mail flows again."""

import multiprocessing
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers.postbox_apart import apart
from tests.trust import living, sending_scene
from tests.trust.faults import Verdict
from tests.trust.sending_scene import Scene

POINTS = 4  # kinds of steps of each worker that each kind of fault meets, spread over all that notice it
REAL = "real faults"
LASTS = {"full": 20.0, "locked": 70.0}  # seconds
BRIEFLY = {"full": 10.0, "locked": 15.0}  # in a short run; still longer than anybody waits
SIDE_BY_SIDE = 8  # scenes; most of the time each waits
Job = tuple[int, str, str]  # the kind of fault, the worker, the kind of step


def figures(every: int) -> list[dict[str, Any]]:
    """One for each kind of fault; of each the N-th runs, and one at least."""
    names = [*(kind.name for kind in living.KINDS), REAL]
    found: dict[str, list[Verdict]] = {name: [] for name in names}
    lasting = LASTS if every == 1 else BRIEFLY
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(SIDE_BY_SIDE + len(lasting), mp_context=spawn) as pool:
        real = [pool.submit(_real, *each) for each in lasting.items()]
        jobs = list(_jobs(pool.submit(_steps).result(), every))
        shares = [jobs[n::SIDE_BY_SIDE] for n in range(SIDE_BY_SIDE) if jobs[n::SIDE_BY_SIDE]]
        for verdicts in pool.map(_share, shares):
            for verdict in verdicts:
                found[verdict.code].append(verdict)
        found[REAL] = [each.result() for each in real]
    return [_told(name, verdicts) for name, verdicts in found.items() if verdicts]


def _jobs(steps: dict[str, list[str]], every: int) -> Iterator[Job]:
    """Other steps for each kind, so that together they walk over more of them."""
    for number, kind in enumerate(living.KINDS):
        its = [
            (number, worker, step)
            for worker in living.WORKERS
            for step in _spread([each for each in steps[worker] if kind.meets(each)], number)
        ]
        yield from its[number % min(every, len(its)) :: every]


def _spread(steps: list[str], number: int) -> list[str]:
    """Of many, `POINTS` at equal distances, from another one on for each `number`."""
    distance = max(1.0, len(steps) / POINTS)
    return [steps[(round(n * distance) + number) % len(steps)] for n in range(min(POINTS, len(steps)))]


@contextmanager
def _scene() -> Iterator[Scene]:
    """The submission server is in a process of its own: no fault meets it."""
    with (
        tempfile.TemporaryDirectory(prefix="lives-") as folder,
        sending_scene.scene(Path(folder), apart, moments=False) as scene,
    ):
        yield scene


def _steps() -> dict[str, list[str]]:
    with _scene() as scene:
        return living.steps(scene)


def _share(jobs: list[Job]) -> list[Verdict]:
    with _scene() as scene:
        return [living.met(scene, living.KINDS[kind], worker, step) for kind, worker, step in jobs]


def _real(name: str, lasts: float) -> Verdict:
    with _scene() as scene:
        return (living.really_full if name == "full" else living.really_locked)(scene, lasts)


def _told(name: str, verdicts: list[Verdict]) -> dict[str, Any]:
    wrong = [verdict for verdict in verdicts if verdict.wrong]
    slowest = max((verdict.seconds for verdict in verdicts), default=0.0)
    for verdict in wrong:
        print(f"    WRONG: {verdict.name}: {'; '.join(verdict.wrong)}", flush=True)
    where = "" if name == REAL else ", at steps of each worker that notices it"
    print(
        f"{name}{where}: {len(verdicts)} runs, mail flows again after {slowest:.1f} s at most"
        f" (goal <= {living.GOAL:.0f}), {len(wrong)} wrong (goal 0)",
        flush=True,
    )
    return {
        "figure": f"lives: {name}", "runs": len(verdicts), "wrong": len(wrong), "goal": living.GOAL,
        "met": bool(verdicts) and not wrong, "mail_again": {"at most": round(slowest, 1)},
    }  # fmt: skip


if __name__ == "__main__":
    import sys

    figures(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
