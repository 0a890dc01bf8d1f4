"""Faults of the machine at steps of each worker of the mailroom: the seconds until mail flows again."""

import multiprocessing
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.trust import living, sending_scene
from tests.trust.faults import Verdict

POINTS = 4  # steps of each worker that each kind of fault meets, spread over all that it takes
REAL = "real faults"
SIDE_BY_SIDE = 6  # scenes; most of the time each waits
Job = tuple[int, str, float]  # the kind, the worker, which part of the way


def figures(every: int) -> list[dict[str, Any]]:
    """One for each kind of fault."""
    names = [*(kind.name for kind in living.KINDS), REAL]
    found: dict[str, list[Verdict]] = {name: [] for name in names}
    jobs = list(_jobs())[::every]
    shares = [jobs[n::SIDE_BY_SIDE] for n in range(SIDE_BY_SIDE) if jobs[n::SIDE_BY_SIDE]]
    with multiprocessing.get_context("spawn").Pool(len(shares) + 1) as pool:
        real = pool.apply_async(_real)
        for verdicts in (*pool.imap_unordered(_share, shares), real.get()):
            for verdict in verdicts:
                found[verdict.code].append(verdict)
    return [_told(name, verdicts) for name, verdicts in found.items() if verdicts]


def _jobs() -> Iterator[Job]:
    """Other steps for each kind, so that together they walk over more of them."""
    for number in range(len(living.KINDS)):
        for worker in living.WORKERS:
            for point in range(POINTS):
                yield number, worker, (point + (number + 1) / (len(living.KINDS) + 1)) / POINTS


def _share(jobs: list[Job]) -> list[Verdict]:
    with tempfile.TemporaryDirectory(prefix="lives-") as folder, sending_scene.scene(Path(folder)) as scene:
        totals = living.steps(scene)
        return [
            living.met(scene, living.KINDS[kind], worker, max(1, round(part * totals.get(worker, 1))))
            for kind, worker, part in jobs
        ]


def _real() -> list[Verdict]:
    with tempfile.TemporaryDirectory(prefix="lives-") as folder, sending_scene.scene(Path(folder)) as scene:
        return [living.really_full(scene), living.really_locked(scene)]


def _told(name: str, verdicts: list[Verdict]) -> dict[str, Any]:
    wrong = [verdict for verdict in verdicts if verdict.wrong]
    slowest = max((verdict.seconds for verdict in verdicts), default=0.0)
    for verdict in wrong:
        print(f"    WRONG: {verdict.name}: {'; '.join(verdict.wrong)}", flush=True)
    where = "" if name == REAL else ", at steps of each worker"
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
